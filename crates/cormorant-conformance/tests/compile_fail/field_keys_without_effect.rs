use cormorant::prelude::*;

#[derive(Model)]
#[model(autoincrement)]
struct Item {
    #[model(generated = false)]
    id: i64,
    #[model(generated = false)]
    name: String,
}

#[derive(Model)]
struct Line {
    #[model(key, generated)]
    order: i64,
    #[model(key)]
    number: i64,
}

fn main() {}
