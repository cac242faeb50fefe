//! SQLite: Diesel's own connection on a thread for blocking work.

use diesel::SqliteConnection;
use diesel_async::SimpleAsyncConnection as _;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use harness::Place;

pub type Raw = SyncConnectionWrapper<SqliteConnection>;

pub fn url(place: &Place) -> String {
    place.file.clone().unwrap_or(":memory:".to_owned())
}

pub async fn set_up(connection: &mut Raw) {
    connection.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").await.unwrap();
}
