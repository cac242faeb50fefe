use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    #[model(column = "name")]
    title: String,
}

fn main() {}
