use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
}

fn main() {
    let _ = Item::query().lock("update");
}
