use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    is_in: bool,
}

fn main() {}
