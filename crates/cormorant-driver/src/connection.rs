//! One connection, whatever the backend, and the state it is in.

#[cfg(feature = "postgres")]
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "postgres")]
use std::time::Instant;

use cormorant_sql::{Compiled, Dialect, Output, Parameter, Value};

use crate::watch::Watch;
use crate::{Backend, Error, ErrorKind, Options, Result, Row};

/// A statement and its values.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The text.
    pub sql: &'a str,
    /// The values.
    pub values: &'a [Value<'a>],
    /// What the server is told about each value.
    pub parameters: &'a [Parameter],
    /// Which value each placeholder takes, where the dialect's placeholders have no numbers.
    pub order: Option<&'a [u16]>,
    /// The columns that come back, where they are known.
    pub outputs: &'a [Output],
    /// Whether rows change.
    pub writes: bool,
    /// Whether the prepared statement is kept: its text will come again.
    pub keep: bool,
    /// Whether it changes the session: the connection is not used again afterwards.
    pub session: bool,
    /// Whether it can be run once more when its connection is lost: a read that calls nothing that writes.
    pub repeats: bool,
    /// Whether there is at most one row, so that nobody need look for another.
    pub single: bool,
    /// What is asked before an INSERT of several rows whose generated keys follow each other: on SQLite the highest
    /// key, on MariaDB whether they do. [`Done::key`] is the first of them then. Where it is not certain, nothing is
    /// inserted and it is `None`.
    pub key_query: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A rendered statement.
    pub fn new(compiled: &'a Compiled, values: &'a [Value<'a>]) -> Self {
        Self {
            sql: &compiled.sql,
            values,
            parameters: &compiled.parameters,
            order: compiled.order.as_deref(),
            outputs: &compiled.outputs,
            writes: compiled.writes,
            keep: true,
            session: false,
            repeats: !compiled.writes,
            single: false,
            key_query: compiled.key_query.as_deref(),
        }
    }

    /// SQL text of the library's own, without values, that may change anything.
    pub fn text(sql: &'a str) -> Self {
        Self {
            sql,
            values: &[],
            parameters: &[],
            order: None,
            outputs: &[],
            writes: true,
            keep: false,
            session: false,
            repeats: false,
            single: false,
            key_query: None,
        }
    }
}

/// What rows are handed to, one by one.
pub type Sink<'a> = &'a mut (dyn FnMut(&mut Row<'_>) -> Result<()> + Send);

/// One of several statements that run one after the other.
pub struct Part<'a> {
    /// The statement.
    pub call: Call<'a>,
    /// What its rows are handed to.
    pub sink: Sink<'a>,
    /// What it did; `None` where it has not run, or failed.
    pub done: Option<Done>,
}

/// The first of several statements that failed: none behind it did anything that stays.
#[derive(Debug)]
pub struct Failed {
    /// Its place among them.
    pub at: usize,
    /// What was wrong.
    pub error: Error,
}

/// What is wrong before any of them ran.
impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { at: 0, error }
    }
}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows written: those found, whether or not a value changed.
    pub rows: u64,
    /// The integer key the database generated for one row, or for the first of several, on backends that tell it.
    pub key: Option<i64>,
}

/// A statement that was sent. Holds no values.
#[derive(Clone, Copy, Debug)]
pub struct StatementEvent<'a> {
    /// The text.
    pub sql: &'a str,
    /// Whether it controls a transaction rather than reading or writing rows.
    pub control: bool,
    /// How long it took, until its last row was read.
    pub elapsed: Duration,
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    /// How far it is kept apart from others; the server's own default where `None`.
    pub isolation: Option<Isolation>,
    /// Whether it only reads.
    pub read_only: bool,
}

/// How far a transaction is kept apart from others. SQLite's are always serializable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// Each statement sees what was committed before the first.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

impl Isolation {
    #[cfg_attr(not(any(feature = "postgres", feature = "mysql")), allow(dead_code, reason = "SQLite has one"))]
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}

/// Where a connection stands. Only `Idle` may go back to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// In a transaction, so many scopes deep. Raised *before* BEGIN is sent.
    InTransaction(u32),
    /// A statement was sent and its answer is not read to the end. Whoever dropped the future left it so.
    Busy,
    /// The connection was lost.
    Broken,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    inner: Inner,
    state: State,
    /// Session state may have been changed by hand: the connection is not used again.
    dirty: bool,
    watch: Watch,
}

#[derive(Debug)]
enum Inner {
    #[cfg(feature = "sqlite")]
    Sqlite(Box<crate::sqlite::Connection>),
    #[cfg(feature = "postgres")]
    Postgres(Box<crate::postgres::Connection>),
    #[cfg(feature = "mysql")]
    MySql(Box<crate::mysql::Connection>),
    /// A build without any driver.
    #[allow(dead_code, reason = "keeps the type usable when no driver is built in")]
    None,
}

/// Calls the backend's own connection.
macro_rules! by_backend {
    ($self:expr, $connection:ident => $call:expr) => {
        match &mut $self.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite($connection) => $call,
            #[cfg(feature = "postgres")]
            Inner::Postgres($connection) => $call,
            #[cfg(feature = "mysql")]
            Inner::MySql($connection) => $call,
            Inner::None => Err(no_driver("the backend")),
        }
    };
}

fn no_driver(backend: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "this build has no driver for {backend}: add the feature `sqlite`, `postgres` or `mysql` of `cormorant`"
        ),
    )
}

impl Connection {
    pub(crate) async fn open(options: &Options) -> Result<Self> {
        let inner = match &options.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(sqlite) => Inner::Sqlite(Box::new(crate::sqlite::Connection::open(sqlite).await?)),
            #[cfg(feature = "postgres")]
            Backend::Postgres(server) => {
                Inner::Postgres(Box::new(crate::postgres::Connection::open(server, options.connect_timeout).await?))
            }
            #[cfg(feature = "mysql")]
            Backend::MySql(server) => {
                Inner::MySql(Box::new(crate::mysql::Connection::open(server, options.connect_timeout).await?))
            }
            #[allow(unreachable_patterns, reason = "reached when a driver is not built in")]
            Backend::Sqlite(_) => return Err(no_driver("SQLite")),
            #[allow(unreachable_patterns, reason = "reached when a driver is not built in")]
            Backend::Postgres(_) => return Err(no_driver("PostgreSQL")),
            #[allow(unreachable_patterns, reason = "reached when a driver is not built in")]
            Backend::MySql(_) => return Err(no_driver("MySQL and MariaDB")),
        };
        Ok(Self { inner, state: State::Idle, dirty: false, watch: Watch::new(options) })
    }

    /// The dialect it speaks.
    pub fn dialect(&self) -> Dialect {
        match &self.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Inner::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "mysql")]
            Inner::MySql(connection) => connection.dialect(),
            Inner::None => Dialect::Sqlite,
        }
    }

    /// How many values one statement may bind.
    pub fn max_parameters(&self) -> usize {
        match &self.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(connection) => connection.max_parameters(),
            _ => u16::MAX as usize,
        }
    }

    /// Runs a statement and hands its rows to `sink`.
    ///
    /// # Errors
    /// Whatever the database says, classified; and what `sink` says.
    #[inline]
    pub async fn run(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        refuse_unstorable(call.values)?;
        let before = self.enter()?;
        self.dirty |= call.session;
        let started = self.watch.started();
        let result = by_backend!(self, connection => connection.run(call, sink).await);
        #[cfg(feature = "postgres")]
        self.report_begin(started);
        // What had to be asked may say that nothing is to be inserted this way.
        if call.key_query.is_none() || !matches!(result, Ok(Done { key: None, .. })) {
            self.watch.report(started, call.sql, false);
        }
        self.leave(before, result)
    }

    /// Runs statements of a transaction in their order. Where the server takes one before the last is answered, all of
    /// them are sent together.
    ///
    /// # Errors
    /// The first one's that fails, and its place among them. The transaction is to be rolled back then: those behind it
    /// may have been sent.
    pub async fn run_all(&mut self, parts: &mut [Part<'_>]) -> Result<(), Failed> {
        #[cfg(feature = "postgres")]
        if let Inner::Postgres(_) = self.inner {
            return self.send_all(parts).await;
        }
        for (at, part) in parts.iter_mut().enumerate() {
            part.done = Some(self.run(&part.call, part.sink).await.map_err(|error| Failed { at, error })?);
        }
        Ok(())
    }

    #[cfg(feature = "postgres")]
    async fn send_all(&mut self, parts: &mut [Part<'_>]) -> Result<(), Failed> {
        for (at, part) in parts.iter().enumerate() {
            refuse_unstorable(part.call.values).map_err(|error| Failed { at, error })?;
        }
        let before = self.enter()?;
        let started = self.watch.started();
        let mut answers = Vec::new();
        let result = match &mut self.inner {
            Inner::Postgres(connection) => connection.run_all(parts, &mut answers).await,
            #[allow(unreachable_patterns, reason = "reached when another driver is built in")]
            _ => Ok(()),
        };
        self.report_begin(started);
        match &result {
            // None of them was sent: this one could not be prepared.
            Err(Failed { at, .. }) if answers.is_empty() => {
                parts.get(*at).into_iter().for_each(|part| self.watch.report(started, part.call.sql, false));
            }
            // The server turns to each when it has answered the one before.
            _ => {
                let since = started.into_iter().chain(answers.iter().copied());
                for ((part, since), answered) in parts.iter().zip(since).zip(&answers) {
                    self.watch.report_after(answered.saturating_duration_since(since), part.call.sql, false);
                }
            }
        }
        let at = result.as_ref().map_or_else(|failed| failed.at, |()| 0);
        self.leave(before, result.map_err(|failed| failed.error)).map_err(|error| Failed { at, error })
    }

    /// BEGIN may have waited for the first statement, which has just been sent.
    #[cfg(feature = "postgres")]
    fn report_begin(&mut self, started: Option<Instant>) {
        if let Inner::Postgres(connection) = &mut self.inner
            && let Some((begin, answered)) = connection.begun()
            && let Some(started) = started
        {
            self.watch.report_after(answered.saturating_duration_since(started), &begin, true);
        }
    }

    /// Runs a statement at once, where that keeps nobody waiting: on SQLite, on the calling thread. What it did is
    /// written to `done`. `None` where it has to be waited for; nothing was done then, and [`run`](Self::run) does it.
    #[inline]
    #[cfg_attr(not(feature = "sqlite"), allow(unused_variables, reason = "a server has to be waited for"))]
    pub fn run_now(&mut self, call: &Call<'_>, sink: Sink<'_>, done: &mut Done) -> Option<Result<()>> {
        #[cfg(feature = "sqlite")]
        let started = self.watch.started();
        #[cfg(feature = "sqlite")]
        if matches!(self.state, State::Idle | State::InTransaction(_))
            && let Inner::Sqlite(connection) = &mut self.inner
        {
            if let Err(error) = refuse_unstorable(call.values) {
                return Some(Err(error));
            }
            self.dirty |= call.session;
            let result = connection.run_now(call, sink, done)?;
            self.watch.report(started, call.sql, false);
            return Some(result);
        }
        None
    }

    /// Runs SQL text of the library's own: transaction control, settings.
    async fn control(&mut self, sql: &str, after: State) -> Result<()> {
        self.enter()?;
        let started = self.watch.started();
        let result = by_backend!(self, connection => connection.control(sql).await);
        #[cfg(feature = "postgres")]
        self.report_begin(started);
        self.watch.report(started, sql, true);
        self.leave(after, result)
    }

    /// Marks the connection as busy: until the answer is read, dropping the future leaves it so.
    fn enter(&mut self) -> Result<State> {
        match self.state {
            State::Busy => {
                self.state = State::Broken;
                Err(lost("a statement on this connection was cancelled before its answer was read"))
            }
            State::Broken => Err(lost("the connection was lost")),
            before => {
                self.state = State::Busy;
                Ok(before)
            }
        }
    }

    fn leave<T>(&mut self, state: State, result: Result<T>) -> Result<T> {
        self.state = match &result {
            Err(error) if error.is_connection_lost() => State::Broken,
            _ => state,
        };
        result
    }

    /// Begins a transaction. On PostgreSQL BEGIN goes with its first statement: nobody waits for the answer.
    ///
    /// # Errors
    /// Whatever the database says; [`ErrorKind::Misuse`] inside a transaction.
    pub async fn begin(&mut self, begin: Begin) -> Result<()> {
        if self.state != State::Idle {
            return Err(Error::new(ErrorKind::Misuse, "a transaction is open already: a nested one is a savepoint"));
        }
        let statements: Vec<String> = by_backend!(self, connection => Ok(connection.begin(begin)))?;
        // The depth rises before BEGIN is sent: cancelled now, the connection is not taken for an idle one.
        for sql in statements {
            if let Err(error) = self.control(&sql, State::InTransaction(0)).await {
                // BEGIN itself was refused: there is nothing to roll back.
                if self.state == State::InTransaction(0) {
                    self.state = State::Idle;
                }
                return Err(error);
            }
        }
        self.state = State::InTransaction(0);
        Ok(())
    }

    /// Commits.
    ///
    /// # Errors
    /// [`ErrorKind::CommitUnknown`] when COMMIT was sent and no answer came, [`ErrorKind::ConnectionLost`] when it was
    /// not sent; whatever the database says otherwise, and then the transaction is rolled back.
    pub async fn commit(&mut self) -> Result<()> {
        if matches!(self.state, State::Busy | State::Broken) || !self.is_alive() {
            self.state = State::Broken;
            return Err(lost("the connection was lost before COMMIT was sent, and the transaction was rolled back"));
        }
        match self.control("COMMIT", State::Idle).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_connection_lost() => Err(Error::new(
                ErrorKind::CommitUnknown,
                "the connection was lost after COMMIT was sent: the transaction may have been committed or not; look before doing it again",
            )),
            Err(error) => {
                // SQLite keeps the transaction open when COMMIT is refused.
                self.state = State::InTransaction(0);
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }

    /// Rolls back.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn rollback(&mut self) -> Result<()> {
        #[cfg(feature = "postgres")]
        self.forget_begin();
        match by_backend!(self, connection => Ok(connection.in_transaction())) {
            // The database has rolled back by itself: there is nothing left to say.
            Ok(false) => {
                self.state = State::Idle;
                Ok(())
            }
            _ => self.control("ROLLBACK", State::Idle).await,
        }
    }

    /// Opens a scope inside the transaction. Savepoints have counted names; no other name can reach this.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn savepoint(&mut self) -> Result<u32> {
        let State::InTransaction(depth) = self.state else {
            return Err(Error::new(ErrorKind::Misuse, "a savepoint needs a transaction"));
        };
        self.control(&format!("SAVEPOINT sp_{}", depth + 1), State::InTransaction(depth + 1)).await?;
        Ok(depth + 1)
    }

    /// Closes a scope and keeps what it did.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn release(&mut self, scope: u32) -> Result<()> {
        self.control(&format!("RELEASE SAVEPOINT sp_{scope}"), State::InTransaction(scope.saturating_sub(1))).await
    }

    /// Closes a scope and takes back what it did.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn rollback_to(&mut self, scope: u32) -> Result<()> {
        self.control(&format!("ROLLBACK TO SAVEPOINT sp_{scope}"), State::InTransaction(scope)).await?;
        self.release(scope).await
    }

    /// Rolls back without waiting, where the backend can: for dropping a transaction.
    pub fn rollback_now(&mut self) {
        #[cfg(feature = "sqlite")]
        let started = self.watch.started();
        #[cfg(feature = "sqlite")]
        if let Inner::Sqlite(connection) = &mut self.inner {
            if connection.rollback_now() {
                self.state = State::Idle;
            }
            self.watch.report(started, "ROLLBACK", true);
        }
        #[cfg(feature = "postgres")]
        self.forget_begin();
    }

    /// A transaction of which nothing was sent is over at once.
    #[cfg(feature = "postgres")]
    fn forget_begin(&mut self) {
        if let Inner::Postgres(connection) = &mut self.inner
            && matches!(self.state, State::InTransaction(_))
            && connection.forget_begin()
        {
            self.state = State::Idle;
        }
    }

    /// What queries can use side by side, where the backend lets them, and who watches them.
    #[cfg(feature = "postgres")]
    pub(crate) fn shared(&self) -> Option<(Arc<crate::postgres::Session>, Watch)> {
        match &self.inner {
            Inner::Postgres(connection) => Some((connection.session(), self.watch.clone())),
            #[allow(unreachable_patterns, reason = "reached when another driver is built in")]
            _ => None,
        }
    }

    /// Notes that an answer was not read to its end: the connection is stopped and closed.
    #[cfg(feature = "postgres")]
    pub(crate) fn abandon(&mut self) {
        self.state = State::Busy;
        if let Inner::Postgres(connection) = &mut self.inner {
            connection.abandon();
        }
    }

    /// Whether the connection can be used by someone else: nothing open, nothing half read, nothing left behind.
    pub(crate) fn is_clean(&mut self) -> bool {
        #[cfg(feature = "sqlite")]
        if let Inner::Sqlite(connection) = &mut self.inner {
            // Statements run to their end in one piece, or are stopped, so nothing is ever half read; and a database in
            // memory lives and dies with its connection.
            let clean = connection.rollback_now() && (!self.dirty || connection.is_in_memory());
            self.state = State::Idle;
            return clean;
        }
        let idle = self.state == State::Idle && !self.dirty;
        let open = by_backend!(self, connection => Ok(connection.in_transaction()));
        idle && matches!(open, Ok(false)) && self.is_alive()
    }

    /// Whether the other end, as far as is known here, has not hung up.
    pub(crate) fn is_alive(&self) -> bool {
        match &self.inner {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(connection) => connection.is_alive(),
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.is_alive(),
            #[cfg(feature = "mysql")]
            Inner::MySql(connection) => connection.is_alive(),
            Inner::None => false,
        }
    }

    /// Whether the connection is of use where the caller runs.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(clippy::unused_self, reason = "SQLite runs anywhere")
    )]
    pub(crate) fn is_at_home(&self) -> bool {
        match &self.inner {
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => connection.home().is_here(),
            #[cfg(feature = "mysql")]
            Inner::MySql(connection) => connection.home().is_here(),
            _ => true,
        }
    }
}

/// A value that no column can hold is refused before anything is sent.
#[inline]
pub(crate) fn refuse_unstorable(values: &[Value<'_>]) -> Result<()> {
    for (n, value) in values.iter().enumerate() {
        let why = match value {
            Value::Unstorable(why) => Some(why),
            Value::List(values) => values.iter().find_map(|value| match value {
                Value::Unstorable(why) => Some(why),
                _ => None,
            }),
            _ => None,
        };
        if let Some(why) = why {
            return Err(Error::new(ErrorKind::Encode, why.as_ref()).with_parameter(n));
        }
    }
    Ok(())
}

fn lost(why: &str) -> Error {
    Error::new(ErrorKind::ConnectionLost, format!("{why}: run it again on another connection"))
}
