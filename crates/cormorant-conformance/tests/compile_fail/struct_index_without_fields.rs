use cormorant::prelude::*;

#[derive(Model)]
#[model(index)]
struct Item {
    id: i64,
    name: String,
}

fn main() {}
