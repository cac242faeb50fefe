use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    following: ManyToMany<User>,
    followers: ManyToMany<User>,
}

fn main() {}
