use cormorant::prelude::*;

struct Item {
    id: i64,
}

fn main() {
    let record = Record::new(Item { id: 1 });
}
