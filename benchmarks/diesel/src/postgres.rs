//! PostgreSQL, through libpq.

use diesel::PgConnection;
use harness::Place;

pub type Raw = PgConnection;

pub fn url(place: &Place) -> String {
    let server = &place.server;
    format!("host={} port={} user={} dbname={}", server.socket, server.port, server.user, server.database)
}

pub fn set_up(_connection: &mut Raw) {}
