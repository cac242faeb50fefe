//! Where a database is and how to use it, from a URL.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Error, ErrorKind, Result, StatementEvent};

/// Where a database is and how to use it. [`Options::parse`] reads a URL; the methods change what it says.
///
/// | URL | database |
/// |---|---|
/// | `sqlite::memory:` | SQLite in memory: one connection, gone with it |
/// | `sqlite:shop.db`, `sqlite:/var/lib/shop.db` | a SQLite file, made when it is missing |
/// | `postgresql://user:password@host:5432/shop` | PostgreSQL |
/// | `mysql://user:password@host:3306/shop`, `mariadb://…` | MySQL or MariaDB |
///
/// Behind `?` stand options: `max_connections`, `acquire_timeout`, `connect_timeout` and `slow_statement` (seconds) for
/// every backend; `mode` (`rwc`, `rw`, `ro`), `busy_timeout` (seconds) and `offload=thread` for SQLite;
/// `application_name` for PostgreSQL; `socket` (the path of a Unix socket, or its directory) for the servers. An
/// unknown option is an error.
///
/// SQLite's statements run on the calling thread, on every runtime: that is fastest, and most take microseconds.
/// Where some take long, `offload=thread` gives each connection a thread of its own, so that other tasks go on; each
/// statement then costs a hand-over of some ten microseconds.
///
/// # A password never shows
/// ```
/// use cormorant_driver::Options;
/// let options = Options::parse("postgresql://shop:s3cret@localhost/shop?max_connections=4")?;
/// assert!(!format!("{options:?}").contains("s3cret"));
/// # Ok::<(), cormorant_driver::Error>(())
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) backend: Backend,
    pub(crate) max_connections: usize,
    pub(crate) acquire_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) slow_statement: Duration,
    pub(crate) on_statement: Option<Observer>,
}

/// Called after every statement.
pub(crate) type Observer = Arc<dyn Fn(&StatementEvent<'_>) + Send + Sync>;

/// Which database.
#[derive(Clone, Debug)]
pub enum Backend {
    /// SQLite.
    Sqlite(SqliteOptions),
    /// PostgreSQL.
    Postgres(ServerOptions),
    /// MySQL or MariaDB: the server says which.
    MySql(ServerOptions),
}

/// A SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The file; `None` is a database in memory.
    pub path: Option<String>,
    /// How the file is opened.
    pub mode: Mode,
    /// How long a statement waits for another process that writes.
    pub busy_timeout: Duration,
    /// Whether each connection has a thread of its own, and no statement runs on the caller's.
    pub own_thread: bool,
}

/// How a SQLite file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read and write, make the file when it is missing. A file that cannot be written is opened read-only.
    Create,
    /// Read and write a file that exists.
    Write,
    /// Read.
    Read,
}

/// A database on a server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Name or address; `localhost` when the URL names none.
    pub host: String,
    /// The port, where it is not the usual one.
    pub port: Option<u16>,
    /// Who connects.
    pub user: String,
    /// Their password.
    pub password: Option<Secret>,
    /// The database's name.
    pub database: String,
    /// The path of a Unix socket (MySQL) or of its directory (PostgreSQL).
    pub socket: Option<String>,
    /// What the server shows for this program.
    pub application_name: Option<String>,
}

/// Text that never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the driver.
    #[cfg_attr(not(any(feature = "postgres", feature = "mysql")), allow(dead_code, reason = "SQLite has no password"))]
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("backend", &self.backend)
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the URL or an option is not understood. The message holds no password.
    pub fn parse(url: &str) -> Result<Self> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(refuse("the URL has no scheme", SCHEMES));
        };
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, query),
            None => (rest, ""),
        };
        if scheme != "sqlite" && query.contains('@') {
            // What stands there may be the end of a password, so it is not shown.
            return Err(refuse(
                "the URL has an `@` behind its `?`",
                "write %3F for a ? in the password, and %40 for an @ in an option",
            ));
        }
        let backend = match scheme {
            "sqlite" => Backend::Sqlite(SqliteOptions::parse(place)?),
            "postgresql" | "postgres" => Backend::Postgres(ServerOptions::parse(place)?),
            "mysql" | "mariadb" => Backend::MySql(ServerOptions::parse(place)?),
            // A URL without a scheme may begin with a password.
            other if !other.bytes().all(|c| c.is_ascii_alphanumeric()) => {
                return Err(refuse("the URL has no scheme", SCHEMES));
            }
            other => return Err(refuse(&format!("{other:?} is no database this library knows"), SCHEMES)),
        };
        let max_connections = match &backend {
            Backend::Sqlite(SqliteOptions { path: None, .. }) => 1,
            _ => 10,
        };
        let mut options = Self {
            backend,
            max_connections,
            acquire_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            slow_statement: Duration::from_millis(500),
            on_statement: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            options.set(key, &decode(value)?)?;
        }
        Ok(options)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match (&mut self.backend, key) {
            (Backend::Sqlite(sqlite), "max_connections") if sqlite.path.is_none() && value != "1" => {
                return Err(refuse("a database in memory has exactly one connection", "use a file for more"));
            }
            (_, "max_connections") => {
                self.max_connections = match value.parse() {
                    Ok(n) if n > 0 => n,
                    _ => return Err(invalid(key, "a number above 0")),
                };
            }
            (_, "acquire_timeout") => self.acquire_timeout = seconds(key, value)?,
            (_, "connect_timeout") => self.connect_timeout = seconds(key, value)?,
            (_, "slow_statement") => self.slow_statement = seconds(key, value)?,
            (Backend::Sqlite(sqlite), "busy_timeout") => sqlite.busy_timeout = seconds(key, value)?,
            (Backend::Sqlite(sqlite), "mode") => {
                sqlite.mode = match value {
                    "rwc" => Mode::Create,
                    "rw" => Mode::Write,
                    "ro" => Mode::Read,
                    _ => return Err(invalid(key, "rwc, rw or ro")),
                };
            }
            (Backend::Sqlite(sqlite), "offload") if value == "thread" => sqlite.own_thread = true,
            (Backend::Sqlite(_), "offload") => return Err(invalid(key, "thread, or left out")),
            (Backend::Postgres(server) | Backend::MySql(server), "socket") => server.socket = Some(value.to_owned()),
            (Backend::Postgres(server), "application_name") => server.application_name = Some(value.to_owned()),
            (backend, _) => {
                let known = match backend {
                    Backend::Sqlite(_) => "mode, busy_timeout, offload",
                    Backend::Postgres(_) => "application_name, socket",
                    Backend::MySql(_) => "socket",
                };
                let known =
                    format!("known are {known}, max_connections, acquire_timeout, connect_timeout, slow_statement");
                return Err(refuse(&format!("the URL has an unknown option {key:?}"), &known));
            }
        }
        Ok(())
    }

    /// At most so many connections at a time. A database in memory keeps its one.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        if !matches!(&self.backend, Backend::Sqlite(SqliteOptions { path: None, .. })) {
            self.max_connections = connections.max(1);
        }
        self
    }

    /// How long to wait for a connection, or for SQLite's write lock, before it is an error.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// A statement that takes longer is warned about, where a subscriber of `tracing` listens: half a second unless
    /// this, or `slow_statement` in the URL, says otherwise. The warning shows the statement and no value.
    #[must_use]
    pub fn slow_statement(mut self, longer_than: Duration) -> Self {
        self.slow_statement = longer_than;
        self
    }

    /// Calls a function after every statement: for logs and for counting. The event holds no values.
    #[must_use]
    pub fn on_statement(mut self, observer: impl Fn(&StatementEvent<'_>) + Send + Sync + 'static) -> Self {
        self.on_statement = Some(Arc::new(observer));
        self
    }
}

const SCHEMES: &str = "a URL starts with sqlite:, postgresql://, mysql:// or mariadb://";

impl SqliteOptions {
    fn parse(place: &str) -> Result<Self> {
        let path = match decode(place.strip_prefix("//").unwrap_or(place))? {
            path if path == ":memory:" => None,
            path if path.is_empty() => {
                return Err(refuse("the URL names no file", "write sqlite:file.db or sqlite::memory:"));
            }
            path if path.contains('\0') => return Err(refuse("the file's name holds NUL", "choose another name")),
            path => Some(path),
        };
        Ok(Self { path, mode: Mode::Create, busy_timeout: Duration::from_secs(5), own_thread: false })
    }
}

impl ServerOptions {
    fn parse(place: &str) -> Result<Self> {
        let Some(place) = place.strip_prefix("//") else {
            return Err(refuse("the URL names no server", "write scheme://user:password@host:port/database"));
        };
        // The last `@`: a password that was not percent-encoded may hold one.
        let (account, address) = place.rsplit_once('@').unwrap_or(("", place));
        let (address, database) = address.split_once('/').unwrap_or((address, ""));
        let (user, password) = match account.split_once(':') {
            Some((user, password)) => (user, Some(Secret(decode(password)?))),
            None => (account, None),
        };
        let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match address.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.parse().map_err(|_| refuse("the URL's port is not a number", "write host:5432"))?),
            None => None,
        };
        let database = decode(database)?;
        if database.is_empty() {
            return Err(refuse("the URL names no database", "write it behind the host: host/database"));
        }
        Ok(Self {
            host: if host.is_empty() { "localhost".to_owned() } else { decode(host)? },
            port,
            user: decode(user)?,
            password,
            database,
            socket: None,
            application_name: None,
        })
    }
}

fn refuse(what: &str, instead: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("{what}: {instead}"))
}

fn invalid(key: &str, rule: &str) -> Error {
    refuse(&format!("the URL's option {key} is not understood"), &format!("it is {rule}"))
}

fn seconds(key: &str, value: &str) -> Result<Duration> {
    match value.parse::<f64>().map(Duration::try_from_secs_f64) {
        Ok(Ok(duration)) => Ok(duration),
        _ => Err(invalid(key, "a number of seconds")),
    }
}

/// Percent-decoding, as in every URL.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => {
                return Err(refuse(
                    "the URL holds a % that two hexadecimal digits do not follow",
                    "write %25 for a % itself",
                ));
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| refuse("the URL is not UTF-8", "percent-encode UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> ServerOptions {
        match Options::parse(url).unwrap().backend {
            Backend::Postgres(server) | Backend::MySql(server) => server,
            Backend::Sqlite(_) => panic!("{url} is no server"),
        }
    }

    #[test]
    fn urls_are_read() {
        let full = server("postgresql://us%40er:p%2Fw:x@db.example:5433/shop?socket=/run/pg");
        assert_eq!((full.user.as_str(), full.host.as_str(), full.port), ("us@er", "db.example", Some(5433)));
        assert_eq!(full.password.unwrap().reveal(), "p/w:x");
        assert_eq!((full.database.as_str(), full.socket.as_deref()), ("shop", Some("/run/pg")));
        let short = server("mysql:///shop");
        assert_eq!((short.host.as_str(), short.port, short.password), ("localhost", None, None));
        assert_eq!(server("mariadb://[::1]:3307/x").host, "::1");
        for (url, path) in
            [("sqlite::memory:", None), ("sqlite:a b%3F.db?mode=ro", Some("a b?.db")), ("sqlite:///x", Some("/x"))]
        {
            let Backend::Sqlite(sqlite) = Options::parse(url).unwrap().backend else { panic!() };
            assert_eq!(sqlite.path.as_deref(), path, "{url}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (url, says) in [
            ("shop.db", "no scheme"),
            ("oracle://x/y", "\"oracle\" is no database"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:?max_connections=2", "exactly one connection"),
            ("sqlite:x.db?offload=yes", "offload is not understood"),
            ("sqlite:x.db?pragma=x", "unknown option \"pragma\""),
            ("postgresql://h", "names no database"),
            ("postgresql://h:x/d", "port is not a number"),
            ("postgresql://h/d?mode=ro", "unknown option \"mode\""),
            ("mysql://h/d?acquire_timeout=soon", "acquire_timeout is not understood"),
            ("mysql://h/%zz", "two hexadecimal digits"),
        ] {
            let error = Options::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
            assert!(error.to_string().contains(says), "{url}: {error}");
        }
    }

    #[test]
    fn no_error_or_debug_shows_a_password() {
        let canary = "c4n4ry";
        for url in [
            format!("postgresql://u:{canary}@h:port/d"),
            format!("postgresql://u:{canary}@h"),
            format!("mysql://u:{canary}@h/d?nope=1"),
            format!("mysql://u:{canary}%zz@h/d"),
            format!("mysql://u:1/x?{canary}@h/d"),
            format!("{canary}@h:3306/d"),
        ] {
            let shown = match Options::parse(&url) {
                Ok(options) => format!("{options:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains(canary), "{shown}");
        }
        assert!(!format!("{:?}", Options::parse(&format!("mysql://u:{canary}@h/d")).unwrap()).contains(canary));
    }
}
