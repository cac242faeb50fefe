//! Inserting: several rows per statement. The keys of one statement follow each other.

use harness::data::{NewUser, new_users};
use mysql_async::prelude::*;
use mysql_async::{Conn, Params, Statement, TxOpts, Value};

/// Rows per statement where there are many.
const CHUNK: usize = 1_000;

/// A prepared insert of some number of rows.
pub struct Insert {
    rows: usize,
    statement: Statement,
}

impl Insert {
    pub async fn prepare(connection: &mut Conn, rows: usize) -> Self {
        let values = vec!["(?, ?)"; rows.min(CHUNK)].join(", ");
        let sql = format!("INSERT INTO users (name, hair_color) VALUES {values}");
        Self { rows, statement: connection.prep(sql).await.unwrap() }
    }

    pub async fn run(&self, connection: &mut Conn) -> (Vec<NewUser>, Vec<u64>) {
        let users: Vec<NewUser> = new_users(self.rows).collect();
        let mut keys = Vec::with_capacity(self.rows);
        if self.rows <= CHUNK {
            self.chunk(connection, &users, &mut keys).await;
            return (users, keys);
        }
        assert!(self.rows.is_multiple_of(CHUNK));
        let mut transaction = connection.start_transaction(TxOpts::default()).await.unwrap();
        for chunk in users.chunks(CHUNK) {
            self.chunk(&mut transaction, chunk, &mut keys).await;
        }
        transaction.commit().await.unwrap();
        (users, keys)
    }

    async fn chunk(&self, connection: &mut impl Queryable, users: &[NewUser], keys: &mut Vec<u64>) {
        let value = |user: &NewUser| [Value::from(&user.name), Value::from(&user.hair_color)];
        let values: Vec<Value> = users.iter().flat_map(value).collect();
        let result = connection.exec_iter(&self.statement, Params::Positional(values)).await.unwrap();
        let first = result.last_insert_id().unwrap();
        result.drop_result().await.unwrap();
        keys.extend((first..).take(users.len()));
    }
}
