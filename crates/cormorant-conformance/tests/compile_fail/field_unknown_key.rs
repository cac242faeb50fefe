use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(uniqe)]
    name: String,
}

fn main() {}
