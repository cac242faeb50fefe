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

async fn create(db: &Database, user: &Record<User>) -> cormorant::Result<Record<Post>> {
    user.posts().create(db, |post| post).await
}

fn main() {}
