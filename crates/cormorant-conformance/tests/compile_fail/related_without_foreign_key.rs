use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
