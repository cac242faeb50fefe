use cormorant::prelude::*;

#[derive(Model)]
struct Post {
    id: i64,
    tags: ManyToMany<Tag>,
    hidden_tags: ManyToMany<Tag>,
}

#[derive(Model)]
struct Tag {
    id: i64,
}

fn main() {}
