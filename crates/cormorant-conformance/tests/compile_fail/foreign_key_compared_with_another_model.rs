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

fn by(book: &Record<Book>) -> Query<Book, Book> {
    Book::filter(|b| b.author().eq(book))
}

fn main() {}
