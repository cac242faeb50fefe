//! Inserting. Only arrays are cached as statements: a vector's SQL is written and prepared at every call.

use diesel_async::AsyncConnection as _;
use harness::data::new_users;

use crate::backend::Raw;
use crate::models::{NewUser, users};

/// Rows per statement where there are many.
const CHUNK: usize = 1_000;

/// Gives their keys.
pub async fn rows(connection: &mut Raw, rows: usize) -> Vec<i32> {
    match rows {
        1 => insert::<1>(connection).await,
        10 => insert::<10>(connection).await,
        25 => insert::<25>(connection).await,
        50 => insert::<50>(connection).await,
        100 => insert::<100>(connection).await,
        CHUNK => insert::<CHUNK>(connection).await,
        _ => chunks(connection, rows).await,
    }
}

async fn chunks(connection: &mut Raw, rows: usize) -> Vec<i32> {
    assert!(rows.is_multiple_of(CHUNK));
    let insert_all = async |connection: &mut Raw| {
        let mut keys = Vec::with_capacity(rows);
        for _ in 0..rows / CHUNK {
            keys.extend(insert::<CHUNK>(connection).await);
        }
        Ok::<_, diesel::result::Error>(keys)
    };
    connection.transaction(insert_all).await.unwrap()
}

fn new<const N: usize>() -> Box<[NewUser; N]> {
    let mut users = new_users(N).map(NewUser::from);
    Box::new(std::array::from_fn(|_| users.next().unwrap()))
}

/// On Diesel's own connection: through the async traits only single rows can be inserted.
#[cfg(feature = "sqlite")]
async fn insert<const N: usize>(connection: &mut Raw) -> Vec<i32> {
    use diesel::RunQueryDsl;
    let insert = diesel::insert_into(users::table).values(new::<N>()).returning(users::id);
    connection.spawn_blocking(move |connection| insert.get_results(connection)).await.unwrap()
}

#[cfg(feature = "postgres")]
async fn insert<const N: usize>(connection: &mut Raw) -> Vec<i32> {
    use diesel_async::RunQueryDsl;
    let insert = diesel::insert_into(users::table).values(new::<N>()).returning(users::id);
    insert.get_results(connection).await.unwrap()
}

/// Diesel has no RETURNING for MariaDB: the keys of one statement follow each other.
#[cfg(feature = "mariadb")]
async fn insert<const N: usize>(connection: &mut Raw) -> Vec<i32> {
    use diesel::sql_types::{BigInt, Unsigned};
    use diesel_async::RunQueryDsl;
    diesel::insert_into(users::table).values(new::<N>()).execute(connection).await.unwrap();
    let last = diesel::dsl::sql::<Unsigned<BigInt>>("LAST_INSERT_ID()");
    let first: u64 = diesel::select(last).get_result(connection).await.unwrap();
    (first as i32..).take(N).collect()
}
