use cormorant::prelude::*;

#[derive(Model)]
struct Item<T> {
    id: i64,
    value: T,
}

fn main() {}
