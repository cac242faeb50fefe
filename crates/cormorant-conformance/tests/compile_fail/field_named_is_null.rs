use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    is_null: bool,
}

fn main() {}
