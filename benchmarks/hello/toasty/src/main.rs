//! Five models, an insert, a filter, a relation.
// A benchmark of builds: what is not called is built all the same.
#![allow(dead_code)]

use toasty::Deferred;

#[derive(Debug, toasty::Model)]
struct User {
    #[key]
    #[auto]
    id: i64,
    name: String,
    email: Option<String>,
    #[has_many(pair = author)]
    posts: Deferred<Vec<Post>>,
    #[has_many(pair = author)]
    comments: Deferred<Vec<Comment>>,
    #[has_many(pair = user)]
    likes: Deferred<Vec<Like>>,
}

#[derive(Debug, toasty::Model)]
struct Post {
    #[key]
    #[auto]
    id: i64,
    #[index]
    author_id: i64,
    #[belongs_to]
    author: Deferred<User>,
    title: String,
    body: String,
    views: i32,
    #[has_many(pair = post)]
    comments: Deferred<Vec<Comment>>,
    #[has_many(pair = post)]
    tags: Deferred<Vec<Tag>>,
    #[has_many(pair = post)]
    likes: Deferred<Vec<Like>>,
}

#[derive(Debug, toasty::Model)]
struct Comment {
    #[key]
    #[auto]
    id: i64,
    #[index]
    post_id: i64,
    #[belongs_to]
    post: Deferred<Post>,
    #[index]
    author_id: i64,
    #[belongs_to]
    author: Deferred<User>,
    text: String,
}

#[derive(Debug, toasty::Model)]
struct Tag {
    #[key]
    #[auto]
    id: i64,
    #[index]
    post_id: i64,
    #[belongs_to]
    post: Deferred<Post>,
    name: String,
}

#[derive(Debug, toasty::Model)]
struct Like {
    #[key]
    #[auto]
    id: i64,
    #[index]
    post_id: i64,
    #[belongs_to]
    post: Deferred<Post>,
    #[index]
    user_id: i64,
    #[belongs_to]
    user: Deferred<User>,
}

#[tokio::main]
async fn main() -> toasty::Result<()> {
    let mut db = toasty::Db::builder().models(toasty::models!(crate::*)).connect("sqlite::memory:").await?;
    db.push_schema().await?;

    let ann = toasty::create!(User { name: "Ann" }).exec(&mut db).await?;
    toasty::create!(Post { author: &ann, title: "Hello", body: "world", views: 3 }).exec(&mut db).await?;

    let read = Post::filter(Post::fields().views().gt(2)).exec(&mut db).await?;
    let hers = ann.posts().exec(&mut db).await?;
    println!("{} {} {}", read.len(), hers.len(), hers[0].title);
    Ok(())
}
