use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(unique = "yes")]
    name: String,
}

fn main() {}
