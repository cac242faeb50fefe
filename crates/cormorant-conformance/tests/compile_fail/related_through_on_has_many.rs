use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(through = "user_posts")]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    id: i64,
    author: ForeignKey<User>,
}

fn main() {}
