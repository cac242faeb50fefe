use cormorant::prelude::*;

#[derive(Model)]
struct Post {
    id: i64,
    author: Option<ForeignKey<User>>,
    title: String,
    tags: ManyToMany<Tag>,
}

#[derive(Model)]
struct User {
    id: i64,
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Tag {
    id: i64,
    posts: ManyToMany<Post>,
}

async fn add(db: &Database, post: &Record<Post>, user: &Record<User>) -> cormorant::Result<()> {
    post.tags().add(db, [user]).await
}

fn main() {}
