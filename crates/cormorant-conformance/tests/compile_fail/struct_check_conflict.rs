use cormorant::prelude::*;

#[derive(Model)]
#[model(check(stock = "stock < 9"))]
struct Item {
    id: i64,
    #[model(check = "stock > 0")]
    stock: i64,
}

fn main() {}
