//! Connections for hire.

use std::sync::{Arc, Mutex, PoisonError};

use cormorant_sql::{Dialect, Shapes};

use crate::gate::{Gate, Pass, TimedOut};
use crate::options::SqliteOptions;
use crate::{Backend, Connection, Error, ErrorKind, Options, Result};

/// Connections to one database, and the texts of the statements it was asked.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: Options,
    dialect: Dialect,
    max_parameters: usize,
    shapes: Shapes,
    connections: Arc<Gate>,
    /// SQLite lets one connection write at a time: others wait here instead of being refused.
    writers: Option<Arc<Gate>>,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    /// Connects: makes the first connection, so that a wrong address or password shows at once.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`] when no connection can be made, [`ErrorKind::Unsupported`] when this build has
    /// no driver for the backend.
    pub async fn connect(options: Options) -> Result<Self> {
        let first = Connection::open(&options).await?;
        let several_write = options.max_connections > 1 && matches!(options.backend, Backend::Sqlite(_));
        Ok(Self(Arc::new(Shared {
            dialect: first.dialect(),
            max_parameters: first.max_parameters(),
            shapes: Shapes::new(first.dialect()),
            connections: Gate::new(options.max_connections),
            writers: several_write.then(|| Gate::new(1)),
            idle: Mutex::new(vec![first]),
            options,
        })))
    }

    /// The dialect it speaks.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// How many values one statement may bind.
    pub fn max_parameters(&self) -> usize {
        self.0.max_parameters
    }

    /// How long to wait for what someone else holds.
    pub fn acquire_timeout(&self) -> std::time::Duration {
        self.0.options.acquire_timeout
    }

    /// The statements it was asked, rendered.
    pub fn shapes(&self) -> &Shapes {
        &self.0.shapes
    }

    /// Hires a connection. `what` says for what, in the errors of others who wait.
    ///
    /// # Errors
    /// [`ErrorKind::PoolTimeout`], naming who has the connections, when none is free in time;
    /// [`ErrorKind::ConnectionLost`] when a new one cannot be made.
    #[inline]
    pub async fn acquire(&self, what: &'static str) -> Result<Lease> {
        let shared = &self.0;
        let pass = match shared.connections.try_pass(what) {
            Some(pass) => pass,
            None => {
                let timeout = shared.options.acquire_timeout;
                shared.connections.pass(what, timeout).await.map_err(|late| shared.no_connection(&late))?
            }
        };
        let connection = match shared.take_idle() {
            Some(connection) => connection,
            None => Connection::open(&shared.options).await?,
        };
        Ok(Lease { connection: Some(connection), writing: None, _pass: pass, shared: Arc::clone(shared) })
    }

    /// Closes the connections that are idle.
    pub fn close_idle(&self) {
        let idle = std::mem::take(&mut *self.0.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }
}

impl Shared {
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut closed = Vec::new();
        // The last one in is the warmest. One of another runtime makes room for one of this.
        let found = loop {
            let Some(at) = idle.iter().rposition(Connection::is_at_home) else {
                closed.extend(idle.pop());
                break None;
            };
            let connection = idle.swap_remove(at);
            // One that the server is known to have hung up on is of no use; that costs no question to the server.
            if connection.is_alive() {
                break Some(connection);
            }
            closed.push(connection);
        };
        drop(idle);
        drop(closed);
        found
    }

    fn put_back(&self, mut connection: Connection) {
        if connection.is_clean() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    fn no_connection(&self, late: &TimedOut) -> Error {
        let most = self.options.max_connections;
        let hint = match &self.options.backend {
            Backend::Sqlite(SqliteOptions { path: None, .. }) => {
                "a database in memory has one connection: inside a transaction, use `tx` and not the database"
            }
            _ => "end what holds them, use `tx` inside a transaction, or raise max_connections",
        };
        Error::new(
            ErrorKind::PoolTimeout,
            format!(
                "no connection became free in {:.1} s, all {most} are held: {late}; {hint}",
                late.waited.as_secs_f64()
            ),
        )
    }
}

/// A hired connection. Dropped, it goes back to the pool if it is clean, and is closed otherwise.
#[derive(Debug)]
pub struct Lease {
    /// `None` only while being dropped.
    connection: Option<Connection>,
    /// SQLite's right to write, kept until the transaction ends.
    writing: Option<Pass>,
    shared: Arc<Shared>,
    /// Behind `connection` in order, so that a place becomes free after its connection is back.
    _pass: Pass,
}

impl Lease {
    /// The connection.
    ///
    /// # Errors
    /// Never in practice: the connection is there until the lease is dropped.
    #[inline]
    pub fn connection(&mut self) -> Result<&mut Connection> {
        self.connection.as_mut().ok_or_else(|| Error::new(ErrorKind::Misuse, "the connection was given back"))
    }

    /// Waits for the right to write, where only one connection may: before a statement that writes, and before a
    /// transaction that will.
    ///
    /// # Errors
    /// [`ErrorKind::LockTimeout`], naming who writes.
    #[inline]
    pub async fn claim_writing(&mut self, what: &'static str) -> Result<()> {
        let Some(writers) = self.shared.writers.as_ref().filter(|_| self.writing.is_none()) else { return Ok(()) };
        let timeout = self.shared.options.acquire_timeout;
        let pass = writers.pass(what, timeout).await.map_err(|late| {
            Error::new(
                ErrorKind::LockTimeout,
                format!(
                    "SQLite's one right to write did not become free in {:.1} s: {late}; inside a transaction, write through `tx`",
                    late.waited.as_secs_f64()
                ),
            )
        })?;
        self.writing = Some(pass);
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.shared.put_back(connection);
        }
    }
}
