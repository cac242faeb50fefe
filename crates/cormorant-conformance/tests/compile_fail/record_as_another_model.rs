use cormorant::prelude::*;

#[derive(Model)]
struct Author {
    id: i64,
}

#[derive(Model)]
struct Book {
    id: i64,
    author: ForeignKey<Author>,
}

fn sign(author: &Record<Author>) {}

fn both(book: &Record<Book>) {
    sign(book);
}

fn main() {}
