//! The cases.

use futures_util::future::join_all;
use harness::data::{Colors, Keys, WANTED_COLOR};
use harness::{Meter, Outcome, Place, System, measure};
use mysql_async::prelude::*;
use mysql_async::{Conn, Opts, OptsBuilder, Params, Statement};

use crate::insert::Insert;
use crate::rows::{User, all, by_key, user, user_and_post};
use crate::{graph, relations};

pub const TRIVIAL: &str = "SELECT id, name, hair_color FROM users";
const MEDIUM: &str = "SELECT users.id, users.name, users.hair_color, posts.id, posts.user_id, posts.title, posts.body \
                      FROM users LEFT JOIN posts ON posts.user_id = users.id WHERE users.hair_color = ?";
const BY_KEY: &str = "SELECT id, name, hair_color FROM users WHERE id = ?";
const UPDATE: &str = "UPDATE users SET hair_color = ? WHERE id = ?";

pub struct Floor {
    connections: Vec<Conn>,
    clear: &'static [&'static str],
}

impl System for Floor {
    async fn open(place: &Place) -> Self {
        let mut connections = Vec::new();
        for _ in 0..place.connections {
            connections.push(Conn::new(options(place)).await.unwrap());
        }
        Self { connections, clear: place.clear }
    }

    async fn execute(&mut self, sql: &str) {
        self.connection().query_drop(sql).await.unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        let connection = self.connection();
        let statement = connection.prep(TRIVIAL).await.unwrap();
        measure!(meter, all(connection, &statement, Params::Empty, user).await);
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        let connection = self.connection();
        let statement = connection.prep(MEDIUM).await.unwrap();
        measure!(meter, all(connection, &statement, (WANTED_COLOR,), user_and_post).await);
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        let insert = Insert::prepare(self.connection(), rows).await;
        measure!(meter, insert.run(self.connection()).await, after: self.execute_all(self.clear).await);
        Ok(())
    }

    async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
        let mut keys = Keys::new();
        let connection = self.connection();
        let statement = connection.prep(BY_KEY).await.unwrap();
        measure!(meter, by_key(connection, &statement, keys.next_key()).await);
        Ok(())
    }

    async fn update(&mut self, meter: &mut Meter) -> Outcome {
        let (mut loaded, update, connection) = self.loaded().await;
        let mut colors = Colors::new();
        measure!(meter, {
            loaded.hair_color = colors.next_color();
            connection.exec_drop(&update, (&loaded.hair_color, loaded.id)).await.unwrap()
        });
        Ok(())
    }

    async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
        let (mut loaded, update, connection) = self.loaded().await;
        let color = loaded.hair_color.clone();
        measure!(meter, {
            let before = loaded.clone();
            loaded.hair_color = color.clone();
            if loaded != before {
                connection.exec_drop(&update, (&loaded.hair_color, loaded.id)).await.unwrap();
            }
        });
        Ok(())
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        let mut held = Vec::new();
        for connection in &mut self.connections {
            let statement = connection.prep(BY_KEY).await.unwrap();
            held.push((connection, statement));
        }
        // A connection does one thing after the other; several work at once.
        let share = Keys::at_once().len() / held.len();
        measure!(meter, {
            let lookups = held.iter_mut().enumerate().map(async |(n, (connection, statement))| {
                let mut users = Vec::with_capacity(share);
                for key in Keys::at_once().skip(n * share).take(share) {
                    users.push(by_key(connection, statement, key).await);
                }
                users
            });
            join_all(lookups).await
        });
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        relations::has_many(self.connection(), meter).await;
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        relations::three_levels(self.connection(), meter).await;
        Ok(())
    }

    async fn commit_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        let clear = self.clear;
        graph::commit(self.connection(), users, meter, clear).await;
        Ok(())
    }

    async fn commit_changes(&mut self, meter: &mut Meter) -> Outcome {
        let clear = self.clear;
        graph::change(self.connection(), meter, clear).await;
        Ok(())
    }

    async fn delete_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        let clear = self.clear;
        graph::delete(self.connection(), users, meter, clear).await;
        Ok(())
    }
}

impl Floor {
    fn connection(&mut self) -> &mut Conn {
        &mut self.connections[0]
    }

    /// A loaded user, and the statement that writes it.
    async fn loaded(&mut self) -> (User, Statement, &mut Conn) {
        let connection = self.connection();
        let statement = connection.prep(BY_KEY).await.unwrap();
        let loaded = by_key(connection, &statement, 1).await;
        let update = connection.prep(UPDATE).await.unwrap();
        (loaded, update, connection)
    }
}

fn options(place: &Place) -> Opts {
    let server = &place.server;
    let options = OptsBuilder::default().socket(Some(&server.socket)).user(Some(&server.user));
    options.db_name(Some(&server.database)).into()
}
