use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(max_length = 0)]
    name: String,
}

fn main() {}
