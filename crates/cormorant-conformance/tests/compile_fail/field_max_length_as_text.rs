use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(max_length = "24")]
    name: String,
}

fn main() {}
