//! An empty database for one test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cormorant::{Database, Options, Result, Sql, UncheckedSql};

/// A backend that the suite runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite in memory.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

impl Backend {
    const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MariaDb];

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    /// Whether this run asks for the backend: `cargo xtask test --only …` says which in `CORMORANT_TEST_BACKENDS`.
    fn is_asked_for(self) -> bool {
        std::env::var("CORMORANT_TEST_BACKENDS").map_or(true, |asked| Self::asked(&asked).contains(&self))
    }

    /// The backends of a list of names. A name that is none would be a backend that nobody tests.
    fn asked(names: &str) -> Vec<Self> {
        let known = |name: &str| Self::ALL.into_iter().find(|backend| backend.name() == name);
        names
            .split(',')
            .map(|name| {
                let name = name.trim();
                known(name).unwrap_or_else(|| {
                    panic!("CORMORANT_TEST_BACKENDS has {name:?}, which is none of sqlite, postgres and mariadb")
                })
            })
            .collect()
    }

    /// The URL of the server's own database, from which databases are made.
    fn server(self) -> Option<String> {
        let variable = match self {
            Self::Sqlite => return None,
            Self::Postgres => "CORMORANT_TEST_POSTGRES",
            Self::MariaDb => "CORMORANT_TEST_MARIADB",
        };
        match std::env::var(variable) {
            Ok(url) => Some(url),
            Err(_) => panic!(
                "{variable} is not set: `cargo xtask test` starts the servers and says where they are; \
                 `cargo xtask test --only sqlite` leaves them out"
            ),
        }
    }
}

/// An empty database of a test's own, and what was sent to it.
pub struct Fixture {
    /// The database.
    pub db: Database,
    /// Which one it is.
    pub backend: Backend,
    /// Where it is, for further connections. A database in memory cannot be reached again.
    pub url: String,
    statements: Arc<Mutex<Vec<String>>>,
    left: Arc<Left>,
}

/// What a test leaves behind, and those beside it on the same database. Files go with the last of them.
#[derive(Default)]
struct Left {
    files: Mutex<Vec<PathBuf>>,
    /// A database on a server, and who made it.
    database: Option<(Database, String)>,
}

impl Left {
    /// Removes the database of a test that has passed; that of one that failed may be looked at.
    async fn drop_database(&self, backend: Backend) {
        let Some((admin, name)) = &self.database else { return };
        // Whatever the test has left open must not hold it up.
        let sql = match backend {
            Backend::MariaDb => format!("SET STATEMENT lock_wait_timeout = 1 FOR DROP DATABASE {name}"),
            _ => format!("DROP DATABASE {name} WITH (FORCE)"),
        };
        let _ = Sql::unchecked(UncheckedSql::vouch_for(sql)).execute(admin).await;
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        for file in self.files.get_mut().unwrap_or_else(PoisonError::into_inner) {
            for suffix in ["", "-wal", "-shm"] {
                let mut path = file.clone().into_os_string();
                path.push(suffix);
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Fixture {
    /// Runs a test against a backend, on a runtime with several threads; not at all when this run leaves the backend
    /// out.
    pub fn run(backend: Backend, name: &str, test: impl AsyncFnOnce(&Self) -> Result<()>) {
        if !backend.is_asked_for() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
        runtime.block_on(async {
            let result = match Self::new(backend, name).await {
                Ok(fixture) => {
                    let result = test(&fixture).await;
                    if result.is_ok() {
                        fixture.left.drop_database(backend).await;
                    }
                    result
                }
                Err(error) => panic!("no {} for the test: {error}", backend.name()),
            };
            if let Err(error) = result {
                panic!("{error}\n{error:?}");
            }
        });
    }

    /// An empty database.
    ///
    /// # Errors
    /// The server's.
    pub async fn new(backend: Backend, name: &str) -> Result<Self> {
        let mut left = Left::default();
        let url = match backend.server() {
            None => format!("sqlite::memory:{}", sqlite_options()),
            Some(server) => {
                let (admin, database) = create_database(&server, name).await?;
                let base = server.rsplit_once('/').map_or(server.as_str(), |(base, _)| base);
                let url = format!("{base}/{database}");
                left.database = Some((admin, database));
                url
            }
        };
        Self::open(backend, url, |options| options, Arc::new(left)).await
    }

    /// A fixture for a URL, with options changed.
    ///
    /// # Errors
    /// The server's.
    pub async fn at(backend: Backend, url: String, change: impl FnOnce(Options) -> Options) -> Result<Self> {
        Self::open(backend, url, change, Arc::default()).await
    }

    async fn open(
        backend: Backend,
        url: String,
        change: impl FnOnce(Options) -> Options,
        left: Arc<Left>,
    ) -> Result<Self> {
        let statements = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&statements);
        let options = Options::parse(&url)?.on_statement(move |event| {
            if !event.control {
                log.lock().unwrap_or_else(PoisonError::into_inner).push(event.sql.to_owned());
            }
        });
        let db = Database::connect_with(change(options)).await?;
        Ok(Self { db, backend, url, statements, left })
    }

    /// A file for a SQLite test that needs several connections, a database of its own elsewhere.
    ///
    /// # Errors
    /// The server's.
    pub async fn with_connections(&self, connections: usize) -> Result<Self> {
        self.reopened(|options| options.max_connections(connections)).await
    }

    /// The same, and nobody waits longer than this for a connection.
    ///
    /// # Errors
    /// The server's.
    pub async fn with_patience(&self, connections: usize, patience: Duration) -> Result<Self> {
        self.reopened(|options| options.max_connections(connections).acquire_timeout(patience)).await
    }

    async fn reopened(&self, change: impl FnOnce(Options) -> Options) -> Result<Self> {
        let url = match self.backend {
            Backend::Sqlite => format!("sqlite:{}{}", self.temporary_file().display(), sqlite_options()),
            _ => self.url.clone(),
        };
        Self::open(self.backend, url, change, Arc::clone(&self.left)).await
    }

    /// A path in the system's directory for temporary files, removed with the test.
    fn temporary_file(&self) -> PathBuf {
        let path = std::env::temp_dir().join(format!("{}.db", unique_name("cormorant")));
        self.left.files.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        path
    }

    /// The statements sent since the last call, transaction control left out.
    pub fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.statements.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the fixture's database is this one.
    pub fn is(&self, backend: Backend) -> bool {
        self.backend == backend
    }

    /// Runs SQL text of the test's own.
    ///
    /// # Errors
    /// The database's.
    pub async fn execute(&self, sql: &str) -> Result<u64> {
        Sql::unchecked(UncheckedSql::vouch_for(sql)).execute(&self.db).await
    }

    /// A name in the quotes of the backend.
    pub fn quoted(&self, name: &str) -> String {
        match self.backend {
            Backend::MariaDb => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// How many rows a table has, asked without the library's queries.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows_in(&self, table: &str) -> Result<i64> {
        let sql = format!("SELECT COUNT(*) FROM {}", self.quoted(table));
        Sql::unchecked(UncheckedSql::vouch_for(sql)).one(&self.db).await
    }
}

impl std::fmt::Debug for Fixture {
    // The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixture").field("backend", &self.backend).field("db", &self.db).finish_non_exhaustive()
    }
}

/// Makes a database, and gives its name and who can remove it.
async fn create_database(server: &str, name: &str) -> Result<(Database, String)> {
    let short: String = name.chars().take(30).collect();
    let database = format!("{}_{short}", unique_name("t"));
    let admin = Database::connect(server).await?;
    Sql::unchecked(UncheckedSql::vouch_for(format!("CREATE DATABASE {database}"))).execute(&admin).await?;
    Ok((admin, database))
}

/// A name that no other test has, nor has had: process ids come again while a server or a file lives, a moment does
/// not.
pub fn unique_name(start: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_micros());
    format!("{start}_{now}_{}_{number}", std::process::id())
}

/// What stands behind the URL of every SQLite database: `?offload=thread`, in a run that asks for it.
fn sqlite_options() -> String {
    std::env::var("CORMORANT_TEST_SQLITE_OPTIONS").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Backend;

    #[test]
    fn backends_are_asked_for_by_name() {
        assert_eq!(Backend::asked("sqlite, mariadb"), [Backend::Sqlite, Backend::MariaDb]);
    }

    #[test]
    #[should_panic(expected = "none of sqlite, postgres and mariadb")]
    fn a_backend_that_is_none_is_no_reason_to_test_nothing() {
        Backend::asked("sqlite,postgre");
    }
}
