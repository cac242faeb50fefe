use cormorant::prelude::*;

struct Author {
    id: i64,
}

struct Book {
    author: ForeignKey<Author>,
}

fn main() {}
