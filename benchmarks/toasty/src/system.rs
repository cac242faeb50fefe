//! The cases.

use futures_util::future::join_all;
use harness::data::{Colors, Keys, NewUser, WANTED_COLOR, new_users};
use harness::{Meter, Outcome, Place, System, measure};
use toasty::{Db, Executor};

use crate::models::User;

/// Rows per statement where there are many.
const CHUNK: usize = 1_000;

pub struct Peer {
    db: Db,
    clear: &'static [&'static str],
}

impl System for Peer {
    async fn open(place: &Place) -> Self {
        let mut builder = Db::builder();
        builder.models(toasty::models!(crate::*)).max_pool_size(place.connections);
        Self { db: builder.connect(&url(place)).await.unwrap(), clear: place.clear }
    }

    async fn execute(&mut self, sql: &str) {
        toasty::sql::statement(sql).exec(&mut self.db).await.unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, User::all().exec(&mut self.db).await.unwrap());
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, {
            // It loads the posts by a query of their own.
            let wanted = User::fields().hair_color().eq(WANTED_COLOR.to_owned());
            User::filter(wanted).include(User::fields().posts()).exec(&mut self.db).await.unwrap()
        });
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        match rows {
            0..=CHUNK => measure!(meter, {
                insert_many(new_users(rows), &mut self.db).await
            }, after: self.execute_all(self.clear).await),
            _ => measure!(meter, insert_chunks(rows, &mut self.db).await, after: self.execute_all(self.clear).await),
        }
        Ok(())
    }

    async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
        let mut keys = Keys::new();
        measure!(meter, by_key(&mut self.db, keys.next_key()).await);
        Ok(())
    }

    async fn update(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&mut self.db, 1).await;
        let mut colors = Colors::new();
        measure!(meter, user.update().hair_color(colors.next_color()).exec(&mut self.db).await.unwrap());
        Ok(())
    }

    async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&mut self.db, 1).await;
        let color = user.hair_color.clone();
        // It writes what it is given.
        measure!(meter, user.update().hair_color(color.clone()).exec(&mut self.db).await.unwrap());
        Ok(())
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        let db = &self.db;
        measure!(meter, {
            join_all(Keys::at_once().map(|key| async move { by_key(&mut db.clone(), key).await })).await
        });
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, User::all().include(User::fields().posts()).exec(&mut self.db).await.unwrap());
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, { User::all().include(User::fields().posts().comments()).exec(&mut self.db).await.unwrap() });
        Ok(())
    }
}

async fn by_key(db: &mut Db, key: i32) -> User {
    User::get_by_id(db, key).await.unwrap()
}

async fn insert_many(users: impl Iterator<Item = NewUser>, db: &mut dyn Executor) -> Vec<User> {
    let create = |user: NewUser| User::create().name(user.name).hair_color(user.hair_color);
    let insert = users.map(create).fold(User::create_many(), |many, user| many.item(user));
    insert.exec(db).await.unwrap()
}

async fn insert_chunks(rows: usize, db: &mut Db) -> Vec<User> {
    assert!(rows.is_multiple_of(CHUNK));
    let mut users = new_users(rows);
    let mut inserted = Vec::with_capacity(rows);
    let mut transaction = db.transaction().await.unwrap();
    for _ in 0..rows / CHUNK {
        let chunk: Vec<NewUser> = users.by_ref().take(CHUNK).collect();
        inserted.extend(insert_many(chunk.into_iter(), &mut transaction).await);
    }
    transaction.commit().await.unwrap();
    inserted
}

fn url(place: &Place) -> String {
    let server = &place.server;
    let (user, port, socket, database) = (&server.user, server.port, &server.socket, &server.database);
    if cfg!(feature = "postgres") {
        format!("postgresql://{user}@localhost:{port}/{database}?host={socket}")
    } else if cfg!(feature = "mariadb") {
        format!("mariadb://{user}@localhost:{port}/{database}?socket={socket}")
    } else {
        place.file.as_ref().map_or("sqlite::memory:".to_owned(), |file| format!("sqlite:{file}"))
    }
}
