use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(precision = 5, scale = 2)]
    name: String,
}

fn main() {}
