//! Inserting. Only arrays are cached as statements: a vector's SQL is written and prepared at every call.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use harness::data::new_users;
use harness::{Meter, measure};

use crate::backend::Raw;
use crate::models::{NewUser, users};

/// Rows per statement where there are many.
const CHUNK: usize = 1_000;

pub fn measured(connection: &mut Raw, rows: usize, meter: &mut Meter, clear: &[&str]) {
    match rows {
        1 => array::<1>(connection, meter, clear),
        10 => array::<10>(connection, meter, clear),
        25 => array::<25>(connection, meter, clear),
        50 => array::<50>(connection, meter, clear),
        100 => array::<100>(connection, meter, clear),
        CHUNK => array::<CHUNK>(connection, meter, clear),
        _ => chunks(connection, rows, meter, clear),
    }
}

fn array<const N: usize>(connection: &mut Raw, meter: &mut Meter, clear: &[&str]) {
    measure!(meter, insert::<N>(connection), after: execute_all(connection, clear));
}

fn chunks(connection: &mut Raw, rows: usize, meter: &mut Meter, clear: &[&str]) {
    assert!(rows.is_multiple_of(CHUNK));
    measure!(meter, {
        let insert_all = |connection: &mut Raw| {
            let mut keys = Vec::with_capacity(rows);
            for _ in 0..rows / CHUNK {
                keys.extend(insert::<CHUNK>(connection));
            }
            Ok::<_, diesel::result::Error>(keys)
        };
        connection.transaction(insert_all).unwrap()
    }, after: execute_all(connection, clear));
}

fn execute_all(connection: &mut Raw, statements: &[&str]) {
    statements.iter().for_each(|statement| connection.batch_execute(statement).unwrap());
}

fn insert<const N: usize>(connection: &mut Raw) -> Vec<i32> {
    let mut users = new_users(N).map(NewUser::from);
    let users: Box<[NewUser; N]> = Box::new(std::array::from_fn(|_| users.next().unwrap()));
    diesel::insert_into(users::table).values(users).returning(users::id).get_results(connection).unwrap()
}
