use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    name: String,
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    id: i64,
    author: ForeignKey<User>,
    title: String,
}

async fn link(session: &mut Session, user: Handle<User>, other: Handle<User>) -> cormorant::Result<()> {
    session.link(user, |u| u.posts(), other).await
}

fn main() {}
