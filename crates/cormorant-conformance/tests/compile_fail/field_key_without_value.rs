use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(max_length)]
    name: String,
}

fn main() {}
