//! The rows.

use cormorant::prelude::*;
use harness::Place;

#[derive(Model)]
#[model(autoincrement)]
pub struct User {
    pub id: i32,
    pub name: String,
    pub hair_color: Option<String>,
}

#[expect(dead_code, reason = "read to be compared with what others read")]
pub struct Post {
    id: i32,
    user_id: i32,
    title: String,
    body: Option<String>,
}

/// A user beside the cells of a post that there may be.
pub type UserAndCells = (Record<User>, Option<i32>, Option<i32>, Option<String>, Option<String>);

pub fn user_and_post((user, id, user_id, title, body): UserAndCells) -> (Record<User>, Option<Post>) {
    let post = match (id, user_id, title) {
        (Some(id), Some(user_id), Some(title)) => Some(Post { id, user_id, title, body }),
        _ => None,
    };
    (user, post)
}

pub fn url(place: &Place) -> String {
    let (connections, server) = (place.connections, &place.server);
    if let Some(file) = place.file.as_ref().filter(|_| cfg!(feature = "sqlite")) {
        return format!("sqlite:{file}?max_connections={connections}");
    }
    if cfg!(feature = "sqlite") {
        return "sqlite::memory:".to_owned();
    }
    let scheme = if cfg!(feature = "postgres") { "postgresql" } else { "mysql" };
    let (user, port, socket) = (&server.user, server.port, &server.socket);
    let database = &server.database;
    format!("{scheme}://{user}@localhost:{port}/{database}?socket={socket}&max_connections={connections}")
}
