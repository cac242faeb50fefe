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

async fn swap(session: &mut Session, one: Handle<User>, other: Handle<User>) {
    std::mem::swap(&mut session[one].name, &mut session[other].name);
}

fn main() {}
