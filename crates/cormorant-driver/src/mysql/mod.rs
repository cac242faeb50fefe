//! MySQL and MariaDB, through mysql_async. The caller polls; the socket lives on one Tokio runtime.

pub(crate) mod cell;
mod errors;
mod keys;
mod open;
mod statement;
mod statements;
mod transaction;
mod values;
mod wire;

use std::fmt;
use std::pin::{Pin, pin};
use std::time::Duration;

use cormorant_sql::Dialect;
use mysql_async::prelude::Queryable;

use crate::control::Control;
use crate::options::ServerOptions;
use crate::runtime::Home;
use crate::{Begin, Call, Done, Error, ErrorKind, Result, Row, Sink};
use keys::Keys;
use statements::Statements;
use transaction::Transaction;
use wire::{Wire, at};

/// A connection to a MySQL or MariaDB server.
pub(crate) struct Connection {
    wire: Wire,
    dialect: Dialect,
    /// The most bytes that the server takes in one packet.
    max_packet: usize,
    transaction: Transaction,
    keys: Keys,
    statements: Statements,
}

impl fmt::Debug for Connection {
    // mysql_async's own would show the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("dialect", &self.dialect)
            .field("transaction", &self.transaction)
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) async fn open(options: &ServerOptions, timeout: Duration) -> Result<Self> {
        let open::Opened { wire, dialect, max_packet } = open::open(options, timeout).await?;
        Ok(Self {
            wire,
            dialect,
            max_packet,
            transaction: Transaction::None,
            keys: Keys::default(),
            statements: Statements::default(),
        })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) fn home(&self) -> &Home {
        self.wire.home()
    }

    /// Runs a statement. One that the server has forgotten was not executed: it is sent once more, unless it is part
    /// of a transaction.
    ///
    /// Boxed: the others' futures need not have room for it.
    pub(crate) fn run<'a>(
        &'a mut self,
        call: &'a Call<'a>,
        sink: Sink<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Done>> + Send + 'a>> {
        Box::pin(self.run_in_turn(call, sink))
    }

    async fn run_in_turn(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        self.transaction.check(Control::None)?;
        if let Some(query) = call.key_query
            && !self.keys_follow(query).await?
        {
            return Ok(Done::default());
        }
        let done = self.run_once_or_twice(call, sink).await?;
        if call.key_query.is_some() && done.key.is_none() {
            return Err(Error::new(ErrorKind::Database, "the server did not say which keys it generated"));
        }
        Ok(done)
    }

    /// Whether the keys that one INSERT generates are certain to follow each other; the server is asked once.
    async fn keys_follow(&mut self, query: &str) -> Result<bool> {
        if let Some(known) = self.keys.follow(query) {
            return Ok(known);
        }
        let mut follow = false;
        let mut sink = |_: &mut Row<'_>| {
            follow = true;
            Ok(())
        };
        let call = Call { writes: false, ..Call::text(query) };
        Box::pin(self.send(&call, &mut sink)).await?;
        self.keys.learn(query, follow);
        Ok(follow)
    }

    async fn run_once_or_twice(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        self.keys.before(call);
        match self.send(call, &mut *sink).await {
            Err(error) if error.kind() == ErrorKind::PreparedPlanChanged && !self.transaction.is_open() => {
                Box::pin(self.send(call, sink)).await
            }
            result => {
                self.keys.after(call);
                result
            }
        }
    }

    async fn send(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let values = values::bind(call.values, call.order)?;
        self.check_size(call.sql, &values)?;
        let (home, conn) = self.wire.start()?;
        let result = at(home, pin!(statement::run(conn, &mut self.statements, call, values, sink))).await;
        self.wire.done();
        self.note(&result).await;
        result.map_err(|error| errors::classify(&error, self.dialect))?
    }

    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        let control = Control::of(sql);
        self.transaction.check(control)?;
        let before = self.transaction;
        let (home, conn) = self.wire.start()?;
        if control == Control::Begin {
            self.transaction = Transaction::Open { told: false };
        }
        let result = at(home, pin!(conn.query_drop(sql))).await;
        self.wire.done();
        match (control, &result) {
            (Control::Begin, Err(_)) => self.transaction = before,
            (Control::Commit | Control::Rollback, Ok(())) => self.transaction = Transaction::None,
            _ => {}
        }
        self.note(&result).await;
        result.map_err(|error| errors::classify(&error, self.dialect))?;
        if (before, control) == (Transaction::Over, Control::Rollback) {
            return Err(transaction::not_rolled_back());
        }
        Ok(())
    }

    /// The words that begin a transaction. Its isolation is said before, and holds for it alone.
    pub(crate) fn begin(&self, begin: Begin) -> Vec<String> {
        let isolation =
            begin.isolation.map(|isolation| format!("SET TRANSACTION ISOLATION LEVEL {}", isolation.words()));
        let start = if begin.read_only { "START TRANSACTION READ ONLY" } else { "START TRANSACTION" };
        isolation.into_iter().chain([start.to_owned()]).collect()
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.transaction.is_open()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.wire.is_alive()
    }

    /// Keeps up with the server: it commits and rolls back by itself. An error does not say whether it did, so it is
    /// asked.
    async fn note<T>(&mut self, result: &mysql_async::Result<T>) {
        if let Err(error) = result {
            let Some(code) = errors::code(error) else { return };
            self.transaction.failed(code);
            if !self.transaction.may_have_ended() {
                return;
            }
            let Ok((home, conn)) = self.wire.start() else { return };
            let answer = at(home, pin!(conn.ping())).await;
            self.wire.done();
            // Where the connection is lost, the next statement says so.
            if answer.is_err() {
                return;
            }
        }
        if let Some(open) = self.wire.server_in_transaction() {
            self.transaction.told(open);
        }
    }

    /// A packet above the server's limit would cost the connection.
    fn check_size(&self, sql: &str, values: &[mysql_async::Value]) -> Result<()> {
        let size = |value: &mysql_async::Value| match value {
            mysql_async::Value::Bytes(bytes) => bytes.len() + 16,
            _ => 16,
        };
        let bytes = sql.len().max(values.iter().map(size).sum()) + 64;
        if bytes <= self.max_packet {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "the statement has {bytes} bytes, the server takes {}: send less at a time, or raise max_allowed_packet \
                 on the server",
                self.max_packet
            ),
        ))
    }
}
