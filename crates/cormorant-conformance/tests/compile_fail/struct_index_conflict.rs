use cormorant::prelude::*;

#[derive(Model)]
#[model(index(a, name = "ix"), index(b, name = "ix"), index(a, b))]
struct Item {
    id: i64,
    a: i64,
    b: i64,
    #[model(index)]
    a_b: i64,
}

fn main() {}
