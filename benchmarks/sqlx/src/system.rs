//! The cases.

use futures_util::future::join_all;
use harness::data::{Colors, Keys, WANTED_COLOR};
use harness::{Meter, Outcome, Place, System, measure};
use sqlx::pool::PoolOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Pool};

use crate::backend::{Db, options, pick};
use crate::insert::Insert;
use crate::models::{Post, User, UserAndCells};
use crate::relations;

pub const TRIVIAL: &str = "SELECT id, name, hair_color FROM users";
const MEDIUM: &str = pick(
    "SELECT users.id, users.name, users.hair_color, posts.id AS post_id, posts.user_id, posts.title, posts.body \
     FROM users LEFT JOIN posts ON posts.user_id = users.id WHERE users.hair_color = ?",
    "SELECT users.id, users.name, users.hair_color, posts.id AS post_id, posts.user_id, posts.title, posts.body \
     FROM users LEFT JOIN posts ON posts.user_id = users.id WHERE users.hair_color = $1",
);
const BY_KEY: &str =
    pick("SELECT id, name, hair_color FROM users WHERE id = ?", "SELECT id, name, hair_color FROM users WHERE id = $1");
const UPDATE: &str =
    pick("UPDATE users SET hair_color = ? WHERE id = ?", "UPDATE users SET hair_color = $1 WHERE id = $2");

pub struct Peer {
    connection: <Db as sqlx::Database>::Connection,
    /// Where there are several connections.
    pool: Option<Pool<Db>>,
    clear: &'static [&'static str],
}

impl System for Peer {
    async fn open(place: &Place) -> Self {
        let connection = options(place).connect().await.unwrap();
        let pool = PoolOptions::new().max_connections(place.connections as u32).connect_lazy_with(options(place));
        Self { connection, pool: (place.connections > 1).then_some(pool), clear: place.clear }
    }

    async fn execute(&mut self, sql: &str) {
        self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, { sqlx::query_as::<_, User>(TRIVIAL).fetch_all(&mut self.connection).await.unwrap() });
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, {
            let query = sqlx::query_as::<_, UserAndCells>(MEDIUM).bind(WANTED_COLOR);
            let rows = query.fetch_all(&mut self.connection).await.unwrap();
            rows.into_iter().map(<(User, Option<Post>)>::from).collect::<Vec<_>>()
        });
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        let insert = Insert::new(rows);
        measure!(meter, insert.run(&mut self.connection).await, after: self.execute_all(self.clear).await);
        Ok(())
    }

    async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
        let mut keys = Keys::new();
        measure!(meter, by_key(&mut self.connection, keys.next_key()).await);
        Ok(())
    }

    async fn update(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&mut self.connection, 1).await;
        let mut colors = Colors::new();
        measure!(meter, {
            user.hair_color = colors.next_color();
            let update = sqlx::query(UPDATE).bind(&user.hair_color).bind(user.id);
            update.execute(&mut self.connection).await.unwrap()
        });
        Ok(())
    }

    async fn save_unchanged(&mut self, _meter: &mut Meter) -> Outcome {
        Err("it has no records that could be saved")
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        match &self.pool {
            // A connection does one thing after the other.
            None => measure!(meter, {
                let mut users = Vec::with_capacity(Keys::at_once().len());
                for key in Keys::at_once() {
                    users.push(by_key(&mut self.connection, key).await);
                }
                users
            }),
            Some(pool) => measure!(meter, join_all(Keys::at_once().map(|key| by_key(pool, key))).await),
        }
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        relations::has_many(&mut self.connection, meter).await;
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        relations::three_levels(&mut self.connection, meter).await;
        Ok(())
    }
}

async fn by_key<'c>(executor: impl sqlx::Executor<'c, Database = Db>, key: i32) -> User {
    sqlx::query_as(BY_KEY).bind(key).fetch_one(executor).await.unwrap()
}
