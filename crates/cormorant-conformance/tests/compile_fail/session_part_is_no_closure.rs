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

async fn part(session: &mut Session) -> cormorant::Result<()> {
    session.transaction(|session| 1).await
}

fn main() {}
