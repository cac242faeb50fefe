use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    posts: Option<HasMany<Post>>,
}

#[derive(Model)]
struct Post {
    id: i64,
    author: ForeignKey<User>,
}

fn main() {}
