use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

fn main() {
    let item = Item::builder().name(5).views(1).build();
}
