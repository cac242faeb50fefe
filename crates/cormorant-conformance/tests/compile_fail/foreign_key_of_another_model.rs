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

fn follow(book: &Record<Book>) -> Book {
    Book::builder().author(book).build()
}

fn main() {}
