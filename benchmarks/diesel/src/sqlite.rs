//! SQLite.

use diesel::SqliteConnection;
use harness::Place;

pub type Raw = SqliteConnection;

pub fn url(place: &Place) -> String {
    place.file.clone().unwrap_or(":memory:".to_owned())
}

pub fn set_up(connection: &mut Raw) {
    use diesel::connection::SimpleConnection as _;
    connection.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").unwrap();
}
