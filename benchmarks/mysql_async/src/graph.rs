//! Units of work by hand: many rows per statement, in one transaction.

use harness::data::{NewPost, NewUser, OF_EACH, OwnColors, new_posts, new_users};
use harness::{Meter, measure};
use mysql_async::prelude::*;
use mysql_async::{Conn, Params, Statement, Transaction, TxOpts, Value};

use crate::rows::{all, user};
use crate::system::TRIVIAL;

/// Rows per statement.
const CHUNK: usize = 1_000;

/// Users and their posts, as they were written.
struct Graph {
    users: (Vec<NewUser>, Vec<u64>),
    posts: (Vec<NewPost>, Vec<u64>),
}

/// Those that insert users and posts.
struct Inserts(Statement, Statement);

impl Inserts {
    async fn prepare(connection: &mut Conn, users: usize) -> Self {
        assert!(users.is_multiple_of(CHUNK));
        let values = |row| vec![row; CHUNK].join(", ");
        let users = format!("INSERT INTO users (name, hair_color) VALUES {}", values("(?, ?)"));
        let posts = format!("INSERT INTO posts (user_id, title, body) VALUES {}", values("(?, ?, ?)"));
        Self(connection.prep(users).await.unwrap(), connection.prep(posts).await.unwrap())
    }

    async fn run(&self, connection: &mut Conn, users: usize) -> Graph {
        let (users, posts): (Vec<NewUser>, Vec<NewPost>) = (new_users(users).collect(), new_posts(users).collect());
        let mut transaction = connection.start_transaction(TxOpts::default()).await.unwrap();
        let value = |user: &NewUser| [Value::from(&user.name), Value::from(&user.hair_color)];
        let user_keys = insert(&mut transaction, &self.0, &users, value).await;
        let value =
            |post: &NewPost| [Value::from(user_keys[post.user]), Value::from(&post.title), Value::from(&post.body)];
        let post_keys = insert(&mut transaction, &self.1, &posts, value).await;
        transaction.commit().await.unwrap();
        Graph { users: (users, user_keys), posts: (posts, post_keys) }
    }
}

/// The keys of one statement follow each other.
async fn insert<T: Sync, const N: usize>(
    transaction: &mut Transaction<'_>,
    statement: &Statement,
    rows: &[T],
    values: impl Fn(&T) -> [Value; N] + Send + Sync,
) -> Vec<u64> {
    let mut keys = Vec::with_capacity(rows.len());
    for rows in rows.chunks(CHUNK) {
        let values: Vec<Value> = rows.iter().flat_map(&values).collect();
        let result = transaction.exec_iter(statement, Params::Positional(values)).await.unwrap();
        let first = result.last_insert_id().unwrap();
        result.drop_result().await.unwrap();
        keys.extend((first..).take(rows.len()));
    }
    keys
}

pub async fn commit(connection: &mut Conn, users: usize, meter: &mut Meter, clear: &[&str]) {
    let inserts = Inserts::prepare(connection, users).await;
    measure!(meter, inserts.run(connection, users).await, after: execute_all(connection, clear).await);
}

pub async fn change(connection: &mut Conn, meter: &mut Meter, clear: &[&str]) {
    let loaded = connection.prep(TRIVIAL).await.unwrap();
    let mut users = all(connection, &loaded, Params::Empty, user).await;
    // INSERT … ON DUPLICATE KEY UPDATE takes less than half of the time, but would bring deleted users back. No other
    // UPDATE is faster: not one with CASE, and not one for each of them.
    let sql = format!(
        "UPDATE users JOIN (SELECT id, hair_color FROM users WHERE FALSE UNION ALL VALUES {}) AS new \
         ON users.id = new.id SET users.hair_color = new.hair_color",
        vec!["(?, ?)"; users.len()].join(", ")
    );
    let statement = connection.prep(sql).await.unwrap();
    let mut new = OwnColors::new();
    measure!(meter, {
        users.iter_mut().zip(new.next_colors()).for_each(|(user, color)| user.hair_color = color);
        let values = users.iter().flat_map(|user| [Value::from(user.id), Value::from(&user.hair_color)]).collect();
        let mut transaction = connection.start_transaction(TxOpts::default()).await.unwrap();
        transaction.exec_drop(&statement, Params::Positional(values)).await.unwrap();
        assert_eq!(transaction.affected_rows(), users.len() as u64);
        transaction.commit().await.unwrap();
    }, after: execute_all(connection, clear).await);
}

pub async fn delete(connection: &mut Conn, users: usize, meter: &mut Meter, clear: &[&str]) {
    let inserts = Inserts::prepare(connection, users).await;
    let sql = |table, rows| format!("DELETE FROM {table} WHERE id IN ({})", vec!["?"; rows].join(", "));
    let posts = connection.prep(sql("posts", users * OF_EACH)).await.unwrap();
    let deletes = [posts, connection.prep(sql("users", users)).await.unwrap()];
    measure!(meter, given: graph = inserts.run(connection, users).await, {
        let mut transaction = connection.start_transaction(TxOpts::default()).await.unwrap();
        for (statement, keys) in deletes.iter().zip([&graph.posts.1, &graph.users.1]) {
            let values = keys.iter().map(|key| Value::from(*key)).collect();
            transaction.exec_drop(statement, Params::Positional(values)).await.unwrap();
            assert_eq!(transaction.affected_rows(), keys.len() as u64);
        }
        transaction.commit().await.unwrap();
    }, after: execute_all(connection, clear).await);
}

async fn execute_all(connection: &mut Conn, statements: &[&str]) {
    for statement in statements {
        connection.query_drop(*statement).await.unwrap();
    }
}
