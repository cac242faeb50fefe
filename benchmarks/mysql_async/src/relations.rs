//! Rows with those that belong to them: a statement per level, with the keys of the level above.

use harness::data::OF_EACH;
use harness::{Meter, grouped, measure};
use mysql_async::prelude::*;
use mysql_async::{Conn, Params, Row, Statement, Value};

use crate::rows::{all, comment, post, user};
use crate::system::TRIVIAL;

/// The statements, with a placeholder for each of the keys that there are.
struct Statements {
    users: Statement,
    posts: Statement,
    comments: Statement,
}

impl Statements {
    async fn prepare(connection: &mut Conn) -> Self {
        let users = connection.prep(TRIVIAL).await.unwrap();
        let count = all(connection, &users, Params::Empty, user).await.len();
        let of = |select, keys| format!("{select} IN ({})", vec!["?"; keys].join(", "));
        let posts = of("SELECT id, user_id, title, body FROM posts WHERE user_id", count);
        let comments = of("SELECT id, post_id, text FROM comments WHERE post_id", count * OF_EACH);
        let (posts, comments) = (connection.prep(posts).await.unwrap(), connection.prep(comments).await.unwrap());
        Self { users, posts, comments }
    }
}

pub async fn has_many(connection: &mut Conn, meter: &mut Meter) {
    let statements = Statements::prepare(connection).await;
    measure!(meter, {
        let users = all(connection, &statements.users, Params::Empty, user).await;
        let posts = of(connection, &statements.posts, users.iter().map(|user| user.id).collect(), post).await;
        grouped(users, |user| user.id, posts, |post| post.user_id)
    });
}

pub async fn three_levels(connection: &mut Conn, meter: &mut Meter) {
    let statements = Statements::prepare(connection).await;
    measure!(meter, {
        let users = all(connection, &statements.users, Params::Empty, user).await;
        let posts = of(connection, &statements.posts, users.iter().map(|user| user.id).collect(), post).await;
        let comments = of(connection, &statements.comments, posts.iter().map(|post| post.id).collect(), comment).await;
        let posts = grouped(posts, |post| post.id, comments, |comment| comment.post_id);
        grouped(users, |user| user.id, posts, |(post, _)| post.user_id)
    });
}

async fn of<T: Send>(
    connection: &mut Conn,
    statement: &Statement,
    keys: Vec<i32>,
    read: impl Fn(&mut Row) -> T + Send,
) -> Vec<T> {
    let keys = keys.into_iter().map(Value::from).collect();
    all(connection, statement, Params::Positional(keys), read).await
}
