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

async fn rename(session: &mut Session, user: Handle<User>) -> cormorant::Result<()> {
    let name = &mut session[user].name;
    session.flush().await?;
    name.push('!');
    Ok(())
}

fn main() {}
