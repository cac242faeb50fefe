use cormorant::prelude::*;

#[derive(Model)]
#[model(tabel = "things")]
struct Item {
    id: i64
}

fn main() {}
