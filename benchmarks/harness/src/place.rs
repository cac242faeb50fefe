//! Where a system finds its database.

use crate::Case;

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

    /// What runs between the samples of a case: it takes inserted rows away again, and of a unit of work it looks first
    /// whether everything is there. It is refused where something is not.
    pub fn clear(self, case: Case) -> &'static [&'static str] {
        match (self, case) {
            // Dead rows would pile up in the table; TRUNCATE would leave them in the catalogue.
            (Self::Postgres, Case::CommitGraph) => {
                &[GRAPH_IS_THERE, "DELETE FROM posts", "VACUUM posts", "DELETE FROM users", "VACUUM users"]
            }
            (_, Case::CommitGraph) => &[GRAPH_IS_THERE, "DELETE FROM posts", "DELETE FROM users"],
            (Self::Postgres, Case::CommitChanges) => &[COLORS_ARE_THERE, "VACUUM users"],
            (_, Case::CommitChanges) => &[COLORS_ARE_THERE],
            (Self::Postgres, Case::DeleteGraph) => &[GRAPH_IS_GONE, "VACUUM users, posts"],
            (_, Case::DeleteGraph) => &[GRAPH_IS_GONE],
            (Self::Postgres, _) => &["DELETE FROM users", "VACUUM users"],
            (Self::Sqlite | Self::Mariadb, _) => &["DELETE FROM users"],
        }
    }
}

/// A table that takes nothing but 1.
pub(crate) const CHECKED: [&str; 2] =
    ["DROP TABLE IF EXISTS checked", "CREATE TABLE checked (fine INTEGER NOT NULL CHECK (fine = 1))"];

/// A thousand users, each with ten posts.
const GRAPH_IS_THERE: &str = "INSERT INTO checked SELECT CASE WHEN (SELECT count(*) FROM users) = 1000 AND \
     (SELECT count(*) FROM (SELECT user_id FROM posts GROUP BY user_id HAVING count(*) = 10) AS u) = 1000 AND \
     (SELECT count(*) FROM posts) = 10000 THEN 1 ELSE 0 END";

/// A thousand users, each with a colour of their own, and all of these of one round.
const COLORS_ARE_THERE: &str = "INSERT INTO checked SELECT CASE WHEN count(*) = 1000 AND \
     count(DISTINCT hair_color) = 1000 AND count(DISTINCT substr(hair_color, 1, 14)) = 1 THEN 1 ELSE 0 END \
     FROM users";

const GRAPH_IS_GONE: &str = "INSERT INTO checked SELECT CASE WHEN (SELECT count(*) FROM users) = 0 AND \
     (SELECT count(*) FROM posts) = 0 THEN 1 ELSE 0 END";

/// The database of one case.
#[derive(Clone, Debug)]
pub struct Place {
    /// SQLite: the file; `None` is a database in memory.
    pub file: Option<String>,
    /// PostgreSQL and MariaDB.
    pub server: Server,
    /// How many connections there are to be.
    pub connections: usize,
    /// What runs between samples, to check what was written and to take it away again.
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
