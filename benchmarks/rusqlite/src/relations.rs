//! Rows with those that belong to them: a statement per level, with the keys of the level above.

use std::rc::Rc;

use harness::{Meter, grouped, measure};
use rusqlite::types::Value;
use rusqlite::vtab::array::{Array, load_module};
use rusqlite::{Connection, Row};

use crate::statements::Statements;
use crate::system::{TRIVIAL, all, post, user};

struct Comment {
    #[expect(dead_code, reason = "read to be compared with what others read")]
    id: i32,
    post_id: i32,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    text: String,
}

// As fast as a placeholder for each key, and the text does not hang on how many there are.
const POSTS: &str = "SELECT id, user_id, title, body FROM posts WHERE user_id IN rarray(?)";
const COMMENTS: &str = "SELECT id, post_id, text FROM comments WHERE post_id IN rarray(?)";

pub fn has_many<S: Statements>(connection: &Connection, meter: &mut Meter) {
    load_module(connection).unwrap();
    let (mut users, mut posts) = (S::keep(connection, TRIVIAL), S::keep(connection, POSTS));
    measure!(meter, {
        let users = all(S::ready(&mut users).query([]).unwrap(), user);
        let keys = keys(users.iter().map(|user| user.id));
        let posts = all(S::ready(&mut posts).query([keys]).unwrap(), |row| post(row, 0));
        grouped(users, |user| user.id, posts, |post| post.user_id)
    });
}

pub fn three_levels<S: Statements>(connection: &Connection, meter: &mut Meter) {
    load_module(connection).unwrap();
    let (mut users, mut posts) = (S::keep(connection, TRIVIAL), S::keep(connection, POSTS));
    let mut comments = S::keep(connection, COMMENTS);
    measure!(meter, {
        let users = all(S::ready(&mut users).query([]).unwrap(), user);
        let of_users = keys(users.iter().map(|user| user.id));
        let posts = all(S::ready(&mut posts).query([of_users]).unwrap(), |row| post(row, 0));
        let of_posts = keys(posts.iter().map(|post| post.id));
        let comments = all(S::ready(&mut comments).query([of_posts]).unwrap(), comment);
        let posts = grouped(posts, |post| post.id, comments, |comment| comment.post_id);
        grouped(users, |user| user.id, posts, |(post, _)| post.user_id)
    });
}

fn keys(keys: impl Iterator<Item = i32>) -> Array {
    Rc::new(keys.map(Value::from).collect())
}

fn comment(row: &Row<'_>) -> rusqlite::Result<Comment> {
    Ok(Comment { id: row.get(0)?, post_id: row.get(1)?, text: row.get(2)? })
}
