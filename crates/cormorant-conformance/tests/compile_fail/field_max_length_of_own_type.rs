use cormorant::prelude::*;

type Number = i64;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(max_length = 5)]
    code: Number,
}

fn main() {}
