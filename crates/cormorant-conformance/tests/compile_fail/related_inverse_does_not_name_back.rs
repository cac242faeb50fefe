use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(inverse = followers)]
    following: ManyToMany<User>,
    followers: ManyToMany<User>,
}

fn main() {}
