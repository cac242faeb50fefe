//! The cases.

use futures_util::future::join_all;
use harness::data::{Colors, Keys, WANTED_COLOR};
use harness::{Meter, Outcome, Place, System, measure};
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::rows::{User, all, user, user_and_post};
use crate::{graph, insert, relations};

pub const TRIVIAL: &str = "SELECT id, name, hair_color FROM users";
const MEDIUM: &str = "SELECT users.id, users.name, users.hair_color, posts.id, posts.user_id, posts.title, posts.body \
                      FROM users LEFT JOIN posts ON posts.user_id = users.id WHERE users.hair_color = $1";
const BY_KEY: &str = "SELECT id, name, hair_color FROM users WHERE id = $1";
const UPDATE: &str = "UPDATE users SET hair_color = $1 WHERE id = $2";

pub const NO_VALUES: [&str; 0] = [];

pub struct Floor {
    clients: Vec<Client>,
    clear: &'static [&'static str],
}

impl System for Floor {
    async fn open(place: &Place) -> Self {
        let mut clients = Vec::new();
        for _ in 0..place.connections {
            clients.push(connect(place).await);
        }
        Self { clients, clear: place.clear }
    }

    async fn execute(&mut self, sql: &str) {
        self.client().batch_execute(sql).await.unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        let client = self.client();
        let statement = client.prepare(TRIVIAL).await.unwrap();
        measure!(meter, all(client.query_raw(&statement, NO_VALUES).await.unwrap(), user).await);
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        let client = self.client();
        let statement = client.prepare(MEDIUM).await.unwrap();
        measure!(meter, all(client.query_raw(&statement, [WANTED_COLOR]).await.unwrap(), user_and_post).await);
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        match rows {
            1 => insert::one(self.client(), meter, self.clear).await,
            _ => insert::many(self.client(), rows, meter, self.clear).await,
        }
        Ok(())
    }

    async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
        let mut keys = Keys::new();
        let client = self.client();
        let statement = client.prepare(BY_KEY).await.unwrap();
        measure!(meter, by_key(client, &statement, keys.next_key()).await);
        Ok(())
    }

    async fn update(&mut self, meter: &mut Meter) -> Outcome {
        let client = self.client();
        let mut loaded = by_key(client, &client.prepare(BY_KEY).await.unwrap(), 1).await;
        let mut colors = Colors::new();
        let statement = client.prepare(UPDATE).await.unwrap();
        measure!(meter, {
            loaded.hair_color = colors.next_color();
            client.execute(&statement, &[&loaded.hair_color, &loaded.id]).await.unwrap()
        });
        Ok(())
    }

    async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
        let client = self.client();
        let mut loaded = by_key(client, &client.prepare(BY_KEY).await.unwrap(), 1).await;
        let statement = client.prepare(UPDATE).await.unwrap();
        let color = loaded.hair_color.clone();
        measure!(meter, {
            let before = loaded.clone();
            loaded.hair_color = color.clone();
            if loaded != before {
                client.execute(&statement, &[&loaded.hair_color, &loaded.id]).await.unwrap();
            }
        });
        Ok(())
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        let mut held = Vec::new();
        for client in &self.clients {
            held.push((client, client.prepare(BY_KEY).await.unwrap()));
        }
        // Several on one connection are sent without waiting for each other's answers.
        measure!(meter, {
            let lookup = |(n, key)| {
                let (client, statement): &(&Client, Statement) = &held[n % held.len()];
                by_key(client, statement, key)
            };
            join_all(Keys::at_once().enumerate().map(lookup)).await
        });
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        relations::has_many(self.client(), meter).await;
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        relations::three_levels(self.client(), meter).await;
        Ok(())
    }

    async fn commit_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        graph::commit(&mut self.clients[0], users, meter, self.clear).await;
        Ok(())
    }

    async fn commit_changes(&mut self, meter: &mut Meter) -> Outcome {
        graph::change(&mut self.clients[0], meter, self.clear).await;
        Ok(())
    }

    async fn delete_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        graph::delete(&mut self.clients[0], users, meter, self.clear).await;
        Ok(())
    }
}

impl Floor {
    fn client(&self) -> &Client {
        &self.clients[0]
    }
}

async fn connect(place: &Place) -> Client {
    let server = &place.server;
    let mut config = Config::new();
    config.user(&server.user).dbname(&server.database).host_path(&server.socket).port(server.port);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(async move { connection.await.unwrap() });
    client
}

async fn by_key(client: &Client, statement: &Statement, key: i32) -> User {
    user(&client.query_one(statement, &[&key]).await.unwrap())
}
