//! Inserting: several rows per statement, and the keys read back.

use harness::data::{NewUser, new_users};
use harness::{Meter, measure};
use rusqlite::{Connection, Statement};

use crate::statements::Statements;

/// Rows per statement where there are many: more do not make it faster.
pub const CHUNK: usize = 100;

pub fn one<S: Statements>(connection: &Connection, meter: &mut Meter, clear: &[&str]) {
    let mut kept = S::keep(connection, "INSERT INTO users (name, hair_color) VALUES (?, ?)");
    measure!(meter, {
        let users: Vec<NewUser> = new_users(1).collect();
        let keys: Vec<i64> = {
            let mut statement = S::ready(&mut kept);
            users.iter().map(|user| statement.insert((&user.name, &user.hair_color)).unwrap()).collect()
        };
        (users, keys)
    }, after: execute_all(connection, clear));
}

pub fn one_statement<S: Statements>(connection: &Connection, rows: usize, meter: &mut Meter, clear: &[&str]) {
    let sql = statement_of(rows);
    let mut kept = S::keep(connection, &sql);
    measure!(meter, {
        let users: Vec<NewUser> = new_users(rows).collect();
        let mut keys = Vec::with_capacity(rows);
        insert(&mut S::ready(&mut kept), &users, &mut keys);
        (users, keys)
    }, after: execute_all(connection, clear));
}

pub fn chunks<S: Statements>(connection: &Connection, rows: usize, meter: &mut Meter, clear: &[&str]) {
    assert!(rows.is_multiple_of(CHUNK));
    let sql = statement_of(CHUNK);
    let mut kept = S::keep(connection, &sql);
    measure!(meter, {
        let users: Vec<NewUser> = new_users(rows).collect();
        let mut keys = Vec::with_capacity(rows);
        let transaction = connection.unchecked_transaction().unwrap();
        for chunk in users.chunks(CHUNK) {
            insert(&mut S::ready(&mut kept), chunk, &mut keys);
        }
        transaction.commit().unwrap();
        (users, keys)
    }, after: execute_all(connection, clear));
}

pub fn execute_all(connection: &Connection, statements: &[&str]) {
    statements.iter().for_each(|statement| connection.execute_batch(statement).unwrap());
}

pub fn statement_of(rows: usize) -> String {
    format!("INSERT INTO users (name, hair_color) VALUES {} RETURNING id", vec!["(?, ?)"; rows].join(", "))
}

fn insert(statement: &mut Statement<'_>, users: &[NewUser], keys: &mut Vec<i64>) {
    users.iter().enumerate().for_each(|(n, user)| bind_user(statement, n, user));
    self::keys(statement, keys);
}

pub fn bind_user(statement: &mut Statement<'_>, n: usize, user: &NewUser) {
    statement.raw_bind_parameter(2 * n + 1, &user.name).unwrap();
    statement.raw_bind_parameter(2 * n + 2, &user.hair_color).unwrap();
}

/// Runs an INSERT whose values are bound, and takes its keys.
pub fn keys(statement: &mut Statement<'_>, keys: &mut Vec<i64>) {
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().unwrap() {
        keys.push(row.get(0).unwrap());
    }
}
