//! SQLite, through rusqlite. Statements run on the calling thread and are ready at the first poll.

pub(crate) mod cell;
mod functions;
mod open;
mod values;

use std::time::{Duration, Instant};

use futures_timer::Delay;
use rusqlite::limits::Limit;

use crate::options::SqliteOptions;
use crate::row::Cells;
use crate::{Begin, Call, Conflict, Done, Error, ErrorKind, Result, Row, Sink};

/// A connection to a SQLite database.
#[derive(Debug)]
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    busy_timeout: Duration,
    max_parameters: usize,
    in_memory: bool,
    /// Whether the transaction that is open, if one is, only reads.
    read_only: bool,
}

impl Connection {
    pub(crate) fn open(options: &SqliteOptions) -> Result<Self> {
        let raw = open::open(options)?;
        let max_parameters = raw.limit(Limit::SQLITE_LIMIT_VARIABLE_NUMBER).map_or(999, |limit| limit.max(1) as usize);
        Ok(Self {
            raw,
            busy_timeout: options.busy_timeout,
            max_parameters,
            in_memory: options.path.is_none(),
            read_only: false,
        })
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    pub(crate) fn max_parameters(&self) -> usize {
        self.max_parameters
    }

    /// Runs a statement. Another process that writes is waited for; nothing else is.
    #[inline]
    pub(crate) async fn run(&mut self, call: Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let mut given = false;
        match self.run_once(call, sink, &mut given) {
            Err(error) if !given && self.worth_waiting(&error) => self.run_again(call, sink, error).await,
            result => result,
        }
    }

    #[cold]
    async fn run_again(&mut self, call: Call<'_>, sink: Sink<'_>, refused: Error) -> Result<Done> {
        let mut backoff = Backoff::new(self.busy_timeout);
        let mut refused = refused;
        // Once a row was given away, running the statement again would give it twice.
        let mut given = false;
        while backoff.sleep().await {
            match self.run_once(call, sink, &mut given) {
                Err(error) if !given && self.worth_waiting(&error) => refused = error,
                result => return result,
            }
        }
        Err(refused)
    }

    /// Transaction control: BEGIN waits for another process as a statement does.
    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        let mut backoff = Backoff::new(self.busy_timeout);
        loop {
            match self.raw.prepare_cached(sql).and_then(|mut statement| statement.raw_execute()) {
                Ok(_) => return Ok(()),
                Err(error) => {
                    let error = classify(&error);
                    // A COMMIT that was refused can be tried again: the transaction is still open.
                    let wait = self.worth_waiting(&error) || sql == "COMMIT" && is_busy(&error);
                    if !wait || !backoff.sleep().await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The words that begin a transaction. One that may write takes the lock at once: a reader that turns into a
    /// writer would be refused, and waiting would not help it.
    pub(crate) fn begin(&mut self, begin: Begin) -> Vec<String> {
        self.read_only = begin.read_only;
        vec![if begin.read_only { "BEGIN".to_owned() } else { "BEGIN IMMEDIATE".to_owned() }]
    }

    pub(crate) fn in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }

    /// True when no transaction is open any more.
    pub(crate) fn rollback_now(&mut self) -> bool {
        if self.in_transaction() {
            let _ = self.raw.execute_batch("ROLLBACK");
        }
        self.raw.is_autocommit()
    }

    fn run_once(&mut self, call: Call<'_>, sink: Sink<'_>, given: &mut bool) -> Result<Done> {
        let mut statement = self.raw.prepare_cached(call.sql).map_err(|error| classify(&error))?;
        if self.read_only && !statement.readonly() && !self.raw.is_autocommit() {
            return Err(Error::new(
                ErrorKind::ReadOnly,
                "the transaction was begun to read only: begin one that writes, or write outside of it",
            ));
        }
        values::bind(&mut statement, call.values)?;
        let writes = call.writes || !statement.readonly();
        let mut rows = statement.raw_query();
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    *given = true;
                    sink(&mut Row::new(Cells::Sqlite(row), call.outputs))?;
                }
                Ok(None) => break,
                Err(error) => return Err(classify(&error)),
            }
        }
        drop(rows);
        if call.keep {
            drop(statement);
        } else {
            statement.discard();
        }
        if !writes {
            return Ok(Done::default());
        }
        Ok(Done { rows: self.raw.changes(), key: Some(self.raw.last_insert_rowid()) })
    }

    /// Another process holds the lock and this statement holds none: trying again can succeed. Inside a transaction
    /// it cannot, as the other may be waiting for us.
    fn worth_waiting(&self, error: &Error) -> bool {
        is_busy(error) && self.raw.is_autocommit()
    }
}

fn is_busy(error: &Error) -> bool {
    error.kind() == ErrorKind::Retryable(Conflict::Busy)
}

/// Longer and longer sleeps, until the time is up.
struct Backoff {
    until: Instant,
    next: Duration,
}

impl Backoff {
    fn new(timeout: Duration) -> Self {
        Self { until: Instant::now() + timeout, next: Duration::from_millis(1) }
    }

    /// Sleeps; false when the time is up.
    async fn sleep(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        Delay::new(self.next.min(left)).await;
        self.next = (self.next * 2).min(Duration::from_millis(50));
        true
    }
}

/// Gives an error its kind. SQLite's messages name tables and columns, never values.
fn classify(error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode as Code;
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (Some(*code), message.clone()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (Some(*error), Some(msg.clone())),
        rusqlite::Error::Utf8Error(..) => (None, Some("text in the database is not UTF-8".to_owned())),
        other => (None, Some(other.to_string())),
    };
    let message = message.unwrap_or_else(|| error.to_string());
    let Some(code) = code else { return Error::new(ErrorKind::Database, message) };
    let kind = match code.code {
        Code::ConstraintViolation => return constraint(code.extended_code, &message),
        Code::DatabaseBusy | Code::DatabaseLocked => ErrorKind::Retryable(Conflict::Busy),
        Code::ReadOnly => ErrorKind::ReadOnly,
        Code::DiskFull => ErrorKind::DiskFull,
        Code::DatabaseCorrupt | Code::NotADatabase => ErrorKind::Corrupt,
        Code::TooBig | Code::ParameterOutOfRange => ErrorKind::LimitExceeded,
        Code::OperationInterrupted => ErrorKind::StatementTimeout,
        _ if message.contains("no such table") || message.contains("no such column") => ErrorKind::SchemaMismatch,
        _ if message.contains("has no column named") => ErrorKind::SchemaMismatch,
        _ if message.contains("integer overflow") => ErrorKind::OutOfRange,
        _ if message.contains("too many") => ErrorKind::LimitExceeded,
        _ => ErrorKind::Database,
    };
    Error::new(kind, message).with_code(code.extended_code.to_string())
}

/// `UNIQUE constraint failed: users.email`, `CHECK constraint failed: ck_users_age`.
fn constraint(code: i32, message: &str) -> Error {
    use rusqlite::ffi;
    let names = message.split_once(": ").map_or("", |(_, names)| names);
    let columns =
        || names.split(", ").filter_map(|name| name.rsplit_once('.').map(|(_, column)| column.to_owned())).collect();
    let error = match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Error::new(ErrorKind::Unique, "the value is there already").with_columns(columns())
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => Error::new(ErrorKind::NotNull, "NULL is not allowed").with_columns(columns()),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER => {
            Error::new(ErrorKind::ForeignKey, "the row it points at is missing, or the row is still pointed at")
        }
        ffi::SQLITE_CONSTRAINT_CHECK => {
            Error::new(ErrorKind::Check, "the row does not meet the condition").with_constraint(names)
        }
        _ => Error::new(ErrorKind::Database, message),
    };
    error.with_code(code.to_string())
}
