use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(default = "0")]
    stock: i64,
}

fn main() {}
