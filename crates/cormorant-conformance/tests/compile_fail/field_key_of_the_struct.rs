use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(table = "names")]
    name: String,
}

fn main() {}
