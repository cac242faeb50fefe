use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(inverse = followers, through = "follows")]
    following: ManyToMany<User>,
    #[model(inverse = following)]
    followers: ManyToMany<User>,
}

fn main() {}
