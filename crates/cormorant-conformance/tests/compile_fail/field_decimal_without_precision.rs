use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    price: Decimal,
}

fn main() {}
