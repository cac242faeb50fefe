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

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join;

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
#[derive(Default)]
struct Turn {
    /// A statement was sent and its answer is not read to the end.
    busy: bool,
    /// BEGIN, until the first statement of its transaction is sent.
    begin: Option<String>,
    /// BEGIN, until it is answered.
    beginning: Option<Beginning>,
    /// BEGIN, and when it was answered.
    begun: Option<(String, Instant)>,
}

/// A BEGIN that was sent.
type Beginning = Pin<Box<dyn Future<Output = Result<()>> + Send + Sync>>;

impl Turn {
    /// Waits for what is sent at the first poll, and sends BEGIN before it where that is still to be sent.
    async fn send<T, E: From<Error>>(
        &mut self,
        session: &Arc<Session>,
        statement: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        // Nothing is sent where that may not be waited for: BEGIN stays here.
        session.home().check_waiting()?;
        self.busy = true;
        let mut statement = pin!(statement);
        let result = match self.begin.take() {
            None => statement.await,
            Some(begin) => {
                let answered = async { Ok::<_, Error>(statement.as_mut().await) };
                match try_join(Box::pin(self.send_begin(session, begin)), answered).await {
                    Ok(((), result)) => result,
                    // Busy it stays: what was sent behind BEGIN may be running.
                    Err(error) => return Err(refused(error).into()),
                }
            }
        };
        self.busy = false;
        result
    }

    async fn send_begin(&mut self, session: &Arc<Session>, begin: String) -> Result<()> {
        let (sent, sql) = (Arc::clone(session), begin.clone());
        let beginning = self.beginning.insert(Box::pin(async move { sent.control(&sql).await }));
        let result = beginning.await;
        self.beginning = None;
        self.begun = Some((begin, Instant::now()));
        result
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("busy", &self.busy).finish_non_exhaustive()
    }
}

/// What to say where the server refused BEGIN, as it does when it was told to stop just then.
#[cold]
fn refused(error: Error) -> Error {
    match error.is_connection_lost() {
        true => error,
        false => Error::new(
            ErrorKind::CommitUnknown,
            format!(
                "BEGIN failed, and what was sent with it may have been done without a transaction: look before doing \
                 it again: {error}"
            ),
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

    /// `answers` gets when each was answered.
    pub(crate) async fn run_all(&mut self, parts: &mut [Part<'_>], answers: &mut Vec<Instant>) -> Result<(), Failed> {
        let Self { session, turn } = self;
        turn.send(session, session.run_all(parts, answers)).await
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

    /// Takes a BEGIN back that was not sent; says whether there was one.
    pub(crate) fn forget_begin(&mut self) -> bool {
        self.turn.begin.take().is_some()
    }

    /// BEGIN, where it was answered since this was asked last, and when.
    pub(crate) fn begun(&mut self) -> Option<(String, Instant)> {
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
            self.session.cancel(self.turn.beginning.take());
        }
    }
}
