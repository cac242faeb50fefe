use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

fn main() {
    let set = |i: PathOf<Item>| i.views().set("many");
}
