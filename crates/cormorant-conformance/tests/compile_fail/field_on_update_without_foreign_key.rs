use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(on_update = cascade)]
    author_id: i64,
}

fn main() {}
