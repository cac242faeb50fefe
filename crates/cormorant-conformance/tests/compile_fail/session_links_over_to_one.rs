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

async fn link(session: &mut Session, post: Handle<Post>, user: Handle<User>) -> cormorant::Result<()> {
    session.link(post, |p| p.author(), user).await
}

fn main() {}
