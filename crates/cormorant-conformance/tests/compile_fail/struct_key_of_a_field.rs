use cormorant::prelude::*;

#[derive(Model)]
#[model(max_length = 24)]
struct Item {
    id: i64,
    name: String,
}

fn main() {}
