use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(default = 1, db_default = "1")]
    stock: i64,
}

fn main() {}
