//! Opening a connection, with the session settings that make it safe.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use cormorant_sql::Dialect;
use futures_timer::Delay;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error as Raw, Opts, OptsBuilder, Row};
use tokio::task::JoinHandle;

use super::cell;
use super::wire::{Abandon, Wire};
use crate::options::ServerOptions;
use crate::runtime::Home;
use crate::{Error, ErrorKind, Result};

/// The largest packet of the protocol. The server's own limit is read, and checked before sending: a packet above it
/// would cost the connection.
const LARGEST_PACKET: usize = 1 << 30;

/// One statement sets it all.
///
/// - Text is UTF-8 and compares by code point, as on the other backends; times are in UTC.
/// - What does not fit is an error. A server's own mode could make `''` NULL, or let a backslash mean itself.
/// - An UPDATE's assignments see the row as it was, as on the other backends: MariaDB has a mode for that, which MySQL
///   does not know.
/// - Each statement commits by itself unless a transaction is open, and COMMIT opens no other.
const SETTINGS: &str = "SET NAMES utf8mb4, \
    collation_connection = IF(VERSION() LIKE '%MariaDB%', 'utf8mb4_nopad_bin', 'utf8mb4_0900_bin'), \
    time_zone = '+00:00', autocommit = 1, completion_type = 'NO_CHAIN', \
    sql_mode = CONCAT('STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE', \
    IF(VERSION() LIKE '%MariaDB%', ',SIMULTANEOUS_ASSIGNMENT', ''), \
    IF(@@sql_mode LIKE '%ONLY_FULL_GROUP_BY%', ',ONLY_FULL_GROUP_BY', ''))";

const FACTS: &str = "SELECT VERSION(), @@max_allowed_packet, @@sql_mode, @@time_zone, \
    @@character_set_client, @@character_set_connection, @@character_set_results";

/// An open connection and what is known about its server.
pub(super) struct Opened {
    pub(super) wire: Wire,
    pub(super) dialect: Dialect,
    pub(super) max_packet: usize,
}

enum Failure {
    /// No connection was made.
    Refused(Raw),
    Ours(Error),
}

impl From<Raw> for Failure {
    fn from(error: Raw) -> Self {
        Self::Refused(error)
    }
}

/// A task that ends when it is no longer waited for.
struct Task(JoinHandle<Result<Opened, Failure>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Connects in a task of the runtime that will serve the socket: only there can it be registered.
pub(super) async fn open(options: &ServerOptions, timeout: Duration) -> Result<Opened> {
    let home = Home::here()?;
    let mut task = Task(home.handle().spawn(Abandon::new(connect(settings(options), home.clone()))));
    let mut late = Delay::new(timeout);
    let opened = poll_fn(|context| match Pin::new(&mut task.0).poll(context) {
        Poll::Ready(opened) => Poll::Ready(Some(opened)),
        Poll::Pending => Pin::new(&mut late).poll(context).map(|()| None),
    });
    match opened.await {
        Some(Ok(Ok(opened))) => Ok(opened),
        Some(Ok(Err(Failure::Ours(error)))) => Err(error),
        Some(Ok(Err(Failure::Refused(error)))) => Err(refused(options, &error)),
        Some(Err(error)) if error.is_panic() => Err(Error::new(
            ErrorKind::Misuse,
            "the Tokio runtime cannot open a socket: build it with `enable_io` or `enable_all`",
        )),
        Some(Err(_)) => Err(Error::new(ErrorKind::ConnectionLost, "the Tokio runtime ended while connecting")),
        None => Err(failed(
            options,
            &format!("no answer in {:.1} s", timeout.as_secs_f64()),
            "check the host and the port, and that no firewall drops the packets",
        )),
    }
}

fn settings(options: &ServerOptions) -> Opts {
    let mut builder = OptsBuilder::default()
        .ip_or_hostname(options.host.as_str())
        .user(Some(options.user.as_str()))
        .pass(options.password.as_ref().map(|password| password.reveal()))
        .db_name(Some(options.database.as_str()))
        .socket(options.socket.as_deref())
        // Else it would connect a second time, through a socket that the server names.
        .prefer_socket(false)
        // An UPDATE tells the rows it found: one that changes nothing is not a row that has vanished.
        .client_found_rows(true)
        // Ours are kept in `statements.rs`.
        .stmt_cache_size(0)
        .tcp_keepalive(Some(Duration::from_secs(60)))
        // Given here, these two are not asked for with a statement of their own.
        .max_allowed_packet(Some(LARGEST_PACKET))
        .wait_timeout(Some(28_800));
    if let Some(port) = options.port {
        builder = builder.tcp_port(port);
    }
    builder.into()
}

async fn connect(settings: Opts, home: Home) -> Result<Opened, Failure> {
    let mut wire = Wire::new(Conn::new(settings).await?, home);
    let (_, conn) = wire.start().map_err(Failure::Ours)?;
    conn.query_drop(SETTINGS).await?;
    let facts: Option<Row> = conn.query_first(FACTS).await?;
    wire.done();
    let fact =
        |n| facts.as_ref().and_then(|facts| facts.as_ref(n)).and_then(|cell| cell::text(cell).ok()).unwrap_or("");
    check(fact).map_err(Failure::Ours)?;
    let dialect = if fact(0).contains("MariaDB") { Dialect::MariaDb } else { Dialect::MySql };
    // The server's smallest possible limit where it does not tell.
    let max_packet = fact(1).parse().unwrap_or(1024);
    Ok(Opened { wire, dialect, max_packet })
}

/// A proxy or a server option may have undone the settings.
fn check<'a>(fact: impl Fn(usize) -> &'a str) -> Result<()> {
    let mode = |name| fact(2).split(',').any(|mode| mode == name);
    let utf8 = (4..=6).all(|n| fact(n) == "utf8mb4");
    let wrong = if !utf8 {
        "its character set is not utf8mb4"
    } else if !mode("STRICT_ALL_TABLES") || !mode("NO_ENGINE_SUBSTITUTION") || mode("NO_BACKSLASH_ESCAPES") {
        "its sql_mode is not the one that was set"
    } else if fact(3) != "+00:00" {
        "its time zone is not UTC"
    } else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::Configuration,
        format!(
            "the session does not keep its settings, {wrong}: values could be damaged; look for a proxy or for \
                 `init_connect` on the server that changes them"
        ),
    ))
}

/// Says who could not connect where, and what to look at. Holds no password.
fn refused(options: &ServerOptions, error: &Raw) -> Error {
    match error {
        Raw::Server(server) => {
            let next = match server.code {
                1044 | 1045 | 1698 => "check the user, the password, and what the user may do",
                1049 => "create the database, or correct its name in the URL",
                1040 | 1203 | 1226 => "lower max_connections here, or raise it on the server",
                1129 | 1130 => "let the server accept this host",
                _ => "look at the server's log",
            };
            failed(options, server.message.trim_end_matches('.'), next).with_code(server.code.to_string())
        }
        Raw::Io(error) => failed(options, &error.to_string(), "check that the server runs and listens there"),
        Raw::Driver(DriverError::UnknownAuthPlugin { name }) => failed(
            options,
            &format!("the server wants the authentication {name:?}"),
            "let the user log in with mysql_native_password or caching_sha2_password",
        ),
        Raw::Driver(DriverError::MysqlOldPasswordDisabled | DriverError::CleartextPluginDisabled) => failed(
            options,
            "the server wants an authentication that would give the password away",
            "let the user log in with mysql_native_password or caching_sha2_password",
        ),
        _ => failed(options, "the answer was not understood", "check that a MySQL or MariaDB server listens there"),
    }
}

fn failed(options: &ServerOptions, why: &str, next: &str) -> Error {
    let place = match &options.socket {
        Some(socket) => format!("the socket {socket:?}"),
        None => format!("{}:{}", options.host, options.port.unwrap_or(3306)),
    };
    Error::new(
        ErrorKind::ConnectionLost,
        format!("cannot connect to {place} as user {:?}, database {:?}: {why}; {next}", options.user, options.database),
    )
}
