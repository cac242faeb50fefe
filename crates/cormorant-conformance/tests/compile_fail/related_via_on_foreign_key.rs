use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
}

#[derive(Model)]
struct Post {
    id: i64,
    #[model(via = user)]
    author: ForeignKey<User>,
}

fn main() {}
