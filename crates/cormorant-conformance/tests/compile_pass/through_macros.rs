//! Types and values that a `macro_rules!` macro passes on mean what they mean without it.
#![deny(warnings)]
use cormorant::prelude::*;

#[derive(Model)]
struct Author {
    id: i64,
}

macro_rules! model {
    ($name:ident, $key:ty, $optional:ty, $foreign:ty, $text:expr, $number:expr) => {
        #[derive(Model)]
        struct $name {
            id: $key,
            author: $foreign,
            note: $optional,
            #[model(default = $text)]
            text: String,
            #[model(default = -$number)]
            number: i64,
        }
    };
}

model!(Book, i64, Option<String>, ForeignKey<Author>, "none", 7);

fn main() -> cormorant::Result<()> {
    let book = Book::builder().author(1).build();
    assert_eq!((book.id, book.note, book.text.as_str(), book.number), (0, None, "none", -7));
    let db = Database::connect("sqlite::memory:").wait()?;
    db.create(models![Author, Book]).wait()?;
    let author = Record::insert(Author { id: 0 }, &db).wait()?;
    let book = Book::builder().author(&author).insert(&db).wait()?;
    assert_eq!(book.id, 1);
    assert_eq!(Book::filter(|b| b.author().id().eq(1) & b.note().is_null()).count(&db).wait()?, 1);
    let defaults = sql!("INSERT INTO books (author_id) VALUES (1)").execute(&db).wait()?;
    assert_eq!(defaults, 1, "the database knows the defaults");
    Ok(())
}
