//! Units of work by hand: many rows per statement, in one transaction.

use harness::data::{NewPost, NewUser, OwnColors, new_posts, new_users};
use harness::{Meter, measure};
use rusqlite::{Connection, Statement, params_from_iter};

use crate::insert::{CHUNK, bind_user, execute_all, keys, statement_of};
use crate::statements::Statements;
use crate::system::{TRIVIAL, all, user};

/// Keys per DELETE: neither fewer nor more are faster, nor a list that is one value.
const KEYS: usize = 1_000;

/// Users and their posts, as they were written.
struct Graph {
    users: (Vec<NewUser>, Vec<i64>),
    posts: (Vec<NewPost>, Vec<i64>),
}

/// Those that insert users and posts.
struct Inserts<'c, S: Statements>(S::Kept<'c>, S::Kept<'c>);

impl<'c, S: Statements> Inserts<'c, S> {
    fn keep(connection: &'c Connection, [users, posts]: &'c [String; 2]) -> Self {
        Self(S::keep(connection, users), S::keep(connection, posts))
    }

    fn texts() -> [String; 2] {
        let posts = vec!["(?, ?, ?)"; CHUNK].join(", ");
        [statement_of(CHUNK), format!("INSERT INTO posts (user_id, title, body) VALUES {posts} RETURNING id")]
    }

    fn run(&mut self, connection: &Connection, users: usize) -> Graph {
        let (users, posts): (Vec<NewUser>, Vec<NewPost>) = (new_users(users).collect(), new_posts(users).collect());
        let (mut user_keys, mut post_keys) = (Vec::with_capacity(users.len()), Vec::with_capacity(posts.len()));
        let transaction = connection.unchecked_transaction().unwrap();
        for chunk in users.chunks(CHUNK) {
            let statement = &mut *S::ready(&mut self.0);
            chunk.iter().enumerate().for_each(|(n, user)| bind_user(statement, n, user));
            keys(statement, &mut user_keys);
        }
        for chunk in posts.chunks(CHUNK) {
            let statement = &mut *S::ready(&mut self.1);
            chunk.iter().enumerate().for_each(|(n, post)| bind_post(statement, n, user_keys[post.user], post));
            keys(statement, &mut post_keys);
        }
        transaction.commit().unwrap();
        Graph { users: (users, user_keys), posts: (posts, post_keys) }
    }
}

fn bind_post(statement: &mut Statement<'_>, n: usize, user: i64, post: &NewPost) {
    statement.raw_bind_parameter(3 * n + 1, user).unwrap();
    statement.raw_bind_parameter(3 * n + 2, &post.title).unwrap();
    statement.raw_bind_parameter(3 * n + 3, &post.body).unwrap();
}

pub fn commit<S: Statements>(connection: &Connection, users: usize, meter: &mut Meter, clear: &[&str]) {
    assert!(users.is_multiple_of(CHUNK));
    let texts = Inserts::<S>::texts();
    let mut inserts = Inserts::<S>::keep(connection, &texts);
    measure!(meter, inserts.run(connection, users), after: execute_all(connection, clear));
}

pub fn change<S: Statements>(connection: &Connection, meter: &mut Meter, clear: &[&str]) {
    let mut users = all(S::ready(&mut S::keep(connection, TRIVIAL)).query([]).unwrap(), user);
    assert!(users.len().is_multiple_of(CHUNK));
    // Three quarters of what a statement for each of them takes.
    let sql = format!(
        "UPDATE users SET hair_color = new.column2 FROM (VALUES {}) AS new WHERE users.id = new.column1",
        vec!["(?, ?)"; CHUNK].join(", ")
    );
    let mut kept = S::keep(connection, &sql);
    let mut new = OwnColors::new();
    measure!(meter, {
        users.iter_mut().zip(new.next_colors()).for_each(|(user, color)| user.hair_color = color);
        let transaction = connection.unchecked_transaction().unwrap();
        for chunk in users.chunks(CHUNK) {
            let mut statement = S::ready(&mut kept);
            for (n, user) in chunk.iter().enumerate() {
                statement.raw_bind_parameter(2 * n + 1, user.id).unwrap();
                statement.raw_bind_parameter(2 * n + 2, &user.hair_color).unwrap();
            }
            assert_eq!(statement.raw_execute().unwrap(), chunk.len());
        }
        transaction.commit().unwrap();
    }, after: execute_all(connection, clear));
}

pub fn delete<S: Statements>(connection: &Connection, users: usize, meter: &mut Meter, clear: &[&str]) {
    assert!(users.is_multiple_of(KEYS));
    let texts = Inserts::<S>::texts();
    let mut inserts = Inserts::<S>::keep(connection, &texts);
    let texts =
        ["posts", "users"].map(|table| format!("DELETE FROM {table} WHERE id IN ({})", vec!["?"; KEYS].join(", ")));
    let mut deletes = texts.each_ref().map(|sql| S::keep(connection, sql));
    measure!(meter, given: graph = inserts.run(connection, users), {
        let transaction = connection.unchecked_transaction().unwrap();
        for (kept, keys) in deletes.iter_mut().zip([&graph.posts.1, &graph.users.1]) {
            for chunk in keys.chunks(KEYS) {
                assert_eq!(S::ready(kept).execute(params_from_iter(chunk)).unwrap(), chunk.len());
            }
        }
        transaction.commit().unwrap();
    }, after: execute_all(connection, clear));
}
