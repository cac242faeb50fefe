use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(via = title)]
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    id: i64,
    author: ForeignKey<User>,
    title: String,
}

fn main() {}
