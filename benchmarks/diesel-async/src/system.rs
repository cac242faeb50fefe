//! The cases.

use diesel::prelude::*;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::{AsyncConnection as _, RunQueryDsl, SaveChangesDsl, SimpleAsyncConnection as _};
use futures_util::future::join_all;
use harness::data::{Colors, Keys, WANTED_COLOR};
use harness::{Meter, Outcome, Place, System, measure};

use crate::backend::{self, Raw};
use crate::insert;
use crate::models::{Comment, Post, User, posts, users};

pub struct Peer {
    connection: Raw,
    /// Where there are several connections.
    pool: Option<Pool<Raw>>,
    clear: &'static [&'static str],
}

impl System for Peer {
    async fn open(place: &Place) -> Self {
        let url = backend::url(place);
        let mut connection = Raw::establish(&url).await.unwrap();
        backend::set_up(&mut connection).await;
        let build = || {
            let manager = AsyncDieselConnectionManager::<Raw>::new(url);
            Pool::builder(manager).max_size(place.connections).build().unwrap()
        };
        let pool = (place.connections > 1).then(build);
        Self { connection, pool, clear: place.clear }
    }

    async fn execute(&mut self, sql: &str) {
        self.connection.batch_execute(sql).await.unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, users::table.load::<User>(&mut self.connection).await.unwrap());
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, {
            let query = users::table.left_join(posts::table).filter(users::hair_color.eq(WANTED_COLOR));
            query.load::<(User, Option<Post>)>(&mut self.connection).await.unwrap()
        });
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        measure!(
            meter,
            insert::rows(&mut self.connection, rows).await,
            after: self.execute_all(self.clear).await
        );
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
            let update = diesel::update(users::table.find(user.id)).set(users::hair_color.eq(&user.hair_color));
            update.execute(&mut self.connection).await.unwrap()
        });
        Ok(())
    }

    async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&mut self.connection, 1).await;
        let color = user.hair_color.clone();
        measure!(meter, {
            user.hair_color = color.clone();
            // It writes every column: nothing remembers what they were.
            user.save_changes::<User>(&mut self.connection).await.unwrap()
        });
        Ok(())
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        match &self.pool {
            None => backend_lookups(&mut self.connection, meter).await,
            Some(pool) => {
                let lookup = async |key| by_key(&mut pool.get().await.unwrap(), key).await;
                measure!(meter, join_all(Keys::at_once().map(lookup)).await);
            }
        }
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        let connection = &mut self.connection;
        measure!(meter, {
            let users: Vec<User> = users::table.load(connection).await.unwrap();
            let posts: Vec<Post> = Post::belonging_to(&users).load(connection).await.unwrap();
            let posts = posts.grouped_by(&users);
            users.into_iter().zip(posts).collect::<Vec<(User, Vec<Post>)>>()
        });
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        let connection = &mut self.connection;
        measure!(meter, {
            let users: Vec<User> = users::table.load(connection).await.unwrap();
            let posts: Vec<Post> = Post::belonging_to(&users).load(connection).await.unwrap();
            let comments: Vec<Comment> = Comment::belonging_to(&posts).load(connection).await.unwrap();
            let comments = comments.grouped_by(&posts);
            let posts = posts.into_iter().zip(comments).grouped_by(&users);
            users.into_iter().zip(posts).collect::<Vec<(User, Vec<(Post, Vec<Comment>)>)>>()
        });
        Ok(())
    }
}

/// A shared connection sends them without waiting for each other's answers.
#[cfg(feature = "postgres")]
async fn backend_lookups(connection: &mut Raw, meter: &mut Meter) {
    let connection = &*connection;
    let lookup = async |key| users::table.find(key).get_result::<User>(&mut &*connection).await.unwrap();
    measure!(meter, join_all(Keys::at_once().map(lookup)).await);
}

/// A connection does one thing after the other.
#[cfg(not(feature = "postgres"))]
async fn backend_lookups(connection: &mut Raw, meter: &mut Meter) {
    measure!(meter, {
        let mut users = Vec::with_capacity(Keys::at_once().len());
        for key in Keys::at_once() {
            users.push(by_key(connection, key).await);
        }
        users
    });
}

async fn by_key(connection: &mut Raw, key: i32) -> User {
    users::table.find(key).get_result(connection).await.unwrap()
}
