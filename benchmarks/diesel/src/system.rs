//! The cases.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use harness::data::{Colors, Keys, WANTED_COLOR};
use harness::{Meter, Outcome, Place, System, measure};

use crate::backend::{self, Raw};
use crate::insert;
use crate::models::{Comment, Post, User, posts, users};

pub struct Diesel {
    connection: Raw,
    /// Where there are several connections.
    pool: Option<Pool<ConnectionManager<Raw>>>,
    clear: &'static [&'static str],
}

impl System for Diesel {
    async fn open(place: &Place) -> Self {
        let url = backend::url(place);
        let mut connection = Raw::establish(&url).unwrap();
        backend::set_up(&mut connection);
        let build = || {
            let pool = Pool::builder().max_size(place.connections as u32);
            pool.build(ConnectionManager::new(url)).unwrap()
        };
        let pool = (place.connections > 1).then(build);
        Self { connection, pool, clear: place.clear }
    }

    async fn execute(&mut self, sql: &str) {
        self.connection.batch_execute(sql).unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, users::table.load::<User>(&mut self.connection).unwrap());
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, {
            let query = users::table.left_join(posts::table).filter(users::hair_color.eq(WANTED_COLOR));
            query.load::<(User, Option<Post>)>(&mut self.connection).unwrap()
        });
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        insert::measured(&mut self.connection, rows, meter, self.clear);
        Ok(())
    }

    async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
        let mut keys = Keys::new();
        measure!(meter, by_key(&mut self.connection, keys.next_key()));
        Ok(())
    }

    async fn update(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&mut self.connection, 1);
        let mut colors = Colors::new();
        measure!(meter, {
            user.hair_color = colors.next_color();
            let update = diesel::update(users::table.find(user.id)).set(users::hair_color.eq(&user.hair_color));
            update.execute(&mut self.connection).unwrap()
        });
        Ok(())
    }

    async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&mut self.connection, 1);
        let color = user.hair_color.clone();
        measure!(meter, {
            user.hair_color = color.clone();
            // It writes every column: nothing remembers what they were.
            user.save_changes::<User>(&mut self.connection).unwrap()
        });
        Ok(())
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        // Nothing waits for anything here: at once is one after the other.
        match &self.pool {
            None => {
                measure!(meter, { Keys::at_once().map(|key| by_key(&mut self.connection, key)).collect::<Vec<User>>() })
            }
            Some(pool) => measure!(meter, {
                Keys::at_once().map(|key| by_key(&mut pool.get().unwrap(), key)).collect::<Vec<User>>()
            }),
        }
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        let connection = &mut self.connection;
        measure!(meter, {
            let users: Vec<User> = users::table.load(connection).unwrap();
            let posts: Vec<Post> = Post::belonging_to(&users).load(connection).unwrap();
            let posts = posts.grouped_by(&users);
            users.into_iter().zip(posts).collect::<Vec<(User, Vec<Post>)>>()
        });
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        let connection = &mut self.connection;
        measure!(meter, {
            let users: Vec<User> = users::table.load(connection).unwrap();
            let posts: Vec<Post> = Post::belonging_to(&users).load(connection).unwrap();
            let comments: Vec<Comment> = Comment::belonging_to(&posts).load(connection).unwrap();
            let comments = comments.grouped_by(&posts);
            let posts = posts.into_iter().zip(comments).grouped_by(&users);
            users.into_iter().zip(posts).collect::<Vec<(User, Vec<(Post, Vec<Comment>)>)>>()
        });
        Ok(())
    }
}

fn by_key(connection: &mut Raw, key: i32) -> User {
    users::table.find(key).get_result(connection).unwrap()
}
