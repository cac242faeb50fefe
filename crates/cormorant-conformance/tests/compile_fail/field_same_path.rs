use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    #[model(path = "name")]
    title: String,
}

fn main() {}
