use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: &'static str,
}

fn main() {}
