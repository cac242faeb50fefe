//! Models inside functions that point at each other, two pairs of the same names.
#![deny(warnings, dead_code)]
use cormorant::prelude::*;

fn one(db: &Database) -> cormorant::Result<usize> {
    #[derive(Model)]
    struct Author {
        id: i64,
        books: HasMany<Book>,
        tags: ManyToMany<Tag>,
    }

    #[derive(Model)]
    struct Book {
        id: i64,
        author: ForeignKey<Author>,
    }

    #[derive(Model)]
    struct Tag {
        id: i64,
        authors: ManyToMany<Author>,
    }

    db.create(models![Author, Book, Tag]).wait()?;
    let author = Author::builder().insert(db).wait()?;
    author.books().create(db, |book| book).wait()?;
    let tag = author.tags().create(db, Tag::builder()).wait()?;
    let authors = tag.authors().query().include(|a| a.books()).all(db).wait()?;
    assert_eq!(authors[0].books.get()?[0].id, 1);
    Ok(authors.len())
}

fn other(db: &Database) -> cormorant::Result<u64> {
    #[derive(Model)]
    #[model(table = "writers")]
    struct Author {
        id: String,
        books: HasMany<Book>,
        first: HasOne<Prize>,
    }

    #[derive(Model)]
    #[model(table = "texts")]
    struct Book {
        id: i64,
        author: ForeignKey<Author>,
    }

    #[derive(Model)]
    struct Prize {
        id: i64,
        #[model(unique)]
        author: Option<ForeignKey<Author>>,
    }

    db.create(models![Author, Book, Prize]).wait()?;
    let author = Author::builder().id("a").insert(db).wait()?;
    assert!(!author.first.is_loaded() && !author.books.is_loaded());
    Author::filter(|a| a.books().none(|b| b.id().gt(0)) & a.first().is_null()).count(db).wait()
}

fn main() -> cormorant::Result<()> {
    let db = Database::connect("sqlite::memory:").wait()?;
    assert_eq!((one(&db)?, other(&db)?), (1, 1));
    Ok(())
}
