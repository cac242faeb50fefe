//! How many statements each thing takes that a program does with single rows: never more than Django sends for it.
//! The numbers in comments are the lines of the table in the design's `statement-counts.md`.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_publishers")]
struct Publisher {
    id: i64,
    name: String,
    #[model(default = 0)]
    rank: i64,
    books: HasMany<Book>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_books")]
struct Book {
    id: i64,
    #[model(on_delete = cascade)]
    publisher: ForeignKey<Publisher>,
    title: String,
    tags: ManyToMany<Tag>,
    reviews: HasMany<Review>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_tags")]
struct Tag {
    id: i64,
    #[model(unique, max_length = 40)]
    name: String,
    #[model(default = 0)]
    uses: i64,
    books: ManyToMany<Book>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_reviews")]
struct Review {
    id: i64,
    #[model(on_delete = cascade)]
    book: ForeignKey<Book>,
    votes: HasMany<Vote>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_votes")]
struct Vote {
    id: i64,
    #[model(on_delete = cascade)]
    review: ForeignKey<Review>,
}

/// What outlives its publisher.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_letters")]
struct Letter {
    id: i64,
    #[model(on_delete = set_null)]
    publisher: Option<ForeignKey<Publisher>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_tickets")]
struct Ticket {
    id: Uuid,
    name: String,
    #[model(db_default = "40 + 2")]
    number: i64,
    #[model(max_length = 10, db_default = "'open'")]
    state: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_orders")]
struct Order {
    id: i64,
    #[model(db_default = "40 + 2")]
    number: i64,
    #[model(max_length = 10, db_default = "'open'")]
    state: String,
}

/// One written column, and four.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_narrow")]
struct Narrow {
    id: i64,
    a: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_wide")]
struct Wide {
    id: i64,
    a: i64,
    b: i64,
    c: String,
    d: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_students")]
struct Student {
    id: i64,
    name: String,
    #[model(through = Enrollment)]
    courses: ManyToMany<Course>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_courses")]
struct Course {
    id: i64,
    name: String,
    #[model(through = Enrollment)]
    students: ManyToMany<Student>,
}

/// Links with data of their own.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cnt_enrollments")]
struct Enrollment {
    id: i64,
    #[model(on_delete = cascade)]
    student: ForeignKey<Student>,
    #[model(on_delete = cascade)]
    course: ForeignKey<Course>,
    #[model(default = 1)]
    grade: i64,
}

/// The statements sent since the last look are this many.
macro_rules! assert_sent {
    ($test:expr, $count:expr) => {{
        let sent = $test.statements();
        let shown = sent.get(..30).unwrap_or(&sent).join("\n");
        assert_eq!(sent.len(), $count, "{shown}");
    }};
}

async fn publisher(db: &Database, name: &str) -> Result<Record<Publisher>> {
    Publisher::builder().name(name).insert(db).await
}

/// Publishers with some books each.
async fn shelves(test: &Fixture, publishers: usize, books: usize) -> Result<Vec<Record<Publisher>>> {
    let db = &test.db;
    db.create(models![Publisher, Book, Tag, Review, Vote, Letter]).await?;
    let owners = (0..publishers).map(|n| Publisher::builder().name(format!("P{n}")));
    let owners = Publisher::insert_many(db, owners).await?;
    let all = owners
        .iter()
        .flat_map(|owner| (0..books).map(move |n| Book::builder().publisher(owner).title(format!("B{n}"))));
    Book::insert_many(db, all).await?;
    test.statements();
    Ok(owners)
}

async fn tags(db: &Database, count: usize) -> Result<Vec<Record<Tag>>> {
    Tag::insert_many(db, (0..count).map(|n| Tag::builder().name(format!("T{n}")))).await
}

/// Ten books of one publisher, three tags on each.
async fn tagged(test: &Fixture) -> Result<Vec<Record<Book>>> {
    shelves(test, 1, 10).await?;
    let tags = tags(&test.db, 3).await?;
    let books = Book::query().order_by(|b| b.id().asc()).all(&test.db).await?;
    for book in &books {
        book.tags().add(&test.db, &tags).await?;
    }
    test.statements();
    Ok(books)
}

conformance! {
    // 1
    async fn saving_a_new_row_is_one_insert(test: &Fixture) {
        test.db.create(models![Publisher]).await?;
        test.statements();
        let mut new = Record::new(Publisher::builder().name("Ann").build());
        new.save(&test.db).await?;
        assert_sent!(test, 1);
        let made = publisher(&test.db, "Bob").await?;
        assert_sent!(test, 1);
        assert!(new.id > 0 && made.id > new.id);
    }

    // 2: Django looks for the row first, as its `save` may mean either.
    async fn saving_a_new_row_with_a_key_of_its_own_is_one_insert(test: &Fixture) {
        test.db.create(models![Publisher, Ticket]).await?;
        test.statements();
        Publisher::builder().id(7).name("Ann").insert(&test.db).await?;
        assert_sent!(test, 1);
        let mut new = Record::new(Publisher::builder().id(8).name("Bob").build());
        new.save(&test.db).await?;
        assert_sent!(test, 1);
        let generated = Ticket::builder().name("a").number(1).state("new").insert(&test.db).await?;
        assert_sent!(test, 1);
        let given = Uuid::from_u128(7);
        let ticket = Ticket::builder().id(given).name("b").number(1).state("new").insert(&test.db).await?;
        assert_sent!(test, 1);
        assert!(ticket.id == given && generated.id != given);
    }

    // 3 and 4
    async fn saving_a_row_sends_one_update_or_none(test: &Fixture) {
        test.db.create(models![Publisher]).await?;
        let mut row = publisher(&test.db, "Ann").await?;
        test.statements();
        row.name = "Anna".into();
        row.save(&test.db).await?;
        assert_sent!(test, 1);
        row.save(&test.db).await?;
        row.name = "Anna".into();
        row.save(&test.db).await?;
        assert_sent!(test, 0);
    }

    // 6: Django inserts the row again.
    async fn saving_a_row_deleted_meanwhile_is_one_update_and_an_error(test: &Fixture) {
        test.db.create(models![Publisher]).await?;
        let mut row = publisher(&test.db, "Ann").await?;
        Publisher::query().delete(&test.db).await?;
        test.statements();
        row.name = "Anna".into();
        assert_eq!(row.save(&test.db).await.unwrap_err().kind(), ErrorKind::Stale);
        assert_sent!(test, 1);
        assert_eq!(test.rows_in("cnt_publishers").await?, 0);
    }

    // 8
    async fn what_the_database_fills_in_comes_with_the_insert(test: &Fixture) {
        test.db.create(models![Ticket, Order]).await?;
        test.statements();
        let ticket = Ticket::builder().name("a").insert(&test.db).await?;
        assert_eq!((ticket.number, ticket.state.as_str()), (42, "open"));
        assert_sent!(test, 1);
        let order = Order::builder().insert(&test.db).await?;
        assert!(order.id > 0 && order.number == 42 && order.state == "open");
        assert_sent!(test, 1);
    }

    // S06, and S05: an optional column that some rows have.
    async fn what_the_database_fills_into_several_rows_comes_with_their_insert(test: &Fixture) {
        test.db.create(models![Ticket, Order, Wide]).await?;
        test.statements();
        let orders = Order::insert_many(&test.db, (0..3).map(|n| Order::builder().state(format!("{n}")))).await?;
        assert!(orders.iter().all(|order| order.id > 0 && order.number == 42));
        assert_sent!(test, 1);
        let tickets = Ticket::insert_many(&test.db, (0..3).map(|n| Ticket::builder().name(format!("{n}")))).await?;
        assert!(tickets.iter().all(|ticket| (ticket.number, ticket.state.as_str()) == (42, "open")));
        assert_sent!(test, 1);
        let wide = |n: i64| Wide { id: 0, a: n, b: n, c: "c".into(), d: (n % 2 == 0).then(|| "d".into()) };
        Wide::insert_many(&test.db, (0..6).map(wide)).await?;
        assert_sent!(test, 1);
    }

    // 9
    async fn reading_is_one_select_each(test: &Fixture) {
        let db = &test.db;
        let rows = shelves(test, 3, 0).await?;
        let mut row = Publisher::get(db, rows[0].id).await?;
        assert_sent!(test, 1);
        Publisher::get(db, rows[0].id).await?;
        Publisher::get(db, rows[0].id).await?;
        assert_sent!(test, 2);
        assert!(Publisher::query().order_by(|p| p.id().asc()).first(db).await?.is_some());
        assert_sent!(test, 1);
        assert!(Publisher::query().order_by(|p| p.id().asc()).last(db).await?.is_some());
        assert_sent!(test, 1);
        assert!(Publisher::query().exists(db).await?);
        assert_sent!(test, 1);
        assert_eq!(Publisher::query().count(db).await?, 3);
        assert_sent!(test, 1);
        let figures: Vec<(i64, Option<i64>)> = Publisher::query().select(|p| (count(), p.rank().max())).all(db).await?;
        assert_eq!(figures, [(3, Some(0))]);
        assert_sent!(test, 1);
        row.refresh(db).await?;
        assert_sent!(test, 1);
        assert_eq!(Publisher::get_many(db, rows.iter().map(|row| row.id)).await?, rows);
        assert_sent!(test, 1);
    }

    // 10: what was read is a list, and an iteration over it asks nobody.
    async fn rows_that_were_read_are_iterated_for_nothing(test: &Fixture) {
        shelves(test, 3, 0).await?;
        let rows = Publisher::query().all(&test.db).await?;
        assert_eq!(rows.iter().chain(&rows).count(), 6);
        assert_sent!(test, 1);
        let query = Publisher::query().order_by(|p| p.id().asc());
        assert_eq!(query.clone().first(&test.db).await?, query.first(&test.db).await?);
        assert_sent!(test, 2);
    }

    // 11
    async fn a_foreign_key_is_read_for_nothing_and_its_row_once(test: &Fixture) {
        let owner = shelves(test, 1, 1).await?.remove(0);
        let mut book = Book::query().one(&test.db).await?;
        assert_sent!(test, 1);
        assert_eq!(book.publisher.key(), Some(&owner.id));
        assert_sent!(test, 0);
        book.load(&test.db, |b| b.publisher()).await?;
        assert_eq!(*book.publisher.get()?, *book.publisher.get()?);
        assert_sent!(test, 1);
    }

    // 12
    async fn the_rows_of_ten_books_are_one_statement_more(test: &Fixture) {
        tagged(test).await?;
        let db = &test.db;
        for mut book in Book::query().all(db).await? {
            book.load(db, |b| b.publisher()).await?;
        }
        assert_sent!(test, 11);
        for book in Book::query().all(db).await? {
            assert_eq!(book.tags().all(db).await?.len(), 3);
        }
        assert_sent!(test, 11);
        let joined: Vec<(Record<Book>, Record<Publisher>)> =
            Book::query().select(|b| (b, b.publisher())).all(db).await?;
        assert_eq!(joined.len(), 10);
        assert_sent!(test, 1);
        let books = Book::query().include(|b| b.publisher()).all(db).await?;
        assert!(books.iter().all(|book| book.publisher.is_loaded()));
        assert_sent!(test, 2);
        let mut books = Book::query().include(|b| b.tags()).all(db).await?;
        assert!(books.iter().all(|book| book.tags.is_loaded()));
        assert_sent!(test, 2);
        load_all(&mut books, db, |b| b.publisher()).await?;
        assert_sent!(test, 1);
    }

    // 13
    async fn included_rows_are_counted_for_nothing_and_filtered_by_a_statement_each(test: &Fixture) {
        tagged(test).await?;
        let db = &test.db;
        for book in Book::query().include(|b| b.tags()).all(db).await? {
            assert_eq!(book.tags().filter(|t| t.name().eq("T1")).all(db).await?.len(), 1);
        }
        assert_sent!(test, 12);
        for book in Book::query().include(|b| b.tags()).all(db).await? {
            assert_eq!((book.tags.get()?.len(), book.tags.get()?.is_empty()), (3, false));
        }
        assert_sent!(test, 2);
        // What filters every list alike goes with the rows.
        let books = Book::query().include(|b| b.tags().filter(|t| t.name().eq("T1")).limit(2)).all(db).await?;
        assert!(books.iter().all(|book| book.tags.get().is_ok_and(|tags| tags.len() == 1)));
        assert_sent!(test, 2);
    }

    // 14
    async fn every_included_relation_is_one_statement(test: &Fixture) {
        let db = &test.db;
        for book in tagged(test).await? {
            let review = book.reviews().create(db, |review| review).await?;
            review.votes().create(db, |vote| vote).await?;
        }
        test.statements();
        let owners = Publisher::query()
            .include(|p| p.books().include(|b| b.tags()).include(|b| b.reviews().include(|r| r.votes())))
            .all(db)
            .await?;
        assert_sent!(test, 5);
        for book in owners[0].books.get()? {
            assert_eq!((book.tags.get()?.len(), book.reviews.get()?[0].votes.get()?.len()), (3, 1));
        }
        assert_sent!(test, 0);
    }

    // 16: Django's list of keys fails above the parameters that the driver takes.
    async fn a_thousand_keys_are_one_statement(test: &Fixture) {
        let db = &test.db;
        let owners = shelves(test, 1205, 1).await?;
        let all = Publisher::query().include(|p| p.books()).all(db).await?;
        assert!(all.iter().all(|owner| owner.books.get().is_ok_and(|books| books.len() == 1)));
        assert_sent!(test, 2);
        assert_eq!(Publisher::get_many(db, owners.iter().map(|owner| owner.id)).await?.len(), 1205);
        assert_sent!(test, 1);
        let keys = owners.iter().map(|owner| owner.id);
        assert_eq!(Publisher::filter(|p| p.id().is_in(keys)).all(db).await?.len(), 1205);
        assert_sent!(test, 1);
    }

    // 17, the row missing. One that is there is two statements, an INSERT and a SELECT: Django begins with the SELECT.
    async fn what_is_missing_is_got_or_inserted_in_one_statement(test: &Fixture) {
        shelves(test, 1, 0).await?;
        let (tag, inserted) = Tag::builder().name("a").get_or_insert(&test.db, |t| t.name()).await?;
        assert!(inserted && tag.id > 0);
        assert_sent!(test, 1);
    }

    // 18
    async fn an_upsert_is_one_statement_either_way(test: &Fixture) {
        shelves(test, 1, 0).await?;
        let first = Tag::builder().name("a").uses(1).upsert(&test.db, |t| t.name()).await?;
        assert_sent!(test, 1);
        let second = Tag::builder().name("a").uses(2).upsert(&test.db, |t| t.name()).await?;
        assert_eq!((second.id, second.uses), (first.id, 2));
        assert_sent!(test, 1);
    }

    // 20, with update_conflicts; and with ignore_conflicts, where the rows that are there are read as well.
    async fn an_upsert_of_many_rows_is_one_statement(test: &Fixture) {
        shelves(test, 1, 0).await?;
        let tags = |from: i64, uses: i64| (from..from + 100).map(move |n| Tag::builder().name(n.to_string()).uses(uses));
        Tag::upsert_many(&test.db, tags(0, 1), |t| t.name()).await?;
        assert_sent!(test, 1);
        let tags = Tag::upsert_many(&test.db, tags(50, 2), |t| t.name()).await?;
        assert!(tags.len() == 100 && tags.iter().all(|tag| tag.uses == 2));
        assert_sent!(test, 1);
        assert_eq!(Tag::query().count(&test.db).await?, 150);
        test.statements();
        let alone = (140..240).map(|n| Tag::builder().name(n.to_string()));
        let tags = Tag::upsert_many(&test.db, alone, |t| t.name()).await?;
        assert_eq!((tags[0].uses, tags.len()), (2, 100));
        assert!(test.statements().len() <= 2);
    }

    // 21, 36, S22 and S23. On SQLite and MariaDB 1,000 rows fit one statement as well.
    async fn an_update_of_many_rows_is_one_statement_for_each_set_of_columns(test: &Fixture) {
        let db = &test.db;
        db.create(models![Wide]).await?;
        let wide = |n: i64| Wide { id: 0, a: n, b: n, c: "c".into(), d: None };
        let mut rows = Wide::insert_many(db, (0..1_000).map(wide)).await?;
        test.statements();
        rows.iter_mut().for_each(|row| row.a += 1);
        Wide::update_many(db, &mut rows).await?;
        assert_sent!(test, 1);
        rows.iter_mut().take(5).for_each(|row| row.a += 1);
        Wide::update_many(db, &mut rows).await?;
        assert_sent!(test, 1);
        for (row, a) in rows.iter_mut().zip([true, true, false, true]) {
            if a { row.a += 1 } else { row.b += 1 }
        }
        Wide::update_many(db, &mut rows).await?;
        assert_sent!(test, 2);
        Wide::update_many(db, &mut rows).await?;
        assert_sent!(test, 0);
        assert_eq!(Wide::query().order_by(|w| w.id().asc()).all(db).await?, rows);
    }

    // 22
    async fn an_update_of_many_is_one_statement_joined_or_not(test: &Fixture) {
        shelves(test, 2, 3).await?;
        assert_eq!(Book::query().update(&test.db, |b| b.title().set("x")).await?, 6);
        assert_sent!(test, 1);
        let of_one = Book::filter(|b| b.publisher().name().eq("P1"));
        assert_eq!(of_one.update(&test.db, |b| b.title().set("y")).await?, 3);
        assert_sent!(test, 1);
    }

    // 23
    async fn links_are_added_by_one_statement_new_or_not(test: &Fixture) {
        shelves(test, 1, 1).await?;
        let tags = tags(&test.db, 3).await?;
        let book = Book::query().one(&test.db).await?;
        test.statements();
        book.tags().add(&test.db, &tags).await?;
        assert_sent!(test, 1);
        book.tags().add(&test.db, &tags).await?;
        assert_sent!(test, 1);
        assert_eq!(book.tags().count(&test.db).await?, 3);
    }

    // 24
    async fn links_are_set_by_what_differs(test: &Fixture) {
        let book = tagged(test).await?.remove(0);
        let old: Vec<i64> = book.tags().all(&test.db).await?.iter().map(|tag| tag.id).collect();
        let mut new = vec![old[0]];
        for name in ["x", "y"] {
            new.push(Tag::builder().name(name).insert(&test.db).await?.id);
        }
        test.statements();
        book.tags().set(&test.db, old).await?;
        assert_sent!(test, 1);
        book.tags().set(&test.db, new.clone()).await?;
        assert_sent!(test, 3);
        let mut now: Vec<i64> = book.tags().all(&test.db).await?.iter().map(|tag| tag.id).collect();
        now.sort_unstable();
        assert_eq!(now, new);
    }

    // 25
    async fn links_are_taken_away_by_one_statement(test: &Fixture) {
        let books = tagged(test).await?;
        let tags = Tag::query().all(&test.db).await?;
        test.statements();
        books[0].tags().remove(&test.db, &tags[..2]).await?;
        assert_sent!(test, 1);
        books[1].tags().clear(&test.db).await?;
        assert_sent!(test, 1);
        books[1].tags().create(&test.db, Tag::builder().name("new")).await?;
        assert_sent!(test, 2);
        assert_eq!((books[0].tags().count(&test.db).await?, books[1].tags().count(&test.db).await?), (1, 1));
    }

    // 25: links that are a model are inserted as one; Django looks for them first.
    async fn links_with_data_are_added_by_one_statement(test: &Fixture) {
        let db = &test.db;
        db.create(models![Student, Course, Enrollment]).await?;
        let student = Student::builder().name("Ann").insert(db).await?;
        let courses = Course::insert_many(db, ["a", "b"].map(|name| Course::builder().name(name))).await?;
        test.statements();
        let links = courses.iter().map(|course| Enrollment::builder().student(&student).course(course).grade(2));
        Enrollment::insert_many(db, links).await?;
        assert_sent!(test, 1);
        let students = Student::query().include(|s| s.courses()).all(db).await?;
        assert_eq!(students[0].courses.get()?.len(), 2);
        assert_sent!(test, 2);
    }

    // 26
    async fn children_are_added_by_one_statement(test: &Fixture) {
        let owners = shelves(test, 2, 2).await?;
        let theirs = Book::filter(|b| b.publisher().id().eq(owners[1].id)).all(&test.db).await?;
        test.statements();
        owners[0].books().add(&test.db, &theirs).await?;
        assert_sent!(test, 1);
        owners[0].books().create(&test.db, |book| book.title("new")).await?;
        assert_sent!(test, 1);
        assert_eq!(owners[0].books().count(&test.db).await?, 5);
    }

    // 27
    async fn deleting_is_one_statement_for_one_row_and_for_fifty(test: &Fixture) {
        let mut rows = shelves(test, 51, 0).await?;
        rows[0].delete(&test.db).await?;
        assert_sent!(test, 1);
        assert_eq!(Publisher::query().delete(&test.db).await?, 50);
        assert_sent!(test, 1);
    }

    // 28: the database deletes what belongs to the row, by the foreign keys' ON DELETE.
    async fn a_delete_of_three_levels_is_one_statement(test: &Fixture) {
        let db = &test.db;
        let mut owner = shelves(test, 1, 5).await?.remove(0);
        let tags = tags(db, 2).await?;
        for book in Book::query().all(db).await? {
            book.tags().add(db, &tags).await?;
            for review in Review::insert_many(db, (0..2).map(|_| Review::builder().book(&book))).await? {
                Vote::insert_many(db, (0..2).map(|_| Vote::builder().review(&review))).await?;
            }
        }
        Letter::builder().publisher(ForeignKey::from(&owner)).insert(db).await?;
        assert_eq!(test.rows_in("cnt_votes").await?, 20);
        test.statements();
        owner.delete(db).await?;
        assert_sent!(test, 1);
        for (table, left) in [
            ("cnt_books", 0), ("cnt_books_cnt_tags", 0), ("cnt_reviews", 0), ("cnt_votes", 0),
            ("cnt_tags", 2), ("cnt_letters", 1),
        ] {
            assert_eq!(test.rows_in(table).await?, left, "{table}");
        }
        assert_eq!(Letter::query().one(db).await?.publisher, None);
    }

    // 29
    async fn a_delete_of_a_thousand_children_is_one_statement(test: &Fixture) {
        shelves(test, 1, 1000).await?;
        assert_eq!(Publisher::query().delete(&test.db).await?, 1);
        assert_sent!(test, 1);
        assert_eq!(test.rows_in("cnt_books").await?, 0);
    }

    // 30
    async fn a_transaction_adds_no_statement_of_its_own(test: &Fixture) {
        test.db.create(models![Publisher]).await?;
        test.statements();
        let insert = async |tx: &Transaction, name: &str| Publisher::builder().name(name).insert(tx).await;
        test.db.transaction(async |tx| {
            insert(tx, "a").await?;
            insert(tx, "b").await
        }).await?;
        assert_sent!(test, 2);
        test.db.transaction(async |tx| tx.transaction(async |inner| insert(inner, "c").await).await).await?;
        assert_sent!(test, 1);
    }

    // 32
    async fn a_locked_read_is_one_statement(test: &Fixture) {
        shelves(test, 1, 0).await?;
        test.db.transaction(async |tx| Publisher::query().lock(Lock::Update).all(tx).await).await?;
        assert_sent!(test, 1);
    }

    // 33, one by one: a link table of the library's own.
    async fn seeding_links_one_by_one_is_a_statement_for_each_row_and_each_side(test: &Fixture) {
        let db = &test.db;
        shelves(test, 1, 0).await?;
        let owner = Publisher::query().one(db).await?;
        test.statements();
        let (mut books, mut tags) = (Vec::new(), Vec::new());
        for n in 0..3 {
            books.push(Book::builder().publisher(&owner).title(format!("B{n}")).insert(db).await?);
            tags.push(Tag::builder().name(format!("T{n}")).insert(db).await?);
        }
        books[0].tags().add(db, &tags).await?;
        books[1].tags().add(db, &tags).await?;
        books[2].tags().add(db, [&tags[0]]).await?;
        assert_sent!(test, 9);
        let read = Book::query().include(|b| b.tags()).all(db).await?;
        assert_eq!(read.iter().map(|book| book.tags.get().unwrap().len()).sum::<usize>(), 7);
        assert_sent!(test, 2);
        for book in Book::query().all(db).await? {
            book.tags().all(db).await?;
        }
        assert_sent!(test, 4);
    }

    // 33, in bulk: links that are a model.
    async fn seeding_links_in_bulk_is_a_statement_for_each_table(test: &Fixture) {
        let db = &test.db;
        db.create(models![Student, Course, Enrollment]).await?;
        test.statements();
        let students = Student::insert_many(db, (0..3).map(|n| Student::builder().name(format!("S{n}")))).await?;
        let courses = Course::insert_many(db, (0..3).map(|n| Course::builder().name(format!("C{n}")))).await?;
        let links = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)];
        let link = |(s, c): (usize, usize)| Enrollment::builder().student(&students[s]).course(&courses[c]);
        Enrollment::insert_many(db, links.map(link)).await?;
        assert_sent!(test, 3);
        let read = Student::query().include(|s| s.courses()).order_by(|s| s.id().asc()).all(db).await?;
        assert_eq!(read.iter().map(|student| student.courses.get().unwrap().len()).collect::<Vec<_>>(), [3, 3, 1]);
        assert_sent!(test, 2);
    }

    // 34
    async fn three_parents_and_their_children_are_two_statements_in_bulk(test: &Fixture) {
        let db = &test.db;
        db.create(models![Publisher, Book, Tag]).await?;
        test.statements();
        for n in 0..3 {
            let owner = publisher(db, &format!("P{n}")).await?;
            for n in 0..4 {
                owner.books().create(db, |book| book.title(format!("B{n}"))).await?;
            }
        }
        assert_sent!(test, 15);
        let owners = Publisher::insert_many(db, (0..3).map(|n| Publisher::builder().name(format!("P{n}")))).await?;
        let four = |owner| (0..4).map(move |n| Book::builder().publisher(owner).title(format!("B{n}")));
        Book::insert_many(db, owners.iter().flat_map(four)).await?;
        assert_sent!(test, 2);
    }

    // 19 and 35. One by one it is a statement each, which 200 rows show as well as 5000.
    async fn bulk_inserts_are_few_statements(test: &Fixture) {
        let db = &test.db;
        db.create(models![Narrow, Wide]).await?;
        test.statements();
        Narrow::insert_many(db, (0..1000).map(|a| Narrow { id: 0, a })).await?;
        assert_sent!(test, 1);
        let wide = |a: i64| Wide { id: 0, a, b: a, c: a.to_string(), d: None };
        Wide::insert_many(db, (0..1000).map(wide)).await?;
        assert_sent!(test, 1);
        Wide::insert_many(db, (0..5000).map(wide)).await?;
        assert_sent!(test, if test.is(Backend::Postgres) { 1 } else { 5 });
        db.transaction(async |tx| {
            for n in 0..200 {
                Record::new(wide(n)).save(tx).await?;
            }
            Ok(())
        }).await?;
        assert_sent!(test, 200);
    }

    // 20, what there is of it: batches are the program's own.
    async fn batches_are_a_statement_each(test: &Fixture) {
        test.db.create(models![Narrow]).await?;
        test.statements();
        for batch in 0..10 {
            Narrow::insert_many(&test.db, (0..100).map(|n| Narrow { id: 0, a: batch * 100 + n })).await?;
        }
        assert_sent!(test, 10);
        assert_eq!(test.rows_in("cnt_narrow").await?, 1000);
    }

    // 36
    async fn one_attribute_of_five_rows_is_one_statement_in_bulk(test: &Fixture) {
        let db = &test.db;
        let mut rows = shelves(test, 5, 0).await?;
        for (n, row) in (1..).zip(&mut rows) {
            row.rank = n;
            row.save(db).await?;
        }
        assert_sent!(test, 5);
        let keys: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let these = Publisher::filter(|p| p.id().is_in(keys.clone()));
        let changed = these.update(db, |p| {
            let first = case(p.id().eq(keys[0]), 10);
            let each = (1..5).fold(first, |case, n| case.when(p.id().eq(keys[n]), 10 * (n as i64 + 1)));
            p.rank().set(each.otherwise(p.rank()))
        });
        assert_eq!(changed.await?, 5);
        assert_sent!(test, 1);
        let ranks = Publisher::query().order_by(|p| p.id().asc()).select(|p| p.rank()).all(db).await?;
        assert_eq!(ranks, [10, 20, 30, 40, 50]);
    }

    // 37
    async fn parents_with_children_are_deleted_by_one_statement_or_one_each(test: &Fixture) {
        let db = &test.db;
        let owners = shelves(test, 3, 4).await?;
        let keys = owners.iter().take(1).map(|owner| owner.id);
        Publisher::filter(|p| p.id().is_in(keys)).delete(db).await?;
        assert_sent!(test, 1);
        assert_eq!(test.rows_in("cnt_books").await?, 8);
        test.statements();
        for mut owner in owners.into_iter().skip(1) {
            owner.delete(db).await?;
        }
        assert_sent!(test, 2);
        assert_eq!(test.rows_in("cnt_books").await?, 0);
    }

    // 38
    async fn the_parents_of_twelve_children_are_one_statement_more(test: &Fixture) {
        let db = &test.db;
        shelves(test, 3, 4).await?;
        for mut book in Book::query().all(db).await? {
            book.load(db, |b| b.publisher()).await?;
        }
        assert_sent!(test, 13);
        let books = Book::query().include(|b| b.publisher()).all(db).await?;
        assert_eq!(books.len(), 12);
        for book in &books {
            assert_eq!(book.publisher.get()?.id, *book.publisher.key().unwrap());
        }
        assert_sent!(test, 2);
        let joined: Vec<(String, Record<Publisher>)> =
            Book::query().select(|b| (b.title(), b.publisher())).all(db).await?;
        assert_eq!(joined.len(), 12);
        assert_sent!(test, 1);
    }
}
