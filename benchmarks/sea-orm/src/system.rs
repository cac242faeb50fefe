//! The cases.

use futures_util::future::join_all;
use harness::data::{Colors, Keys, NewPost, NewUser, OF_EACH, OwnColors, WANTED_COLOR, new_posts, new_users};
use harness::{Meter, Outcome, Place, System, measure};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    EntityTrait as _, IntoActiveModel as _, NotSet, QueryFilter as _, Set, TransactionTrait as _,
};

use crate::models::{comments, posts, users};

/// Rows per statement where there are many.
const CHUNK: usize = 1_000;

pub struct Peer {
    db: DatabaseConnection,
    clear: &'static [&'static str],
}

impl System for Peer {
    async fn open(place: &Place) -> Self {
        let mut options = ConnectOptions::new(url(place));
        options.max_connections(place.connections as u32).sqlx_logging(false);
        Self { db: Database::connect(options).await.unwrap(), clear: place.clear }
    }

    async fn execute(&mut self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, users::Entity::find().all(&self.db).await.unwrap());
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, {
            let query = users::Entity::find().find_also_related(posts::Entity);
            query.filter(users::Column::HairColor.eq(WANTED_COLOR)).all(&self.db).await.unwrap()
        });
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        match rows {
            1 => measure!(meter, {
                new_users(1).map(active).next().unwrap().insert(&self.db).await.unwrap()
            }, after: self.execute_all(self.clear).await),
            2..=CHUNK => measure!(meter, {
                insert_many(new_users(rows), &self.db).await
            }, after: self.execute_all(self.clear).await),
            _ => measure!(meter, insert_chunks(rows, &self.db).await, after: self.execute_all(self.clear).await),
        }
        Ok(())
    }

    async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
        let mut keys = Keys::new();
        measure!(meter, by_key(&self.db, keys.next_key()).await);
        Ok(())
    }

    async fn update(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&self.db, 1).await;
        let mut colors = Colors::new();
        measure!(meter, {
            let mut active = user.into_active_model();
            active.hair_color = Set(colors.next_color());
            user = active.update(&self.db).await.unwrap();
        });
        Ok(())
    }

    async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
        let mut user = by_key(&self.db, 1).await;
        let color = user.hair_color.clone();
        measure!(meter, {
            let mut active = user.into_active_model();
            active.hair_color.set_if_not_equals(color.clone());
            // It reads the row where there is nothing to write.
            user = active.update(&self.db).await.unwrap();
        });
        Ok(())
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        let db = &self.db;
        measure!(meter, join_all(Keys::at_once().map(|key| by_key(db, key))).await);
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, users::Entity::load().with(posts::Entity).all(&self.db).await.unwrap());
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        measure!(meter, { users::Entity::load().with((posts::Entity, comments::Entity)).all(&self.db).await.unwrap() });
        Ok(())
    }

    async fn commit_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        measure!(meter, save_graph(users, &self.db).await, after: self.execute_all(self.clear).await);
        Ok(())
    }

    async fn commit_changes(&mut self, meter: &mut Meter) -> Outcome {
        let mut users = users::Entity::find().all(&self.db).await.unwrap();
        let mut colors = OwnColors::new();
        measure!(meter, {
            let transaction = self.db.begin().await.unwrap();
            let mut written = Vec::with_capacity(users.len());
            for (user, color) in users.into_iter().zip(colors.next_colors()) {
                let mut active = user.into_active_model();
                active.hair_color = Set(color);
                written.push(active.update(&transaction).await.unwrap());
            }
            transaction.commit().await.unwrap();
            users = written;
        }, after: self.execute_all(self.clear).await);
        Ok(())
    }

    async fn delete_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        measure!(meter, given: graph = save_graph(users, &self.db).await, {
            let transaction = self.db.begin().await.unwrap();
            for user in &graph {
                // It looks for the posts of each, and for the comments of each of these.
                user.clone().delete(&transaction).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }, after: self.execute_all(self.clear).await);
        Ok(())
    }
}

async fn by_key(db: &DatabaseConnection, key: i32) -> users::Model {
    users::Entity::find_by_id(key).one(db).await.unwrap().unwrap()
}

fn active(user: NewUser) -> users::ActiveModel {
    users::ActiveModel { id: NotSet, name: Set(user.name), hair_color: Set(user.hair_color) }
}

#[cfg(not(feature = "mariadb"))]
async fn insert_many(users: impl Iterator<Item = NewUser>, db: &impl ConnectionTrait) -> Vec<i32> {
    users::Entity::insert_many(users.map(active)).exec_with_returning_keys(db).await.unwrap()
}

/// SeaORM has no RETURNING for MariaDB that works: the keys of one statement follow each other.
#[cfg(feature = "mariadb")]
async fn insert_many(users: impl ExactSizeIterator<Item = NewUser>, db: &impl ConnectionTrait) -> Vec<i32> {
    let rows = users.len();
    let inserted = users::Entity::insert_many(users.map(active)).exec(db).await.unwrap();
    (inserted.last_insert_id.unwrap()..).take(rows).collect()
}

async fn insert_chunks(rows: usize, db: &DatabaseConnection) -> Vec<i32> {
    assert!(rows.is_multiple_of(CHUNK));
    let mut users = new_users(rows);
    let mut keys = Vec::with_capacity(rows);
    let transaction = db.begin().await.unwrap();
    for _ in 0..rows / CHUNK {
        let chunk: Vec<NewUser> = users.by_ref().take(CHUNK).collect();
        keys.extend(insert_many(chunk.into_iter(), &transaction).await);
    }
    transaction.commit().await.unwrap();
    keys
}

/// Each user is saved with their posts, row by row.
async fn save_graph(users: usize, db: &DatabaseConnection) -> Vec<users::ActiveModelEx> {
    let mut posts = new_posts(users);
    let transaction = db.begin().await.unwrap();
    let mut saved = Vec::with_capacity(users);
    for user in new_users(users) {
        let new = users::ActiveModel::builder().set_name(user.name).set_hair_color(user.hair_color);
        let post = |post: NewPost| posts::ActiveModel::builder().set_title(post.title).set_body(post.body);
        let new = posts.by_ref().take(OF_EACH).map(post).fold(new, users::ActiveModelEx::add_post);
        saved.push(new.save(&transaction).await.unwrap());
    }
    transaction.commit().await.unwrap();
    saved
}

fn url(place: &Place) -> String {
    let server = &place.server;
    let (user, port, socket, database) = (&server.user, server.port, &server.socket, &server.database);
    if cfg!(feature = "postgres") {
        format!("postgres://{user}@localhost:{port}/{database}?host={socket}")
    } else if cfg!(feature = "mariadb") {
        format!("mysql://{user}@localhost:{port}/{database}?socket={socket}")
    } else {
        place.file.as_ref().map_or("sqlite::memory:".to_owned(), |file| format!("sqlite:{file}?mode=rwc"))
    }
}
