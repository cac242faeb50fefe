//! PostgreSQL, through tokio-postgres.

pub(crate) mod cell;
mod errors;
mod numeric;
mod open;
mod statements;
mod times;
mod transaction;
mod types;
mod values;

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio_postgres::{Client, RowStream, Statement};

use self::open::Service;
use self::statements::Statements;
use self::transaction::Transaction;
use crate::control::Control;
use crate::options::ServerOptions;
use crate::row::Cells;
use crate::runtime::Home;
use crate::{Begin, Call, Done, Error, ErrorKind, Result, Row, Sink};

/// A connection to a PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Before the statements in order: once it is gone they are not closed one by one.
    client: Client,
    statements: Statements,
    transaction: Transaction,
    home: Home,
    service: Service,
    /// A statement was sent and its answer is not read to the end.
    busy: bool,
}

impl Connection {
    pub(crate) async fn open(options: &ServerOptions, timeout: Duration) -> Result<Self> {
        let home = Home::here()?;
        let (client, service) = open::open(options, timeout, &home).await?;
        Ok(Self {
            client,
            statements: Statements::default(),
            transaction: Transaction::default(),
            home,
            service,
            busy: false,
        })
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Runs a statement. Its rows are handed on as they come in.
    pub(crate) async fn run(&mut self, call: Call<'_>, sink: Sink<'_>) -> Result<Done> {
        if Control::of(call.sql) != Control::None {
            return self.control_by_hand(call.sql).await;
        }
        self.home.check_waiting()?;
        values::check(call)?;
        self.busy = true;
        let result = match self.start(call).await {
            Ok(rows) => self.give(rows, call, sink).await,
            Err(error) => Err(error),
        };
        self.busy = false;
        result
    }

    /// Transaction control in the caller's words. They are prepared before they are sent as text, which may hold
    /// several statements: the server refuses to prepare those.
    async fn control_by_hand(&mut self, sql: &str) -> Result<Done> {
        self.home.check_waiting()?;
        self.busy = true;
        let prepared = self.client.prepare(sql).await;
        self.busy = false;
        prepared.map_err(|error| self.fault(error))?;
        self.control(sql).await.map(|()| Done::default())
    }

    /// Transaction control, which also keeps count of where the server stands.
    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        self.home.check_waiting()?;
        let control = Control::of(sql);
        let poisoned = control == Control::Commit && self.transaction.is_failed();
        if control == Control::Commit && !self.transaction.is_open() {
            return Err(Error::new(
                ErrorKind::Misuse,
                "there is no transaction to commit: a statement inside it has ended it; let the transaction end itself",
            ));
        }
        self.transaction.sending(control);
        self.busy = true;
        // The server would answer COMMIT with success, and roll back.
        let result = self.client.batch_execute(if poisoned { "ROLLBACK" } else { sql }).await;
        self.busy = false;
        self.transaction.answered(control, result.is_ok());
        let result = result.map_err(|error| self.fault(error));
        if poisoned {
            // Also when the connection was lost: nothing was committed.
            return Err(Error::new(
                ErrorKind::TransactionPoisoned,
                "the transaction failed earlier and was rolled back: end it at its first error, or make what may fail a nested one",
            ));
        }
        result
    }

    pub(crate) fn begin(&self, begin: Begin) -> Vec<String> {
        let mut sql = "BEGIN".to_owned();
        if let Some(isolation) = begin.isolation {
            sql.push_str(" ISOLATION LEVEL ");
            sql.push_str(isolation.words());
        }
        if begin.read_only {
            sql.push_str(" READ ONLY");
        }
        vec![sql]
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.transaction.is_open()
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.client.is_closed()
    }

    /// Sends a statement. One whose plan no longer fits was not executed: it is sent once more, unless it has failed
    /// a transaction.
    async fn start(&mut self, call: Call<'_>) -> Result<RowStream> {
        match self.send(call).await {
            Err(error) if error.kind() == ErrorKind::PreparedPlanChanged => {
                self.statements.forget(call.sql);
                if self.transaction.is_open() { Err(error) } else { self.send(call).await }
            }
            result => result,
        }
    }

    async fn send(&mut self, call: Call<'_>) -> Result<RowStream> {
        let statement = self.prepare(call).await?;
        let (takes, given) = (statement.params().len(), call.values.len());
        if takes != given {
            return Err(Error::new(
                ErrorKind::Misuse,
                format!("the statement takes {takes} values and {given} were given: give one for each placeholder"),
            ));
        }
        self.client.query_raw(&statement, values::bound(call.values)).await.map_err(|error| self.fault(error))
    }

    /// A statement that is not kept is prepared all the same. tokio-postgres has a way with one round trip, but it
    /// waits for ever when a result is long and has a column of a type, such as an enum, that it has to look up.
    async fn prepare(&mut self, call: Call<'_>) -> Result<Statement> {
        if call.keep
            && let Some(statement) = self.statements.get(call)
        {
            return Ok(statement);
        }
        if call.sql.contains('\0') {
            return Err(Error::new(ErrorKind::Misuse, "SQL cannot hold NUL"));
        }
        let types: Vec<_> = types::declared(call).collect();
        let statement = self.client.prepare_typed(call.sql, &types).await.map_err(|error| self.fault(error))?;
        if call.keep {
            self.statements.put(call.sql, statement.clone());
        }
        Ok(statement)
    }

    /// Hands rows on. After one was refused the rest is still read, so that the next statement finds the connection,
    /// and what is known about the transaction, in order.
    async fn give(&mut self, rows: RowStream, call: Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let mut rows = pin!(rows);
        let mut refused = None;
        loop {
            match rows.try_next().await {
                Ok(Some(row)) if refused.is_none() => {
                    refused = sink(&mut Row::new(Cells::Postgres(&row), call.outputs)).err();
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    let error = self.fault(error);
                    return Err(refused.unwrap_or(error));
                }
            }
        }
        match refused {
            Some(error) => Err(error),
            // Of a SELECT the server counts the rows it gave.
            None if !call.writes => Ok(Done::default()),
            None => Ok(Done { rows: rows.rows_affected().unwrap_or(0), key: None }),
        }
    }

    /// Classifies an error, and notes what it leaves behind.
    fn fault(&mut self, error: tokio_postgres::Error) -> Error {
        if error.as_db_error().is_some() {
            self.transaction.failed();
        }
        let error = errors::classify(error, self.service.ending());
        if error.is_connection_lost() {
            self.service.abort();
        }
        error
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Closing the socket does not stop a statement.
        if self.busy && self.is_alive() {
            self.service.cancel(self.client.cancel_token(), &self.home);
        }
    }
}
