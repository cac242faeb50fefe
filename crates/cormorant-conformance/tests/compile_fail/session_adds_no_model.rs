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

struct Plain {
    id: i64,
}

async fn add(session: &mut Session) {
    session.add(Plain { id: 1 });
}

fn main() {}
