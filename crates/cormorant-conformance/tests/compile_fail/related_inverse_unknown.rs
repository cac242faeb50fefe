use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(inverse = folowers)]
    following: ManyToMany<User>,
    #[model(inverse = following)]
    followers: ManyToMany<User>,
}

fn main() {}
