//! What differs between the databases.

use harness::Place;

#[cfg(feature = "sqlite")]
pub use sqlite::*;
#[cfg(feature = "sqlite")]
mod sqlite {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    pub type Db = sqlx::Sqlite;

    pub fn options(place: &super::Place) -> SqliteConnectOptions {
        match &place.file {
            None => SqliteConnectOptions::new().in_memory(true),
            Some(file) => SqliteConnectOptions::new()
                .filename(file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal),
        }
    }
}

#[cfg(feature = "postgres")]
pub use postgres::*;
#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::postgres::PgConnectOptions;

    pub type Db = sqlx::Postgres;

    pub fn options(place: &super::Place) -> PgConnectOptions {
        let server = &place.server;
        let options = PgConnectOptions::new_without_pgpass().socket(&server.socket).port(server.port);
        options.username(&server.user).database(&server.database)
    }
}

#[cfg(feature = "mariadb")]
pub use mariadb::*;
#[cfg(feature = "mariadb")]
mod mariadb {
    use sqlx::mysql::MySqlConnectOptions;

    pub type Db = sqlx::MySql;

    pub fn options(place: &super::Place) -> MySqlConnectOptions {
        let server = &place.server;
        MySqlConnectOptions::new().socket(&server.socket).username(&server.user).database(&server.database)
    }
}

/// A statement with this database's placeholders in place of `?`.
pub const fn pick(question_marks: &'static str, numbers: &'static str) -> &'static str {
    if cfg!(feature = "postgres") { numbers } else { question_marks }
}
