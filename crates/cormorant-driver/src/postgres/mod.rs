//! PostgreSQL, through tokio-postgres.

pub(crate) mod cell;
mod errors;
mod numeric;
mod open;
mod session;
mod statements;
mod times;
mod transaction;
mod types;
mod values;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;

pub(crate) use self::session::Session;
use crate::control::Control;
use crate::options::ServerOptions;
use crate::runtime::Home;
use crate::{Begin, Call, Done, Error, ErrorKind, Failed, Part, Result, Sink};

/// A connection to a PostgreSQL server: its session, for one at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    session: Arc<Session>,
    turn: Turn,
}

/// What is sent now.
#[derive(Debug, Default)]
struct Turn {
    /// A statement was sent and its answer is not read to the end.
    busy: bool,
    /// BEGIN, until the first statement of its transaction is sent.
    begin: Option<String>,
    /// BEGIN, after it was sent.
    begun: Option<String>,
}

impl Turn {
    /// Waits for what is sent at the first poll, and sends BEGIN before it where that is still to be sent.
    async fn send<T, E: From<Error>>(
        &mut self,
        session: &Session,
        statement: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut statement = pin!(statement);
        self.busy = true;
        let result = match self.begin.take() {
            None => statement.await,
            Some(begin) => {
                let (begun, result) = join(Box::pin(session.control(&begin)), statement.as_mut()).await;
                match begun {
                    Ok(()) => {
                        self.begun = Some(begin);
                        result
                    }
                    Err(error) => {
                        // No transaction is open: the next statement is not to run without one.
                        self.begin = Some(begin);
                        Err(refused(error, result.is_ok()).into())
                    }
                }
            }
        };
        self.busy = false;
        result
    }
}

/// What to say where BEGIN failed.
#[cold]
fn refused(error: Error, done: bool) -> Error {
    match done {
        false => error,
        // It was told to stop just then.
        true => Error::new(
            ErrorKind::CommitUnknown,
            format!("BEGIN failed, and the statement that was sent with it was done by itself: {error}"),
        ),
    }
}

impl Connection {
    pub(crate) async fn open(options: &ServerOptions, timeout: Duration) -> Result<Self> {
        let session = Arc::new(Session::open(options, timeout).await?);
        Ok(Self { session, turn: Turn::default() })
    }

    pub(crate) fn home(&self) -> &Home {
        self.session.home()
    }

    /// The session, for queries that run side by side.
    pub(crate) fn session(&self) -> Arc<Session> {
        Arc::clone(&self.session)
    }

    /// Notes that an answer was not read to its end.
    pub(crate) fn abandon(&mut self) {
        self.turn.busy = true;
    }

    pub(crate) async fn run(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let Self { session, turn } = self;
        match Control::of(call.sql) {
            Control::None => turn.send(session, session.run(call, sink)).await,
            _ => turn.send(session, session.control_by_hand(call.sql)).await,
        }
    }

    pub(crate) async fn run_all(&mut self, parts: &mut [Part<'_>]) -> Result<(), Failed> {
        let Self { session, turn } = self;
        turn.send(session, session.run_all(parts)).await
    }

    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        let Self { session, turn } = self;
        turn.send(session, session.control(sql)).await
    }

    /// Begins a transaction with the next statement: nothing is to be sent now.
    pub(crate) fn begin(&mut self, begin: Begin) -> Vec<String> {
        let mut sql = "BEGIN".to_owned();
        if let Some(isolation) = begin.isolation {
            sql.push_str(" ISOLATION LEVEL ");
            sql.push_str(isolation.words());
        }
        if begin.read_only {
            sql.push_str(" READ ONLY");
        }
        self.turn.begin = Some(sql);
        Vec::new()
    }

    /// BEGIN, where it was sent since this was asked last.
    pub(crate) fn begun(&mut self) -> Option<String> {
        self.turn.begun.take()
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.session.in_transaction()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.session.is_alive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Closing the socket does not stop a statement.
        if self.turn.busy && self.is_alive() {
            self.session.cancel();
        }
    }
}
