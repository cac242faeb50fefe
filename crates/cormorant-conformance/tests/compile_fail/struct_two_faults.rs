use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    #[model(primary_key)]
    id: i64,
    #[model(max_length = 5)]
    stock: i64,
    #[model(uniqe)]
    name: String,
}

fn main() {}
