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

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::session::Session;
use crate::control::Control;
use crate::options::ServerOptions;
use crate::runtime::Home;
use crate::{Begin, Call, Done, Result, Sink};

/// A connection to a PostgreSQL server: its session, for one at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    session: Arc<Session>,
    /// A statement was sent and its answer is not read to the end.
    busy: bool,
}

impl Connection {
    pub(crate) async fn open(options: &ServerOptions, timeout: Duration) -> Result<Self> {
        let session = Arc::new(Session::open(options, timeout).await?);
        Ok(Self { session, busy: false })
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
        self.busy = true;
    }

    pub(crate) async fn run(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        self.busy = true;
        let result = match Control::of(call.sql) {
            Control::None => self.session.run(call, sink).await,
            _ => self.session.control_by_hand(call.sql).await,
        };
        self.busy = false;
        result
    }

    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        self.busy = true;
        let result = self.session.control(sql).await;
        self.busy = false;
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
        self.session.in_transaction()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.session.is_alive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Closing the socket does not stop a statement.
        if self.busy && self.is_alive() {
            self.session.cancel();
        }
    }
}
