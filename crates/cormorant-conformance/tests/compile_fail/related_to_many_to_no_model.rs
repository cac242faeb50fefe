use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    posts: ManyToMany<Post>,
}

struct Post {
    id: i64,
}

fn main() {}
