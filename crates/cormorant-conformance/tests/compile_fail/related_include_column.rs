use cormorant::prelude::*;

#[derive(Model)]
struct Post {
    id: i64,
    author: Option<ForeignKey<User>>,
    title: String,
    tags: ManyToMany<Tag>,
}

#[derive(Model)]
struct User {
    id: i64,
    posts: HasMany<Post>,
}

#[derive(Model)]
struct Tag {
    id: i64,
    posts: ManyToMany<Post>,
}

fn main() {
    let _ = Post::query().include(|p| p.title());
}
