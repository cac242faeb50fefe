use cormorant::prelude::*;

#[derive(Model)]
#[model(table = "a")]
#[model(table = "b")]
struct Item {
    id: i64,
}

fn main() {}
