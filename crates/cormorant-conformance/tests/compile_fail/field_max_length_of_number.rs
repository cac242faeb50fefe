use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(max_length = 24)]
    stock: i64,
}

fn main() {}
