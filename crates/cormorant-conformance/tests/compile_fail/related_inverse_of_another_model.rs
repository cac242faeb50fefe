use cormorant::prelude::*;

#[derive(Model)]
struct Post {
    id: i64,
    #[model(inverse = posts)]
    tags: ManyToMany<Tag>,
}

#[derive(Model)]
struct Tag {
    id: i64,
    #[model(inverse = tags)]
    posts: ManyToMany<Post>,
}

fn main() {}
