//! Connections for hire.

use std::sync::Arc;
use std::time::Duration;

use cormorant_sql::{Dialect, Recent, Shapes, Statement, Value};

use crate::gate::{Gate, Pass, TimedOut};
#[cfg(feature = "postgres")]
use crate::lane::{Lane, Lanes};
use crate::options::SqliteOptions;
use crate::{Backend, Call, Connection, Done, Error, ErrorKind, Options, Result, Sink};

/// Connections to one database, and the texts of the statements it was asked.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: Options,
    dialect: Dialect,
    max_parameters: usize,
    /// Whether statements run on the calling thread: SQLite's, unless they were moved away.
    runs_inline: bool,
    shapes: Shapes,
    /// As many places as there may be connections, each with a connection once it was made.
    places: Arc<Gate<Option<Box<Seat>>>>,
    /// SQLite lets one connection write at a time: others wait here instead of being refused.
    writers: Option<Arc<Gate>>,
    #[cfg(feature = "postgres")]
    lanes: Lanes,
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
        let (dialect, max_parameters) = (first.dialect(), first.max_parameters());
        let mut places: Vec<Option<Box<Seat>>> = (1..options.max_connections).map(|_| None).collect();
        places.push(Some(Seat::of(first)));
        Ok(Self(Arc::new(Shared {
            dialect,
            max_parameters,
            runs_inline: matches!(&options.backend, Backend::Sqlite(sqlite) if !sqlite.own_thread),
            shapes: Shapes::new(dialect),
            places: Gate::new(places),
            writers: several_write.then(Gate::single),
            #[cfg(feature = "postgres")]
            lanes: Lanes::default(),
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

    /// Whether statements run on the calling thread, and may be asked to [at once](Self::run_now).
    #[inline]
    pub fn runs_inline(&self) -> bool {
        self.0.runs_inline
    }

    /// How long to wait for what someone else holds.
    pub fn acquire_timeout(&self) -> Duration {
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
        let pass = match shared.places.try_choose(what, best) {
            Some(pass) => pass,
            None => {
                let timeout = shared.options.acquire_timeout;
                shared.places.pass(what, timeout).await.map_err(|late| shared.no_connection(&late))?
            }
        };
        shared.usable(pass).await
    }

    /// Runs a statement by itself, on whichever connection is free.
    ///
    /// # Errors
    /// Those of [`acquire`](Self::acquire), [`Lease::claim_writing`] and [`Connection::run`].
    pub async fn run(&self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        #[cfg(feature = "postgres")]
        if call.single && call.repeats && self.0.dialect == Dialect::Postgres {
            return self.run_beside(call, sink).await;
        }
        self.run_alone(call, sink).await
    }

    async fn run_alone(&self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let mut lease = self.acquire(STATEMENT).await?;
        if call.writes {
            lease.claim_writing(self, STATEMENT, self.acquire_timeout()).await?;
        }
        lease.connection()?.run(call, sink).await
    }

    /// Runs a query of at most one row, beside others where no connection is free.
    #[cfg(feature = "postgres")]
    async fn run_beside(&self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let shared = &self.0;
        let lane = match shared.places.try_choose(STATEMENT, best) {
            Some(pass) => shared.lane(shared.usable(pass).await?)?,
            // Whoever waits for a connection of its own gets it first.
            None => match (!shared.places.is_awaited()).then(|| shared.lanes.join()).flatten() {
                Some(lane) => lane,
                None => shared.lane(self.acquire(STATEMENT).await?)?,
            },
        };
        let result = lane.run(call, sink).await;
        let stopped = |error: &Error| error.kind() == ErrorKind::StatementTimeout;
        if lane.is_abandoned() && result.as_ref().is_err_and(stopped) {
            // Meant was one that somebody gave up. This one has given nothing yet.
            drop(lane);
            return Box::pin(self.run_alone(call, sink)).await;
        }
        result
    }

    /// Runs a statement at once, where that keeps nobody waiting: see [`Connection::run_now`].
    #[inline]
    pub fn run_now(&self, request: Request<'_>, sink: Sink<'_>, done: &mut Done) -> Option<Result<()>> {
        let shared = &self.0;
        if !shared.runs_inline {
            return None;
        }
        let mut pass = shared.places.try_borrow(best)?;
        let place = pass.place()?;
        let _writing = match &shared.writers {
            Some(writers) if request.writes() => Some(writers.try_borrow(|places| places.len().checked_sub(1))?),
            _ => None,
        };
        let result = place.as_mut()?.run_now(&shared.shapes, request, sink, done);
        // A statement that was built leaves nothing behind, unless it failed halfway.
        if !matches!((&request, &result), (Request::Statement { .. }, None | Some(Ok(_)))) {
            close_unless_clean(place);
        }
        result
    }

    /// Closes the connections that are idle.
    pub fn close_idle(&self) {
        let mut closed = Vec::new();
        self.0.places.change_free(|place| closed.extend(place.take()));
        // Outside of the gate's lock: closing may take a while.
        drop(closed);
    }
}

/// A connection in its place, with what it ran last. Boxed: it moves out of the gate and back with every statement.
#[derive(Debug)]
struct Seat {
    connection: Connection,
    recent: Recent,
}

impl Seat {
    fn of(connection: Connection) -> Box<Self> {
        Box::new(Self { connection, recent: Recent::default() })
    }

    #[inline]
    fn run_now(
        &mut self,
        shapes: &Shapes,
        request: Request<'_>,
        sink: Sink<'_>,
        done: &mut Done,
    ) -> Option<Result<()>> {
        let built;
        let call = match request {
            Request::Call(call) => call,
            Request::Statement { statement, values, single } => match self.recent.get(shapes, statement) {
                Ok(compiled) => {
                    built = Call { single, ..Call::new(compiled, values) };
                    &built
                }
                Err(fault) => return Some(Err(Error::from_sql(fault))),
            },
        };
        self.connection.run_now(call, sink, done)
    }
}

/// What a connection is asked to run.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// A statement whose text is looked up, or rendered.
    Statement {
        /// The statement.
        statement: &'a Statement<'a>,
        /// Its values.
        values: &'a [Value<'a>],
        /// Whether there is at most one row, so that nobody need look for another.
        single: bool,
    },
    /// A text.
    Call(&'a Call<'a>),
}

impl Request<'_> {
    #[inline]
    fn writes(&self) -> bool {
        match self {
            Self::Statement { statement, .. } => statement.kind.writes(),
            Self::Call(call) => call.writes,
        }
    }
}

/// The place to take among those that are free: the last one put back is the warmest, an empty one makes room for a
/// connection of this runtime, and one of another runtime is closed where there is no other.
#[inline]
fn best(places: &[Option<Box<Seat>>]) -> Option<usize> {
    let at_home = places.iter().rposition(|place| place.as_ref().is_some_and(|seat| seat.connection.is_at_home()));
    at_home.or_else(|| places.iter().rposition(Option::is_none)).or(places.len().checked_sub(1))
}

/// Who holds a connection, in the errors of others who wait for it.
const STATEMENT: &str = "a statement";

impl Shared {
    #[inline]
    async fn usable(&self, pass: Pass<Option<Box<Seat>>>) -> Result<Lease> {
        let mut lease = Lease { writing: None, pass };
        if !lease.is_usable() {
            lease.open(&self.options).await?;
        }
        Ok(lease)
    }

    /// Opens a connection for more than one.
    #[cfg(feature = "postgres")]
    fn lane(&self, mut lease: Lease) -> Result<Arc<Lane>> {
        let Some((session, watch)) = lease.connection()?.shared() else {
            return Err(Error::new(ErrorKind::Misuse, "the connection cannot be shared"));
        };
        let lane = Arc::new(Lane::new(lease, session, watch));
        self.lanes.open(&lane);
        Ok(lane)
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
    /// SQLite's right to write, kept until the transaction ends.
    writing: Option<Pass>,
    pass: Pass<Option<Box<Seat>>>,
}

impl Lease {
    /// The connection.
    ///
    /// # Errors
    /// Never in practice: the connection is there until the lease is dropped.
    #[inline]
    pub fn connection(&mut self) -> Result<&mut Connection> {
        match self.pass.place() {
            Some(Some(seat)) => Ok(&mut seat.connection),
            _ => Err(Error::new(ErrorKind::Misuse, "the connection was given back")),
        }
    }

    /// Runs a statement at once, where that keeps nobody waiting: see [`Connection::run_now`].
    #[inline]
    pub fn run_now(
        &mut self,
        pool: &Pool,
        request: Request<'_>,
        sink: Sink<'_>,
        done: &mut Done,
    ) -> Option<Result<()>> {
        self.pass.place()?.as_mut()?.run_now(&pool.0.shapes, request, sink, done)
    }

    /// Whether there is a connection, of this runtime, and the server is not known to have hung up on it: that costs
    /// no question to the server.
    #[inline]
    fn is_usable(&mut self) -> bool {
        self.connection().is_ok_and(|connection| connection.is_at_home() && connection.is_alive())
    }

    #[cold]
    async fn open(&mut self, options: &Options) -> Result<()> {
        let Some(place) = self.pass.place() else { return Ok(()) };
        drop(place.take());
        *place = Some(Seat::of(Connection::open(options).await?));
        Ok(())
    }

    /// Waits for the right to write, where only one connection may: before a statement that writes, and before a
    /// transaction that will. `what` says for what, in the errors of others who wait.
    ///
    /// # Errors
    /// [`ErrorKind::LockTimeout`], naming who writes.
    #[inline]
    pub async fn claim_writing(&mut self, pool: &Pool, what: &'static str, patience: Duration) -> Result<()> {
        let Some(writers) = pool.0.writers.as_ref().filter(|_| self.writing.is_none()) else { return Ok(()) };
        let pass = writers.pass(what, patience).await.map_err(|late| {
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
        // The place goes back with `pass`, behind the right to write.
        if let Some(place) = self.pass.place() {
            close_unless_clean(place);
        }
    }
}

#[inline]
fn close_unless_clean(place: &mut Option<Box<Seat>>) {
    if place.as_mut().is_some_and(|seat| !seat.connection.is_clean()) {
        *place = None;
    }
}
