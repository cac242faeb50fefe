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

async fn rename(session: &mut Session, user: Handle<User>) {
    session[user].title = "Birds".into();
}

fn main() {}
