//! Five models, an insert, a filter, a relation.

use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    name: String,
    email: Option<String>,
}

#[derive(Model)]
struct Post {
    id: i64,
    author: ForeignKey<User>,
    title: String,
    body: String,
    views: i32,
}

#[derive(Model)]
struct Comment {
    id: i64,
    post: ForeignKey<Post>,
    author: ForeignKey<User>,
    text: String,
}

#[derive(Model)]
struct Tag {
    id: i64,
    post: ForeignKey<Post>,
    name: String,
}

#[derive(Model)]
struct Like {
    id: i64,
    post: ForeignKey<Post>,
    user: ForeignKey<User>,
}

fn main() -> cormorant::Result<()> {
    let db = Database::connect("sqlite::memory:").wait()?;
    db.create_all().wait()?;

    let ann = User::builder().name("Ann").insert(&db).wait()?;
    Post::builder().author(&ann).title("Hello").body("world").views(3).insert(&db).wait()?;

    let read = Post::filter(|p| p.views().gt(2)).all(&db).wait()?;
    let hers = Post::filter(|p| p.author().name().eq("Ann")).all(&db).wait()?;
    println!("{} {} {}", read.len(), hers.len(), hers[0].title);
    Ok(())
}
