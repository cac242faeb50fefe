use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

fn main() {
    let query = Item::filter(|i| i.views().contains("5"));
}
