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

pub struct Post {
    pub id: i32,
    pub user_id: i32,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    title: String,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    body: Option<String>,
}

pub struct Comment {
    #[expect(dead_code, reason = "read to be compared with what others read")]
    id: i32,
    pub post_id: i32,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    text: String,
}

pub fn user(row: &Row) -> User {
    User { id: row.get(0), name: row.get(1), hair_color: row.get(2) }
}

pub fn user_and_post(row: &Row) -> (User, Option<Post>) {
    (user(row), row.get::<_, Option<i32>>(3).map(|_| post_at(row, 3)))
}

pub fn post(row: &Row) -> Post {
    post_at(row, 0)
}

fn post_at(row: &Row, first: usize) -> Post {
    let (title, body) = (row.get(first + 2), row.get(first + 3));
    Post { id: row.get(first), user_id: row.get(first + 1), title, body }
}

pub fn comment(row: &Row) -> Comment {
    Comment { id: row.get(0), post_id: row.get(1), text: row.get(2) }
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
