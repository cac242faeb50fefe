use cormorant::prelude::*;

#[derive(Model)]
struct Post {
    id: i64,
    #[model(through = "post_tags")]
    tags: ManyToMany<Tag>,
}

#[derive(Model)]
struct Tag {
    id: i64,
    #[model(through = "tag_posts")]
    posts: ManyToMany<Post>,
}

fn main() {}
