use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

#[derive(FromRow)]
struct Line {
    name: String,
    views: i64,
}

fn main() {
    let query = Item::query().select(|i| Line::columns(i.views(), i.name()));
}
