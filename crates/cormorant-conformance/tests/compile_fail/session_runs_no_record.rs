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

async fn save(session: &mut Session, mut user: Record<User>) -> cormorant::Result<()> {
    user.save(session).await
}

fn main() {}
