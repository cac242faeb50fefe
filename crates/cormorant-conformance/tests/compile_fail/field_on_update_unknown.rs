use cormorant::prelude::*;

#[derive(Model)]
struct Author {
    id: i64,
}

#[derive(Model)]
struct Book {
    id: i64,
    #[model(on_update = casacde)]
    author: ForeignKey<Author>,
}

fn main() {}
