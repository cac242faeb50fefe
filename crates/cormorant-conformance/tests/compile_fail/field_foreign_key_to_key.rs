use cormorant::prelude::*;

#[derive(Model)]
struct Book {
    id: i64,
    author: ForeignKey<i64>,
}

fn main() {}
