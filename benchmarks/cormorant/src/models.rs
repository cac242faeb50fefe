//! The rows.

use cormorant::prelude::*;
use harness::Place;

#[derive(Model)]
#[model(autoincrement)]
pub struct User {
    pub id: i32,
    pub name: String,
    pub hair_color: Option<String>,
    pub posts: HasMany<Post>,
}

#[derive(Model)]
#[model(autoincrement)]
pub struct Post {
    pub id: i32,
    pub user: ForeignKey<User>,
    pub title: String,
    pub body: Option<String>,
    pub comments: HasMany<Comment>,
}

#[derive(Model)]
#[model(autoincrement)]
pub struct Comment {
    pub id: i32,
    pub post: ForeignKey<Post>,
    pub text: String,
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
