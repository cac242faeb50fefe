use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(column = "na\0me")]
    name: String,
}

fn main() {}
