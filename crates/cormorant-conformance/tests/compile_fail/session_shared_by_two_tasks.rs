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

async fn both(session: &mut Session, user: Handle<User>) -> cormorant::Result<()> {
    let (flushed, read) = (session.flush(), session.refresh(user));
    flushed.await?;
    read.await
}

fn main() {}
