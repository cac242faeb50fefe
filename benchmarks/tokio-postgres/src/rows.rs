//! Rows, read by the index of their columns.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::{Row, RowStream};

#[derive(Clone, PartialEq)]
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

pub fn user(row: &Row) -> User {
    User { id: row.get(0), name: row.get(1), hair_color: row.get(2) }
}

pub fn user_and_post(row: &Row) -> (User, Option<Post>) {
    let post = |id| Post { id, user_id: row.get(4), title: row.get(5), body: row.get(6) };
    (user(row), row.get::<_, Option<i32>>(3).map(post))
}

/// As they arrive: a vector of the driver's rows first would cost a quarter more.
pub async fn all<T>(rows: RowStream, read: impl Fn(&Row) -> T) -> Vec<T> {
    let mut rows = pin!(rows);
    let mut read_rows = Vec::new();
    while let Some(row) = rows.try_next().await.unwrap() {
        read_rows.push(read(&row));
    }
    read_rows
}
