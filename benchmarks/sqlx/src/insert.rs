//! Inserting: the statement's text is made once, and SQLx keeps it prepared.

use harness::data::{NewUser, new_users};
use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr as _, SqlStr};

use crate::backend::Db;

type Connection = <Db as sqlx::Database>::Connection;

/// Rows per statement where there are many.
const CHUNK: usize = 1_000;

/// An insert of some number of rows.
pub struct Insert {
    rows: usize,
    sql: SqlStr,
}

impl Insert {
    pub fn new(rows: usize) -> Self {
        let values = if cfg!(feature = "postgres") {
            "SELECT * FROM unnest($1::text[], $2::text[])".to_owned()
        } else {
            format!("VALUES {}", vec!["(?, ?)"; rows.min(CHUNK)].join(", "))
        };
        let sql = format!("INSERT INTO users (name, hair_color) {values} RETURNING id");
        Self { rows, sql: AssertSqlSafe(sql).into_sql_str() }
    }

    pub async fn run(&self, connection: &mut Connection) -> (Vec<NewUser>, Vec<i32>) {
        let users: Vec<NewUser> = new_users(self.rows).collect();
        if self.rows <= CHUNK {
            let keys = self.chunk(connection, &users).await;
            return (users, keys);
        }
        assert!(self.rows.is_multiple_of(CHUNK));
        let mut keys = Vec::with_capacity(self.rows);
        let mut transaction = connection.begin().await.unwrap();
        for chunk in users.chunks(CHUNK) {
            keys.extend(self.chunk(&mut transaction, chunk).await);
        }
        transaction.commit().await.unwrap();
        (users, keys)
    }

    #[cfg(feature = "postgres")]
    async fn chunk(&self, connection: &mut Connection, users: &[NewUser]) -> Vec<i32> {
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let colors: Vec<Option<&str>> = users.iter().map(|user| user.hair_color.as_deref()).collect();
        sqlx::query_scalar(self.sql.clone()).bind(names).bind(colors).fetch_all(connection).await.unwrap()
    }

    #[cfg(not(feature = "postgres"))]
    async fn chunk(&self, connection: &mut Connection, users: &[NewUser]) -> Vec<i32> {
        let mut query = sqlx::query_scalar(self.sql.clone());
        for user in users {
            query = query.bind(&user.name).bind(&user.hair_color);
        }
        query.fetch_all(connection).await.unwrap()
    }
}
