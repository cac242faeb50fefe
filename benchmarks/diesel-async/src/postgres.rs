//! PostgreSQL, through tokio-postgres.

use diesel_async::AsyncPgConnection;
use harness::Place;

pub type Raw = AsyncPgConnection;

pub fn url(place: &Place) -> String {
    let server = &place.server;
    format!("host={} port={} user={} dbname={}", server.socket, server.port, server.user, server.database)
}

pub async fn set_up(_connection: &mut Raw) {}
