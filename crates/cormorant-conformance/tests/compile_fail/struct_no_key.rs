use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    name: String,
}

fn main() {}
