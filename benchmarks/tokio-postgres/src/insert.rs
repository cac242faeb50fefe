//! Inserting: one statement for any number of rows, and the keys read back.

use harness::data::{NewUser, new_users};
use harness::{Meter, measure};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::rows::all;

pub async fn one(client: &Client, meter: &mut Meter, clear: &[&str]) {
    let sql = "INSERT INTO users (name, hair_color) VALUES ($1, $2) RETURNING id";
    let statement = client.prepare(sql).await.unwrap();
    measure!(meter, {
        let user = new_users(1).next().unwrap();
        let row = client.query_one(&statement, &[&user.name, &user.hair_color]).await.unwrap();
        (row.get::<_, i32>(0), user)
    }, after: execute_all(client, clear).await);
}

pub async fn many(client: &Client, rows: usize, meter: &mut Meter, clear: &[&str]) {
    let sql = "INSERT INTO users (name, hair_color) SELECT * FROM unnest($1::text[], $2::text[]) RETURNING id";
    let statement = client.prepare(sql).await.unwrap();
    measure!(meter, {
        let users: Vec<NewUser> = new_users(rows).collect();
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let colors: Vec<Option<&str>> = users.iter().map(|user| user.hair_color.as_deref()).collect();
        let parameters: [&(dyn ToSql + Sync); 2] = [&names, &colors];
        let inserted = client.query_raw(&statement, parameters).await.unwrap();
        (all(inserted, |row| row.get::<_, i32>(0)).await, users)
    }, after: execute_all(client, clear).await);
}

pub async fn execute_all(client: &Client, statements: &[&str]) {
    for statement in statements {
        client.batch_execute(statement).await.unwrap();
    }
}
