//! Rows, read by the index of their columns.

use mysql_async::prelude::*;
use mysql_async::{Conn, Params, Row, Statement};

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

pub fn user(row: &mut Row) -> User {
    User { id: row.take(0).unwrap(), name: row.take(1).unwrap(), hair_color: row.take(2).unwrap() }
}

pub fn user_and_post(row: &mut Row) -> (User, Option<Post>) {
    let user = user(row);
    let id: Option<i32> = row.take(3).unwrap();
    (user, id.map(|id| post_after(id, row, 4)))
}

pub fn post(row: &mut Row) -> Post {
    post_after(row.take(0).unwrap(), row, 1)
}

fn post_after(id: i32, row: &mut Row, first: usize) -> Post {
    let (title, body) = (row.take(first + 1).unwrap(), row.take(first + 2).unwrap());
    Post { id, user_id: row.take(first).unwrap(), title, body }
}

pub fn comment(row: &mut Row) -> Comment {
    Comment { id: row.take(0).unwrap(), post_id: row.take(1).unwrap(), text: row.take(2).unwrap() }
}

/// As they arrive.
pub async fn all<T>(
    connection: &mut Conn,
    statement: &Statement,
    values: impl Into<Params> + Send,
    read: impl Fn(&mut Row) -> T + Send,
) -> Vec<T>
where
    T: Send,
{
    let mut result = connection.exec_iter(statement, values.into()).await.unwrap();
    let mut read_rows = Vec::new();
    while let Some(mut row) = result.next().await.unwrap() {
        read_rows.push(read(&mut row));
    }
    read_rows
}

pub async fn by_key(connection: &mut Conn, statement: &Statement, key: i32) -> User {
    user(&mut connection.exec_first(statement, (key,)).await.unwrap().unwrap())
}
