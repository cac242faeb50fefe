//! Opening a database, with the settings that make it safe.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{classify, functions};
use crate::options::{Mode, SqliteOptions};
use crate::{Error, ErrorKind, Result};

/// Statements kept prepared per connection.
const STATEMENTS: usize = 256;

/// Versions before this can damage a database in WAL mode when connections write and checkpoint at the same time
/// (sqlite.org, wal.html, "WAL-reset bug").
const FIRST_SAFE_WAL: i32 = 3_051_003;

pub(super) fn open(options: &SqliteOptions) -> Result<Connection> {
    let raw = open_file(options)?;
    set_up(&raw, options).map_err(|error| match error.sqlite_error_code() {
        // The file is opened at the first statement that reads it.
        Some(rusqlite::ErrorCode::CannotOpen) => cannot_be_opened(options, &error),
        _ => classify(&error),
    })?;
    raw.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(raw)
}

fn set_up(raw: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    let writable = !raw.is_readonly("main")?;
    configure(raw, writable && options.path.is_some())?;
    functions::add(raw)
}

fn cannot_be_opened(options: &SqliteOptions, error: &rusqlite::Error) -> Error {
    let path = options.path.as_deref().unwrap_or(":memory:");
    Error::new(ErrorKind::ConnectionLost, format!("the database file {path:?} cannot be opened: {}", classify(error)))
}

fn open_file(options: &SqliteOptions) -> Result<Connection> {
    // A connection belongs to one task at a time, so SQLite's own mutex would be paid for nothing.
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let Some(path) = &options.path else {
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        return Connection::open_in_memory_with_flags(flags).map_err(|error| classify(&error));
    };
    let access = match options.mode {
        _ if cannot_be_written(path) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Mode::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let opened = if cannot_be_written(path) && stands_alone(path) {
        Connection::open_with_flags(immutable(path), flags | access | OpenFlags::SQLITE_OPEN_URI)
    } else {
        Connection::open_with_flags(path, flags | access)
    };
    opened.map_err(|error| cannot_be_opened(options, &error))
}

/// A file without any write permission is opened read-only even by a user whom permissions do not stop.
fn cannot_be_written(path: &str) -> bool {
    Path::new(path).metadata().is_ok_and(|file| file.permissions().readonly())
}

/// Whether everything is in the one file: nothing waits in a log beside it.
fn stands_alone(path: &str) -> bool {
    ["-wal", "-journal"].iter().all(|end| !Path::new(&format!("{path}{end}")).exists())
}

/// The URI of a file that nobody writes to. Otherwise SQLite would make two files beside one in WAL mode, even to
/// read it, and could not read it at all in a directory that it may not write to.
fn immutable(path: &str) -> String {
    let encoded = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let authority = if path.starts_with('/') { "//" } else { "" };
    format!("file:{authority}{encoded}?immutable=1")
}

fn configure(raw: &Connection, writable_file: bool) -> rusqlite::Result<()> {
    // Waiting is ours: a sleep inside SQLite would stop every task on this thread.
    raw.busy_timeout(std::time::Duration::ZERO)?;
    // A double-quoted name that does not exist is an error, not a string.
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // A plan does not depend on bound values. Otherwise SQLite prepares a statement anew each time a value is bound
    // that the planner had looked at: LIMIT ? costs ten times a point lookup.
    raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if writable_file {
        if rusqlite::version_number() >= FIRST_SAFE_WAL {
            set_wal(raw)?;
        }
        raw.pragma_update(None, "synchronous", "NORMAL")?;
    }
    Ok(())
}

/// The journal mode is kept in the file: another connection that is at work may refuse the change, and then has
/// made it already or will keep its own.
fn set_wal(raw: &Connection) -> rusqlite::Result<()> {
    match raw.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(()),
        Err(error) => Err(error),
    }
}
