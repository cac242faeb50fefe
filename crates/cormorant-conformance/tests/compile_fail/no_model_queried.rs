use cormorant::prelude::*;

struct Item {
    id: i64,
}

fn main() {
    let query = Item::query();
}
