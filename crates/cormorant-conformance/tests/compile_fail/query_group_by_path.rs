use cormorant::prelude::*;

#[derive(Model)]
struct Author {
    id: i64,
    name: String,
}

#[derive(Model)]
struct Book {
    id: i64,
    author: ForeignKey<Author>,
}

fn main() {
    let _ = Book::query().group_by(|b| b.author()).select(|b| (b.author().id(), count()));
}
