use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    posts: HasMany<Post>,
}

struct Post {
    id: i64,
}

fn main() {}
