use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    #[model(key)]
    code: Option<String>,
}

fn main() {}
