//! Hot paths for `cargo xtask guard`, which counts their instructions.
//!
//! `guard` lists the paths, each with a number of repetitions worth measuring; `guard <path> <repetitions>` runs one.

use std::hint::black_box;

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
    title: String,
    pages: i32,
    subtitle: Option<String>,
}

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
type Path = fn(&Database, &Record<Author>, u32) -> Outcome;

const PATHS: [(&str, u32, Path); 6] = [
    ("lookup_by_key", 4_000, lookup_by_key),
    ("load_1000_rows", 20, load_1000_rows),
    ("insert_one", 2_000, insert_one),
    ("save_one_field", 2_000, save_one_field),
    ("filter_of_known_shape", 2_000, filter_of_known_shape),
    ("insert_many_100", 40, insert_many_100),
];

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, repetitions] = words.as_slice() else {
        PATHS.iter().for_each(|(name, repetitions, _)| println!("{name} {repetitions}"));
        return Ok(());
    };
    let (.., path) = PATHS.iter().find(|(name, ..)| name == path).ok_or("no such path")?;
    let db = Database::connect("sqlite::memory:").wait()?;
    db.create_all().wait()?;
    let author = Author::builder().name("Ann").insert(&db).wait()?;
    path(&db, &author, repetitions.parse()?)
}

fn books(author: &Record<Author>, count: i32) -> impl Iterator<Item = impl IntoBook> {
    (0..count).map(move |n| Book::builder().author(author).title("The great cormorant").pages(n))
}

trait IntoBook: cormorant::IntoModel<Model = Book> {}
impl<T: cormorant::IntoModel<Model = Book>> IntoBook for T {}

fn lookup_by_key(db: &Database, author: &Record<Author>, repetitions: u32) -> Outcome {
    Book::insert_many(db, books(author, 1_000)).wait()?;
    for n in 0..repetitions {
        black_box(Book::get(db, i64::from(n % 1_000) + 1).wait()?);
    }
    Ok(())
}

fn load_1000_rows(db: &Database, author: &Record<Author>, repetitions: u32) -> Outcome {
    Book::insert_many(db, books(author, 1_000)).wait()?;
    for _ in 0..repetitions {
        assert_eq!(black_box(Book::query().all(db).wait()?).len(), 1_000);
    }
    Ok(())
}

fn insert_one(db: &Database, author: &Record<Author>, repetitions: u32) -> Outcome {
    for _ in 0..repetitions {
        black_box(Book::builder().author(author).title("The great cormorant").pages(320).insert(db).wait()?);
    }
    Ok(())
}

fn save_one_field(db: &Database, author: &Record<Author>, repetitions: u32) -> Outcome {
    let mut book = Book::builder().author(author).title("The great cormorant").pages(320).insert(db).wait()?;
    for _ in 0..repetitions {
        book.pages += 1;
        book.save(db).wait()?;
    }
    Ok(())
}

/// No row is found: what counts is the query, built anew each time, and its text, found by its shape.
fn filter_of_known_shape(db: &Database, _: &Record<Author>, repetitions: u32) -> Outcome {
    for n in 0..repetitions {
        let found = Book::filter(|b| b.author().name().eq("Bob") & b.pages().between(100, n as i32))
            .filter(|b| b.title().starts_with("The") | b.subtitle().is_null())
            .order_by(|b| b.title().asc())
            .limit(10)
            .all(db)
            .wait()?;
        assert!(black_box(found).is_empty());
    }
    Ok(())
}

fn insert_many_100(db: &Database, author: &Record<Author>, repetitions: u32) -> Outcome {
    for _ in 0..repetitions {
        assert_eq!(black_box(Book::insert_many(db, books(author, 100)).wait()?).len(), 100);
    }
    Ok(())
}
