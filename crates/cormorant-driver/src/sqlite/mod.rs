//! SQLite, through rusqlite: on the calling thread, or on a thread of the connection's own.

pub(crate) mod cell;
mod functions;
mod inline;
mod open;
mod thread;
mod values;

use crate::options::SqliteOptions;
use crate::{Begin, Call, Conflict, Done, Error, ErrorKind, Result, Sink};

/// A transaction that only reads.
const BEGIN_TO_READ: &str = "BEGIN";

/// A transaction that may write takes the lock at once: a reader that turns into a writer would be refused, and
/// waiting would not help it.
const BEGIN_TO_WRITE: &str = "BEGIN IMMEDIATE";

/// A connection to a SQLite database.
#[derive(Debug)]
pub(crate) struct Connection {
    place: Place,
    max_parameters: usize,
    in_memory: bool,
}

/// Where its statements run.
#[derive(Debug)]
enum Place {
    Inline(inline::Connection),
    Thread(thread::Connection),
}

impl Connection {
    pub(crate) async fn open(options: &SqliteOptions) -> Result<Self> {
        let (place, max_parameters) = if options.own_thread {
            let (connection, max_parameters) = thread::Connection::open(options).await?;
            (Place::Thread(connection), max_parameters)
        } else {
            let connection = inline::Connection::open(options)?;
            let max_parameters = connection.max_parameters();
            (Place::Inline(connection), max_parameters)
        };
        Ok(Self { place, max_parameters, in_memory: options.path.is_none() })
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    pub(crate) fn max_parameters(&self) -> usize {
        self.max_parameters
    }

    pub(crate) fn is_alive(&self) -> bool {
        match &self.place {
            Place::Inline(_) => true,
            Place::Thread(connection) => connection.is_alive(),
        }
    }

    /// Runs a statement on the caller's thread, and writes what it did to `done`; `None` where that is not possible
    /// without waiting.
    #[inline]
    pub(crate) fn run_now(&mut self, call: &Call<'_>, sink: Sink<'_>, done: &mut Done) -> Option<Result<()>> {
        match &mut self.place {
            Place::Inline(connection) => connection.run_now(call, sink, done),
            Place::Thread(_) => None,
        }
    }

    /// Runs a statement. Another process that writes is waited for; nothing else is.
    #[inline]
    pub(crate) async fn run(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        match &mut self.place {
            Place::Inline(connection) => connection.run(call, sink).await,
            Place::Thread(connection) => connection.run(call, sink).await,
        }
    }

    /// Transaction control: BEGIN waits for another process as a statement does.
    pub(crate) async fn control(&mut self, sql: &str) -> Result<()> {
        match &mut self.place {
            Place::Inline(connection) => connection.control(sql).await,
            Place::Thread(connection) => connection.control(sql).await,
        }
    }

    /// The words that begin a transaction.
    #[allow(clippy::unused_self, reason = "the servers' connections need themselves")]
    pub(crate) fn begin(&mut self, begin: Begin) -> Vec<String> {
        vec![if begin.read_only { BEGIN_TO_READ } else { BEGIN_TO_WRITE }.to_owned()]
    }

    pub(crate) fn in_transaction(&self) -> bool {
        match &self.place {
            Place::Inline(connection) => connection.in_transaction(),
            Place::Thread(connection) => connection.in_transaction(),
        }
    }

    /// Rolls back without waiting; true when no transaction is open any more, or none will be by the next statement.
    pub(crate) fn rollback_now(&mut self) -> bool {
        match &mut self.place {
            Place::Inline(connection) => connection.rollback_now(),
            Place::Thread(connection) => connection.rollback_now(),
        }
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
