use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(precision = 2, scale = 5)]
    price: Decimal,
}

fn main() {}
