use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: Option<Option<String>>,
}

fn main() {}
