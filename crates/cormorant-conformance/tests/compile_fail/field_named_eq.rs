use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    eq: bool,
}

fn main() {}
