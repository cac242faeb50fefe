//! Errors of the server and of the connection, classified. What the server says is passed on where it cannot hold a
//! value; its DETAIL never is.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio_postgres::error::{DbError, Severity};

use crate::options::ServerOptions;
use crate::{Conflict, Error, ErrorKind};

/// Gives an error its kind.
pub(super) fn classify(error: tokio_postgres::Error, ending: Option<&tokio_postgres::Error>) -> Error {
    if let Some(answer) = error.as_db_error() {
        return server(answer);
    }
    let closed = error.is_closed();
    // Closed: why, the connection itself has been told.
    let reason = reason(ending.filter(|_| closed).unwrap_or(&error));
    match error.into_source().map(|source| source.downcast::<Error>()) {
        // A value that could not be encoded: nothing was sent.
        Some(Ok(own)) => *own,
        None if !closed => Error::new(
            ErrorKind::ConnectionLost,
            "PostgreSQL gave an answer that is not understood here, as COPY does, and the connection was closed: \
             send rows with INSERT",
        ),
        _ => lost(&reason),
    }
}

fn lost(reason: &str) -> Error {
    Error::new(
        ErrorKind::ConnectionLost,
        format!("the connection to PostgreSQL was lost ({reason}): run it again on another connection"),
    )
}

fn server(answer: &DbError) -> Error {
    let code = answer.code().code();
    let message = answer.message();
    let error = match code {
        _ if is_end(answer) => lost(message),
        _ if code.starts_with("23") => constraint(answer),
        _ if code.starts_with("22") => refused_value(code),
        "0A000" if answer.routine() == Some("RevalidateCachedQuery") => plan_changed(),
        "26000" => plan_changed(),
        "44000" => Error::new(ErrorKind::Check, message),
        "40001" => again(Conflict::Serialization, message),
        "40P01" => again(Conflict::Deadlock, message),
        "25P02" => {
            Error::new(ErrorKind::TransactionPoisoned, "the transaction failed at an earlier statement: roll it back")
        }
        _ => Error::new(kind(code), message),
    };
    error.with_code(code)
}

/// The server ends the connection with this answer. Its severity says so; a code may speak of another connection, as
/// those of dblink and of a function's own RAISE do.
fn is_end(answer: &DbError) -> bool {
    let code = answer.code().code();
    match answer.parsed_severity() {
        Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
        // PostgreSQL before 9.6 writes it in its own language.
        None => matches!(code, "57P01" | "57P02" | "57P03" | "57P04" | "57P05") || code.starts_with("08"),
    }
}

fn kind(code: &str) -> ErrorKind {
    match code {
        "55P03" => ErrorKind::LockTimeout,
        "57014" => ErrorKind::StatementTimeout,
        "25006" => ErrorKind::ReadOnly,
        "53100" => ErrorKind::DiskFull,
        "XX001" | "XX002" => ErrorKind::Corrupt,
        "42P01" | "42703" | "3F000" => ErrorKind::SchemaMismatch,
        code if code.starts_with("54") => ErrorKind::LimitExceeded,
        _ => ErrorKind::Database,
    }
}

fn constraint(answer: &DbError) -> Error {
    let error = match answer.code().code() {
        "23505" => Error::new(ErrorKind::Unique, "the value is there already"),
        "23503" | "23001" => {
            Error::new(ErrorKind::ForeignKey, "the row it points at is missing, or the row is still pointed at")
        }
        "23502" => Error::new(ErrorKind::NotNull, "NULL is not allowed"),
        "23514" => Error::new(ErrorKind::Check, "the row does not meet the condition"),
        "23P01" => Error::new(ErrorKind::Check, "another row excludes this one"),
        _ => Error::new(ErrorKind::Database, answer.message()),
    };
    let error = error.with_columns(answer.column().map(str::to_owned).into_iter().collect());
    match answer.constraint() {
        Some(name) => error.with_constraint(name),
        None => error,
    }
}

/// The server's own words about a value may quote it.
fn refused_value(code: &str) -> Error {
    let (kind, what) = match code {
        "22001" => (ErrorKind::OutOfRange, "text is longer than its column allows"),
        "22003" => (ErrorKind::OutOfRange, "a number is out of range for its type"),
        "22008" => (ErrorKind::OutOfRange, "a date or time is out of range for its type"),
        "22012" => (ErrorKind::Database, "a number was divided by zero"),
        "22007" | "22P02" => (ErrorKind::Database, "text does not have the form of the type it was turned into"),
        "22021" | "22P05" => (ErrorKind::Database, "text holds a character that the database's encoding does not have"),
        "2201B" => (ErrorKind::Database, "the regular expression is not valid"),
        "2201W" | "2201X" => (ErrorKind::OutOfRange, "a limit or offset is below zero"),
        _ => (ErrorKind::Database, "PostgreSQL refused a value"),
    };
    Error::new(kind, format!("{what} (SQLSTATE {code})"))
}

fn plan_changed() -> Error {
    Error::new(
        ErrorKind::PreparedPlanChanged,
        "a table was changed since the statement was prepared: run the transaction again",
    )
}

fn again(conflict: Conflict, message: &str) -> Error {
    Error::new(ErrorKind::Retryable(conflict), format!("{message}: run the transaction again"))
}

/// No connection could be made.
pub(super) fn refused(error: &tokio_postgres::Error, options: &ServerOptions) -> Error {
    let code = error.as_db_error().map(|answer| answer.code().code());
    let next = match code {
        Some("28P01") => "check the user and the password",
        Some("28000") => "check the user, and what the server's pg_hba.conf lets in; TLS is not spoken yet",
        Some("3D000") => "create the database, or correct its name",
        Some("53300") => "lower max_connections, or raise the server's",
        Some("57P03") => "wait until the server has started",
        Some(_) => "see the server's log",
        None if io_kind(error) == Some(io::ErrorKind::ConnectionRefused) => {
            "check that the server runs and listens there"
        }
        None if io_kind(error) == Some(io::ErrorKind::NotFound) => "check the socket's directory and the port",
        None => "check the host, the port, the user and the password",
    };
    let failed = no_connection(&reason(error), next, options);
    match code {
        Some(code) => failed.with_code(code),
        None => failed,
    }
}

/// The server did not answer.
pub(super) fn silent(timeout: Duration, options: &ServerOptions) -> Error {
    let reason = format!("no answer in {:.1} s", timeout.as_secs_f64());
    no_connection(&reason, "check the host, the port and the firewalls between, or raise connect_timeout", options)
}

fn no_connection(reason: &str, next: &str, options: &ServerOptions) -> Error {
    let port = options.port.unwrap_or(5432);
    let place = match &options.socket {
        Some(directory) => format!("in {directory}, port {port}"),
        None => format!("at {}:{port}", options.host),
    };
    let user = match options.user.as_str() {
        "" => "of the operating system",
        user => user,
    };
    Error::new(
        ErrorKind::ConnectionLost,
        format!("no connection to PostgreSQL {place}, database {}, user {user}: {reason}; {next}", options.database),
    )
}

fn io_kind(error: &tokio_postgres::Error) -> Option<io::ErrorKind> {
    error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// What went wrong, without what lies behind it twice.
fn reason(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(answer), _) => answer.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
