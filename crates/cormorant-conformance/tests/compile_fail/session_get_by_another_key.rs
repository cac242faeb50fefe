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

async fn get(session: &mut Session) -> cormorant::Result<()> {
    session.get::<User>("Ann").await?;
    Ok(())
}

fn main() {}
