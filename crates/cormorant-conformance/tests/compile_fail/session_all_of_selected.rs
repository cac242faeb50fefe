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

async fn names(session: &mut Session) -> cormorant::Result<()> {
    session.all(User::query().select(|u| u.name())).await?;
    Ok(())
}

fn main() {}
