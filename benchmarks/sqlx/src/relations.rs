//! Rows with those that belong to them: a statement per level, with the keys of the level above. The statements' texts
//! are made once, and SQLx keeps them prepared.

use harness::data::OF_EACH;
use harness::{Meter, grouped, measure};
use sqlx::{AssertSqlSafe, FromRow, SqlSafeStr as _, SqlStr};

use crate::backend::Db;
use crate::models::{Comment, Post, User};
use crate::system::TRIVIAL;

type Connection = <Db as sqlx::Database>::Connection;

struct Texts {
    posts: SqlStr,
    comments: SqlStr,
}

impl Texts {
    async fn new(connection: &mut Connection) -> Self {
        let count = users(connection).await.len();
        let of = |select: &str, keys: usize| {
            let listed = if cfg!(feature = "postgres") {
                "= ANY($1)".to_owned()
            } else {
                format!("IN ({})", vec!["?"; keys].join(", "))
            };
            AssertSqlSafe(format!("{select} {listed}")).into_sql_str()
        };
        let posts = of("SELECT id, user_id, title, body FROM posts WHERE user_id", count);
        Self { posts, comments: of("SELECT id, post_id, text FROM comments WHERE post_id", count * OF_EACH) }
    }
}

pub async fn has_many(connection: &mut Connection, meter: &mut Meter) {
    let texts = Texts::new(connection).await;
    measure!(meter, {
        let users = users(connection).await;
        let posts = of::<Post>(connection, &texts.posts, users.iter().map(|user| user.id).collect()).await;
        grouped(users, |user| user.id, posts, |post| post.user_id)
    });
}

pub async fn three_levels(connection: &mut Connection, meter: &mut Meter) {
    let texts = Texts::new(connection).await;
    measure!(meter, {
        let users = users(connection).await;
        let posts = of::<Post>(connection, &texts.posts, users.iter().map(|user| user.id).collect()).await;
        let comments = of::<Comment>(connection, &texts.comments, posts.iter().map(|post| post.id).collect()).await;
        let posts = grouped(posts, |post| post.id, comments, |comment| comment.post_id);
        grouped(users, |user| user.id, posts, |(post, _)| post.user_id)
    });
}

async fn users(connection: &mut Connection) -> Vec<User> {
    sqlx::query_as(TRIVIAL).fetch_all(connection).await.unwrap()
}

async fn of<T>(connection: &mut Connection, sql: &SqlStr, keys: Vec<i32>) -> Vec<T>
where
    T: for<'r> FromRow<'r, <Db as sqlx::Database>::Row> + Send + Unpin,
{
    let query = sqlx::query_as(sql.clone());
    #[cfg(feature = "postgres")]
    let query = query.bind(keys);
    #[cfg(not(feature = "postgres"))]
    let query = keys.into_iter().fold(query, |query, key| query.bind(key));
    query.fetch_all(connection).await.unwrap()
}
