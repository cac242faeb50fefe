use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: Option<i64>,
    name: String,
}

fn main() {}
