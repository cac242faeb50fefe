//! Where a system finds its database.

/// Which kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
    Mariadb,
}

impl Backend {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sqlite" => Some(Self::Sqlite),
            "postgres" => Some(Self::Postgres),
            "mariadb" => Some(Self::Mariadb),
            _ => None,
        }
    }

    /// The statements that take inserted users away again.
    pub(crate) fn clear(self) -> &'static [&'static str] {
        match self {
            // Dead rows would pile up in the table; TRUNCATE would leave them in the catalogue.
            Self::Postgres => &["DELETE FROM users", "VACUUM users"],
            Self::Sqlite | Self::Mariadb => &["DELETE FROM users"],
        }
    }
}

/// The database of one case.
#[derive(Clone, Debug)]
pub struct Place {
    /// SQLite: the file; `None` is a database in memory.
    pub file: Option<String>,
    /// PostgreSQL and MariaDB.
    pub server: Server,
    /// How many connections there are to be.
    pub connections: usize,
    /// The statements that take inserted users away again.
    pub clear: &'static [&'static str],
}

/// A server and a database on it that belongs to this process alone. No password is needed.
#[derive(Clone, Debug, Default)]
pub struct Server {
    pub user: String,
    pub port: u16,
    /// PostgreSQL: the directory of the Unix socket; MariaDB: its path.
    pub socket: String,
    pub database: String,
}
