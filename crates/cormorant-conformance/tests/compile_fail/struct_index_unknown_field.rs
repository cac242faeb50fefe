use cormorant::prelude::*;

#[derive(Model)]
#[model(index(nmae, price))]
struct Item {
    id: i64,
    name: String,
    price: i64,
}

fn main() {}
