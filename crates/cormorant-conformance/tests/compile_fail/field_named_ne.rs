use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    ne: bool,
}

fn main() {}
