use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Post {
    id: i64,
    author: ForeignKey<User>,
    editor: Option<ForeignKey<User>>,
}

fn main() {}
