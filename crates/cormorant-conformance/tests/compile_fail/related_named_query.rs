use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    query: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    id: i64,
    author: ForeignKey<User>,
}

fn main() {}
