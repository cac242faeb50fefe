//! Rows with those that belong to them: a statement per level, with the keys of the level above.

use harness::{Meter, grouped, measure};
use tokio_postgres::{Client, Row, Statement};

use crate::rows::{all, comment, post, user};
use crate::system::{NO_VALUES, TRIVIAL};

const POSTS: &str = "SELECT id, user_id, title, body FROM posts WHERE user_id = ANY($1)";
const COMMENTS: &str = "SELECT id, post_id, text FROM comments WHERE post_id = ANY($1)";

pub async fn has_many(client: &Client, meter: &mut Meter) {
    let (users, posts) = (client.prepare(TRIVIAL).await.unwrap(), client.prepare(POSTS).await.unwrap());
    measure!(meter, {
        let users = all(client.query_raw(&users, NO_VALUES).await.unwrap(), user).await;
        let posts = of(client, &posts, users.iter().map(|user| user.id).collect(), post).await;
        grouped(users, |user| user.id, posts, |post| post.user_id)
    });
}

pub async fn three_levels(client: &Client, meter: &mut Meter) {
    let (users, posts) = (client.prepare(TRIVIAL).await.unwrap(), client.prepare(POSTS).await.unwrap());
    let comments = client.prepare(COMMENTS).await.unwrap();
    measure!(meter, {
        let users = all(client.query_raw(&users, NO_VALUES).await.unwrap(), user).await;
        let posts = of(client, &posts, users.iter().map(|user| user.id).collect(), post).await;
        let comments = of(client, &comments, posts.iter().map(|post| post.id).collect(), comment).await;
        let posts = grouped(posts, |post| post.id, comments, |comment| comment.post_id);
        grouped(users, |user| user.id, posts, |(post, _)| post.user_id)
    });
}

async fn of<T>(client: &Client, statement: &Statement, keys: Vec<i32>, read: impl Fn(&Row) -> T) -> Vec<T> {
    all(client.query_raw(statement, [keys]).await.unwrap(), read).await
}
