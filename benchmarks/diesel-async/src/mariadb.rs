//! MariaDB, through mysql_async.

use diesel_async::AsyncMysqlConnection;
use harness::Place;

pub type Raw = AsyncMysqlConnection;

pub fn url(place: &Place) -> String {
    let server = &place.server;
    format!("mysql://{}@localhost:{}/{}?socket={}", server.user, server.port, server.database, server.socket)
}

pub async fn set_up(_connection: &mut Raw) {}
