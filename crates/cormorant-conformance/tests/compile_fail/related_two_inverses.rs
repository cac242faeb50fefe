use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(inverse = followers)]
    following: ManyToMany<User>,
    #[model(inverse = following)]
    followers: ManyToMany<User>,
    #[model(inverse = liked)]
    likes: ManyToMany<User>,
    #[model(inverse = likes)]
    liked: ManyToMany<User>,
}

fn main() {}
