//! The cases.

use std::marker::PhantomData;

use harness::data::{Colors, Keys, WANTED_COLOR};
use harness::{Meter, Outcome, Place, System, measure};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Row, Rows};

use crate::statements::Statements;
use crate::{graph, insert, relations};

#[derive(Clone, PartialEq)]
pub struct User {
    pub id: i32,
    name: String,
    pub hair_color: Option<String>,
}

pub struct Post {
    pub id: i32,
    pub user_id: i32,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    title: String,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    body: Option<String>,
}

pub const TRIVIAL: &str = "SELECT id, name, hair_color FROM users";
const MEDIUM: &str = "SELECT users.id, users.name, users.hair_color, posts.id, posts.user_id, posts.title, posts.body \
                      FROM users LEFT JOIN posts ON posts.user_id = users.id WHERE users.hair_color = ?";
const BY_KEY: &str = "SELECT id, name, hair_color FROM users WHERE id = ?";
const UPDATE: &str = "UPDATE users SET hair_color = ? WHERE id = ?";

pub struct Floor<S> {
    connections: Vec<Connection>,
    clear: &'static [&'static str],
    mark: PhantomData<S>,
}

impl<S: Statements + Send> System for Floor<S> {
    async fn open(place: &Place) -> Self {
        let connections = (0..place.connections).map(|_| connect(place.file.as_deref())).collect();
        Self { connections, clear: place.clear, mark: PhantomData }
    }

    async fn execute(&mut self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
        let mut kept = S::keep(self.connection(), TRIVIAL);
        measure!(meter, {
            let mut statement = S::ready(&mut kept);
            all(statement.query([]).unwrap(), user)
        });
        Ok(())
    }

    async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
        let mut kept = S::keep(self.connection(), MEDIUM);
        measure!(meter, {
            let mut statement = S::ready(&mut kept);
            all(statement.query([WANTED_COLOR]).unwrap(), |row| Ok((user(row)?, post_if_any(row)?)))
        });
        Ok(())
    }

    async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
        let connection = self.connection();
        match rows {
            1 => insert::one::<S>(connection, meter, self.clear),
            2..=insert::CHUNK => insert::one_statement::<S>(connection, rows, meter, self.clear),
            _ => insert::chunks::<S>(connection, rows, meter, self.clear),
        }
        Ok(())
    }

    async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
        let mut keys = Keys::new();
        let mut kept = S::keep(self.connection(), BY_KEY);
        measure!(meter, by_key::<S>(&mut kept, keys.next_key()));
        Ok(())
    }

    async fn update(&mut self, meter: &mut Meter) -> Outcome {
        let mut loaded = by_key::<S>(&mut S::keep(self.connection(), BY_KEY), 1);
        let mut colors = Colors::new();
        let mut kept = S::keep(self.connection(), UPDATE);
        measure!(meter, {
            loaded.hair_color = colors.next_color();
            S::ready(&mut kept).execute((&loaded.hair_color, loaded.id)).unwrap()
        });
        Ok(())
    }

    async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
        let mut loaded = by_key::<S>(&mut S::keep(self.connection(), BY_KEY), 1);
        let mut kept = S::keep(self.connection(), UPDATE);
        let color = loaded.hair_color.clone();
        measure!(meter, {
            let before = loaded.clone();
            loaded.hair_color = color.clone();
            if loaded != before {
                S::ready(&mut kept).execute((&loaded.hair_color, loaded.id)).unwrap();
            }
        });
        Ok(())
    }

    async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
        // Nothing waits for anything here: at once is one after the other.
        let mut kept: Vec<_> = self.connections.iter().map(|connection| S::keep(connection, BY_KEY)).collect();
        measure!(meter, {
            let mut users = Vec::with_capacity(Keys::at_once().len());
            for (n, key) in Keys::at_once().enumerate() {
                let next = n % kept.len();
                users.push(by_key::<S>(&mut kept[next], key));
            }
            users
        });
        Ok(())
    }

    async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
        relations::has_many::<S>(self.connection(), meter);
        Ok(())
    }

    async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
        relations::three_levels::<S>(self.connection(), meter);
        Ok(())
    }

    async fn commit_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        graph::commit::<S>(self.connection(), users, meter, self.clear);
        Ok(())
    }

    async fn commit_changes(&mut self, meter: &mut Meter) -> Outcome {
        graph::change::<S>(self.connection(), meter, self.clear);
        Ok(())
    }

    async fn delete_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
        graph::delete::<S>(self.connection(), users, meter, self.clear);
        Ok(())
    }
}

impl<S> Floor<S> {
    fn connection(&self) -> &Connection {
        &self.connections[0]
    }
}

fn connect(file: Option<&str>) -> Connection {
    let connection = match file {
        None => Connection::open_in_memory().unwrap(),
        Some(file) => Connection::open(file).unwrap(),
    };
    if file.is_some() {
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").unwrap();
    }
    // Otherwise SQLite may prepare a statement again because a value was bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    connection
}

/// A loop: collecting from an iterator costs a twentieth more.
pub fn all<T>(mut rows: Rows<'_>, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut read_rows = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        read_rows.push(read(row).unwrap());
    }
    read_rows
}

fn by_key<S: Statements>(kept: &mut S::Kept<'_>, key: i32) -> User {
    S::ready(kept).query_row([key], user).unwrap()
}

pub fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, hair_color: row.get(2)? })
}

fn post_if_any(row: &Row<'_>) -> rusqlite::Result<Option<Post>> {
    let there: Option<i32> = row.get(3)?;
    there.map(|_| post(row, 3)).transpose()
}

/// Its columns begin at `first`.
pub fn post(row: &Row<'_>, first: usize) -> rusqlite::Result<Post> {
    let (title, body) = (row.get(first + 2)?, row.get(first + 3)?);
    Ok(Post { id: row.get(first)?, user_id: row.get(first + 1)?, title, body })
}
