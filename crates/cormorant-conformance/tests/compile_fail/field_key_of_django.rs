use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(null = true)]
    name: String,
}

fn main() {}
