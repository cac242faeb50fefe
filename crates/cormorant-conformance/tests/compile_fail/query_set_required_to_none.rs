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

fn update(db: &Database) {
    let _ = Book::query().update(db, |b| b.author().set(None));
}

fn main() {}
