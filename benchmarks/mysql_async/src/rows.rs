//! Rows, read by the index of their columns.

use mysql_async::prelude::*;
use mysql_async::{Conn, Params, Row, Statement};

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

pub fn user(row: &mut Row) -> User {
    User { id: row.take(0).unwrap(), name: row.take(1).unwrap(), hair_color: row.take(2).unwrap() }
}

pub fn user_and_post(row: &mut Row) -> (User, Option<Post>) {
    let user = user(row);
    let id: Option<i32> = row.take(3).unwrap();
    let post = id.map(|id| Post {
        id,
        user_id: row.take(4).unwrap(),
        title: row.take(5).unwrap(),
        body: row.take(6).unwrap(),
    });
    (user, post)
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
