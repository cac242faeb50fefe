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

async fn point(session: &mut Session, post: Handle<Post>, other: Handle<Post>) {
    session[post].author = other.into();
}

fn main() {}
