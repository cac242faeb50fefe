//! What can go wrong, and what is said then: the kind, the model, the field, the constraint, and never a value.
//! Nothing is written by what failed.

use std::time::{Duration, Instant};

use cormorant::prelude::*;
use cormorant::{Error, ErrorKind, Result, Sql, UncheckedSql};
use cormorant_conformance::{Backend, Fixture, PATIENCE, conformance, unique_name};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "fault_authors", unique(first, last))]
struct Author {
    id: i64,
    #[model(max_length = 10, unique)]
    email: String,
    #[model(max_length = 20)]
    first: String,
    #[model(max_length = 20)]
    last: String,
    #[model(precision = 5, scale = 2)]
    fee: Decimal,
    #[model(check = "age >= 18")]
    age: i32,
    large: Option<u64>,
    boss: Option<ForeignKey<Author>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "fault_books")]
struct Book {
    id: i64,
    author: ForeignKey<Author>,
    #[model(default = "none")]
    title: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "fault_links")]
struct Link {
    #[model(key)]
    a: i32,
    #[model(key)]
    b: i32,
    n: i64,
}

/// A table as it is in the database, beside the model that believes otherwise.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "fault_loose")]
struct Loose {
    id: i64,
    n: Option<i64>,
    text: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "fault_loose")]
struct Tight {
    id: i64,
    n: i64,
    text: String,
}

const CANARY: &str = "c4n4ry";

fn tight(n: i64) -> Tight {
    Tight { id: 0, n, text: CANARY.into() }
}

fn author() -> Author {
    Author {
        id: 0,
        email: CANARY.into(),
        first: CANARY.into(),
        last: CANARY.into(),
        fee: dec!(1.50),
        age: 42,
        large: None,
        boss: None,
    }
}

/// Another one who collides with nobody.
fn stranger() -> Author {
    Author { email: "x@y".into(), first: "A".into(), last: "B".into(), ..author() }
}

/// What an error has to say.
#[derive(Debug, PartialEq)]
struct Said {
    kind: ErrorKind,
    model: Option<String>,
    field: Option<String>,
    constraint: Option<String>,
}

fn said<T>(result: Result<T>) -> Said {
    let Err(error) = result else { panic!("an error was expected") };
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(CANARY), "{shown}");
    Said {
        kind: error.kind(),
        model: error.model().map(str::to_owned),
        field: error.field().map(str::to_owned),
        constraint: error.constraint().map(str::to_owned),
    }
}

fn says(
    kind: ErrorKind,
    model: &str,
    field: impl Into<Option<&'static str>>,
    constraint: impl Into<Option<&'static str>>,
) -> Said {
    let owned = |text: Option<&'static str>| text.map(str::to_owned);
    Said { kind, model: Some(model.to_owned()), field: owned(field.into()), constraint: owned(constraint.into()) }
}

fn faults<T>(result: Result<T>) -> Vec<String> {
    let Err(error) = result else { panic!("an error was expected") };
    assert_eq!((error.kind(), error.model()), (ErrorKind::Validation, Some("Author")), "{error}");
    error.faults().iter().map(|fault| fault.field.clone()).collect()
}

/// Two authors, and a book of the first.
async fn library(test: &Fixture) -> Result<Record<Author>> {
    test.db.create(models![Author, Book, Link]).await?;
    let first = Record::insert(author(), &test.db).await?;
    Record::insert(
        Author { email: "z".into(), first: "Z".into(), boss: Some(ForeignKey::from(&first)), ..author() },
        &test.db,
    )
    .await?;
    Book::builder().author(&first).title("t").insert(&test.db).await?;
    Record::insert(Link { a: 1, b: 2, n: 0 }, &test.db).await?;
    test.statements();
    Ok(first)
}

async fn is_unchanged(test: &Fixture) -> Result<()> {
    for (table, rows) in [("fault_authors", 2), ("fault_books", 1), ("fault_links", 1)] {
        assert_eq!(test.rows_in(table).await?, rows, "{table}");
    }
    Ok(())
}

conformance! {
    async fn what_a_column_cannot_hold_is_found_before_anything_is_sent(test: &Fixture) {
        let mut first = library(test).await?;
        let long = Author { email: "12345678901".into(), ..stranger() };
        assert_eq!(faults(Record::insert(long.clone(), &test.db).await), ["email"]);
        let ten_birds = Author { email: "\u{1F426}".repeat(10), ..stranger() };
        assert!(Record::insert(ten_birds, &test.db).await.is_ok(), "ten characters");
        Author::filter(|a| a.first().eq("A")).delete(&test.db).await?;
        test.statements();
        assert_eq!(faults(Record::insert(Author { fee: dec!(1000.00), ..stranger() }, &test.db).await), ["fee"]);
        assert_eq!(faults(Record::insert(Author { fee: dec!(-1000), ..stranger() }, &test.db).await), ["fee"]);
        assert_eq!(faults(Record::insert(Author { fee: dec!(0.001), ..stranger() }, &test.db).await), ["fee"]);
        assert_eq!(faults(Record::insert(Author { fee: Decimal::MAX, ..stranger() }, &test.db).await), ["fee"]);
        assert_eq!(faults(Record::insert(Author { large: Some(1 << 63), ..stranger() }, &test.db).await), ["large"]);
        first.email = long.email;
        first.fee = dec!(99999);
        assert_eq!(faults(first.save(&test.db).await), ["email", "fee"], "all at once");
        assert_eq!(test.statements(), Vec::<String>::new());
        assert_eq!(Author::get(&test.db, first.id).await?.email, CANARY);
        is_unchanged(test).await?;
    }

    async fn the_largest_and_the_longest_fit(test: &Fixture) {
        library(test).await?;
        for (fee, large) in [(dec!(999.99), i64::MAX as u64), (dec!(-999.99), 0), (dec!(0.010), 1)] {
            let author = Author { fee, large: Some(large), email: "1234567890".into(), ..stranger() };
            let record = Record::insert(author, &test.db).await?;
            let mut found = Author::get(&test.db, record.id).await?;
            assert_eq!((found.fee, found.large), (fee, Some(large)));
            found.delete(&test.db).await?;
        }
    }

    async fn an_integer_above_the_largest_is_refused_in_queries_too(test: &Fixture) {
        library(test).await?;
        let most = 1u64 << 63;
        let update = Author::query().update(&test.db, |a| a.large().set(most)).await;
        assert_eq!(said(update).kind, ErrorKind::Encode, "NULL is not what was asked for");
        let filtered = Author::filter(|a| a.large().ne(most)).count(&test.db).await;
        assert_eq!(said(filtered).kind, ErrorKind::Encode);
        let raw = sql!("UPDATE fault_authors SET large = {most}").execute(&test.db).await;
        assert_eq!(raw.unwrap_err().kind(), ErrorKind::Encode);
        let raw = sql!("SELECT id FROM fault_authors WHERE large = {most}").all::<i64>(&test.db).await;
        assert_eq!(said(raw).kind, ErrorKind::Encode);
        is_unchanged(test).await?;
    }

    async fn nul_in_text_is_stored_whole_or_refused(test: &Fixture) {
        library(test).await?;
        let nul = Author { last: format!("{CANARY}\0x"), ..stranger() };
        let result = Record::insert(nul.clone(), &test.db).await;
        if test.is(Backend::Postgres) {
            assert_eq!(said(result), says(ErrorKind::Encode, "Author", "last", None));
            assert!(Author::filter(|a| a.last().eq("a\0b")).all(&test.db).await.is_err());
            let text = "a\0b";
            assert!(sql!("SELECT {text}").one::<String>(&test.db).await.is_err());
            is_unchanged(test).await?;
        } else {
            assert_eq!(Author::get(&test.db, result?.id).await?.last, nul.last);
            assert_eq!(Author::filter(|a| a.last().eq(nul.last)).count(&test.db).await?, 1);
        }
    }

    async fn null_where_the_model_has_none_names_the_field(test: &Fixture) {
        test.db.create(models![Loose]).await?;
        Record::insert(Loose { id: 0, n: Some(1), text: None }, &test.db).await?;
        assert_eq!(said(Tight::query().all(&test.db).await), says(ErrorKind::Decode, "Tight", "text", None));
        assert_eq!(said(Tight::query().select(|t| t.text()).all(&test.db).await).kind, ErrorKind::Decode);
        assert_eq!(said(sql!("SELECT text FROM fault_loose").one::<String>(&test.db).await).kind, ErrorKind::Decode);
        Loose::query().update(&test.db, |l| (l.text().set("x"), l.n().set(None))).await?;
        let error = Tight::query().one(&test.db).await.unwrap_err();
        assert!(error.to_string().contains("NULL") && error.to_string().contains("Option"), "{error}");
        assert_eq!(error.field(), Some("n"));
        assert_eq!(Loose::query().one(&test.db).await?.n, None, "and the connection goes on");
    }

    async fn a_column_that_is_gone_is_named(test: &Fixture) {
        test.db.create(models![Tight]).await?;
        let mut row = Record::insert(tight(1), &test.db).await?;
        Tight::query().all(&test.db).await?;
        test.execute("ALTER TABLE fault_loose DROP COLUMN n").await?;
        let missing = || says(ErrorKind::SchemaMismatch, "Tight", "n", None);
        assert_eq!(said(Tight::query().all(&test.db).await), missing());
        assert_eq!(said(Tight::filter(|t| t.n().eq(1)).count(&test.db).await), missing());
        assert_eq!(said(Tight::query().update(&test.db, |t| t.n().set(2)).await), missing());
        assert_eq!(said(Record::insert(tight(1), &test.db).await), missing());
        assert_eq!(said(row.refresh(&test.db).await), missing());
        row.n = 2;
        assert_eq!(said(row.save(&test.db).await), missing());
        let error = Tight::query().one(&test.db).await.unwrap_err();
        assert!(error.to_string().contains("migration"), "{error}");
        row.delete(&test.db).await?;
        assert_eq!(test.rows_in("fault_loose").await?, 0);
    }

    async fn a_column_that_is_new_changes_nothing(test: &Fixture) {
        test.db.create(models![Tight]).await?;
        let row = Record::insert(Tight { id: 0, n: 1, text: "a".into() }, &test.db).await?;
        Tight::query().all(&test.db).await?;
        test.execute("ALTER TABLE fault_loose ADD COLUMN extra INTEGER").await?;
        assert_eq!(Tight::query().one(&test.db).await?, row);
        Record::insert(Tight { id: 0, n: 2, text: "b".into() }, &test.db).await?;
        assert_eq!(Tight::query().count(&test.db).await?, 2);
    }

    async fn a_table_that_is_gone_is_said_with_its_model(test: &Fixture) {
        test.db.create(models![Tight]).await?;
        let mut row = Record::insert(tight(1), &test.db).await?;
        test.execute("DROP TABLE fault_loose").await?;
        let gone = |said: Said| {
            assert_eq!((said.kind, said.model.as_deref()), (ErrorKind::SchemaMismatch, Some("Tight")));
        };
        gone(said(Tight::query().all(&test.db).await));
        gone(said(Tight::get(&test.db, 1).await));
        gone(said(Tight::insert_many(&test.db, [tight(1)]).await));
        gone(said(row.refresh(&test.db).await));
        gone(said(row.delete(&test.db).await));
        assert_eq!(said(sql!("SELECT n FROM fault_loose").all::<i64>(&test.db).await).kind, ErrorKind::SchemaMismatch);
        test.db.create(models![Tight]).await?;
        Record::insert(Tight { id: 0, n: 1, text: "x".into() }, &test.db).await?;
    }

    async fn a_value_that_is_there_already_is_named_with_its_fields(test: &Fixture) {
        let first = library(test).await?;
        let db = &test.db;
        let unique = |model, field, constraint| says(ErrorKind::Unique, model, field, constraint);
        let email = Author { first: "n".into(), ..author() };
        assert_eq!(said(Record::insert(email, db).await), unique("Author", "email", "uq_fault_authors_email"));
        let both = Author { email: "n".into(), ..author() };
        let both = said(Record::insert(both, db).await);
        assert_eq!(both, unique("Author", "first, last", "uq_fault_authors_first_last"));
        let key = Author { id: first.id, ..stranger() };
        assert_eq!(said(Record::insert(key, db).await), unique("Author", "id", "pk_fault_authors"));
        let link = Link { a: 1, b: 2, n: 1 };
        assert_eq!(said(Record::insert(link, db).await), unique("Link", "a, b", "pk_fault_links"));
        let mut other = Author::filter(|a| a.first().eq("Z")).one(db).await?;
        other.email = CANARY.into();
        assert_eq!(said(other.save(db).await), unique("Author", "email", "uq_fault_authors_email"));
        let all = Author::query().update(db, |a| a.email().set("same")).await;
        assert_eq!(said(all), unique("Author", "email", "uq_fault_authors_email"));
        let many = Author::insert_many(db, [stranger(), Author { email: "n".into(), ..author() }]).await;
        assert_eq!(said(many).kind, ErrorKind::Unique);
        is_unchanged(test).await?;
    }

    async fn a_row_that_points_nowhere_is_refused(test: &Fixture) {
        let first = library(test).await?;
        let db = &test.db;
        let points = || says(ErrorKind::ForeignKey, "Book", "author", "fk_fault_books_author_id");
        let nowhere = Book { id: 0, author: ForeignKey::to(first.id + 1_000), title: CANARY.into() };
        assert_eq!(said(Record::insert(nowhere.clone(), db).await), points());
        assert_eq!(said(Book::insert_many(db, [nowhere.clone(), nowhere]).await), points());
        let mut book = Book::query().one(db).await?;
        book.author = ForeignKey::to(first.id + 1_000);
        assert_eq!(said(book.save(db).await), points());
        let error = book.save(db).await.unwrap_err();
        assert!(error.to_string().contains("the row of Author it points at is missing"), "{error}");
        let elsewhere = first.id + 1_000;
        let update = sql!("UPDATE fault_books SET author_id = {elsewhere}").execute(db).await;
        assert_eq!(said(update).kind, ErrorKind::ForeignKey);
        is_unchanged(test).await?;
    }

    async fn a_row_that_is_pointed_at_stays(test: &Fixture) {
        let mut first = library(test).await?;
        let db = &test.db;
        let error = first.delete(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::ForeignKey, Some("Author")));
        assert!(error.to_string().contains("still pointed at"), "{error}");
        assert!(first.is_saved(), "it is still there");
        Book::query().delete(db).await?;
        // Now only an author points at it: the key is in the same table.
        let error = first.delete(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::ForeignKey, Some("Author")));
        assert!(error.to_string().contains("still pointed at"), "{error}");
        assert_eq!(said(Author::query().filter(|a| a.email().eq(CANARY)).delete(db).await).kind, ErrorKind::ForeignKey);
        assert_eq!(test.rows_in("fault_authors").await?, 2);
    }

    async fn an_unsaved_target_is_named_before_anything_is_sent(test: &Fixture) {
        library(test).await?;
        let unsaved = Record::new(stranger());
        let error = Book::builder().author(&unsaved).insert(&test.db).await.unwrap_err();
        assert!(error.is_validation() && error.faults()[0].field == "author", "{error}");
        assert_eq!(test.statements(), Vec::<String>::new());
        is_unchanged(test).await?;
    }

    async fn null_in_a_column_without_is_named(test: &Fixture) {
        test.db.create(models![Tight]).await?;
        let error = sql!("INSERT INTO fault_loose (n) VALUES (1)").execute(&test.db).await.unwrap_err();
        assert_eq!((error.kind(), error.columns()), (ErrorKind::NotNull, &["text".to_owned()][..]), "{error}");
        assert_eq!(said(Record::insert(Loose { id: 0, n: None, text: None }, &test.db).await).kind, ErrorKind::NotNull);
        let one = Loose { id: 0, n: Some(1), text: None };
        assert_eq!(said(Record::insert(one, &test.db).await), says(ErrorKind::NotNull, "Loose", "text", None));
        Record::insert(Tight { id: 0, n: 1, text: "x".into() }, &test.db).await?;
        let update = Loose::query().update(&test.db, |l| l.text().set(None)).await;
        assert_eq!(said(update), says(ErrorKind::NotNull, "Loose", "text", None));
        assert_eq!(Tight::query().one(&test.db).await?.text, "x");
    }

    async fn a_row_that_a_check_refuses_is_named(test: &Fixture) {
        let mut first = library(test).await?;
        let check = || says(ErrorKind::Check, "Author", "age", "ck_fault_authors_age");
        assert_eq!(said(Record::insert(Author { age: 17, ..stranger() }, &test.db).await), check());
        first.age = 3;
        assert_eq!(said(first.save(&test.db).await), check());
        assert_eq!(said(Author::query().update(&test.db, |a| a.age().set(a.age() - 40)).await), check());
        assert_eq!(Author::get(&test.db, first.id).await?.age, 42);
        is_unchanged(test).await?;
    }

    async fn a_row_that_is_gone_is_stale(test: &Fixture) {
        test.db.create(models![Tight]).await?;
        let mut row = Record::insert(tight(1), &test.db).await?;
        Tight::query().delete(&test.db).await?;
        row.n = 2;
        let stale = || says(ErrorKind::Stale, "Tight", None, None);
        assert_eq!(said(row.save(&test.db).await), stale());
        assert_eq!(said(row.refresh(&test.db).await), stale());
        assert_eq!(said(row.delete(&test.db).await), stale());
        assert!(row.is_changed(), "and what was to be written is not forgotten");
        assert_eq!(test.rows_in("fault_loose").await?, 0);
    }

    async fn a_failed_save_can_be_mended(test: &Fixture) {
        let mut first = library(test).await?;
        first.email = "z".into();
        assert!(first.save(&test.db).await.unwrap_err().is_unique());
        first.email = "new".into();
        first.save(&test.db).await?;
        assert_eq!(Author::get(&test.db, first.id).await?.email, "new");
        let mut new = Record::new(Author { email: "z".into(), ..stranger() });
        assert!(new.save(&test.db).await.unwrap_err().is_unique());
        assert!(!new.is_saved());
        new.email = "q".into();
        new.save(&test.db).await?;
        assert!(new.is_saved() && new.id > 0);
    }
}

/// Connections that are cut from the server's side, and servers that are not there.
mod servers {
    use super::*;

    /// The connections whose statement over the table runs and does not come to its end.
    async fn waiting(outside: &Fixture) -> Result<Vec<i64>> {
        let sql = match outside.backend {
            Backend::Postgres => sql!(
                "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() \
                 AND wait_event_type = 'Lock' AND query LIKE '%fault_loose%'"
            ),
            _ => sql!(
                "SELECT id FROM information_schema.processlist WHERE db = DATABASE() \
                 AND command NOT IN ('Sleep', 'Quit') AND info LIKE '%fault_loose%' AND id <> CONNECTION_ID()"
            ),
        };
        sql.all(&outside.db).await
    }

    conformance! {
        async fn a_read_on_a_cut_connection_is_asked_again(test: &Fixture) {
            let one = test.with_connections(1).await?;
            one.db.create(models![Tight]).await?;
            Record::insert(Tight { id: 0, n: 7, text: "x".into() }, &one.db).await?;
            for _ in 0..3 {
                test.kill_others().await?;
                assert_eq!(Tight::query().one(&one.db).await?.n, 7);
                test.kill_others().await?;
                assert!(Tight::query().exists(&one.db).await?);
                // What SQL text does is not known: where it meets the cut connection it is an error, and sent once.
                test.kill_others().await?;
                one.statements();
                match sql!("SELECT n FROM fault_loose").one::<i64>(&one.db).await {
                    Ok(n) => assert_eq!(n, 7),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}"),
                }
                assert_eq!(one.statements().len(), 1, "it is sent once");
            }
        }

        async fn a_write_on_a_cut_connection_is_never_done_twice(test: &Fixture) {
            let one = test.with_connections(1).await?;
            one.db.create(models![Tight]).await?;
            let mut row = Record::insert(Tight { id: 0, n: 0, text: "x".into() }, &one.db).await?;
            for _ in 0..5 {
                let before = Tight::query().count(&one.db).await?;
                test.kill_others().await?;
                // Where it is known that the server has hung up, another connection is taken, and the write is done.
                one.statements();
                let written = Record::insert(Tight { id: 0, n: 1, text: "y".into() }, &one.db).await;
                assert_eq!(one.statements().len(), 1, "it is sent once");
                let after = Tight::query().count(&one.db).await?;
                match written {
                    Ok(_) => assert_eq!(after, before + 1),
                    Err(error) => assert_eq!((error.kind(), after), (ErrorKind::ConnectionLost, before), "{error}"),
                }
                let known = Tight::get(&one.db, row.id).await?.n;
                test.kill_others().await?;
                one.statements();
                let written = Tight::filter(|t| t.id().eq(row.id)).update(&one.db, |t| t.n().set(t.n() + 1)).await;
                assert_eq!(one.statements().len(), 1, "it is sent once");
                row.refresh(&one.db).await?;
                match written {
                    Ok(rows) => assert_eq!((rows, row.n), (1, known + 1)),
                    Err(error) => assert_eq!((error.kind(), row.n), (ErrorKind::ConnectionLost, known), "{error}"),
                }
            }
        }

        async fn a_statement_that_is_cut_while_it_runs_is_repeated_only_to_read(test: &Fixture) {
            if test.is(Backend::Sqlite) {
                return Ok(());
            }
            let one = test.with_connections(1).await?;
            one.db.create(models![Tight]).await?;
            let id = Record::insert(Tight { id: 0, n: 1, text: "x".into() }, &one.db).await?.id;
            // A write, SQL text that may be one, and a query.
            for what in ["write", "text", "query"] {
                // It waits for a lock, and is cut there.
                let outside = test.beside(2).await?;
                let holder = outside.db.begin().await?;
                let lock = match test.backend {
                    Backend::Postgres => "LOCK TABLE fault_loose IN ACCESS EXCLUSIVE MODE",
                    _ => "LOCK TABLES fault_loose WRITE",
                };
                Sql::unchecked(UncheckedSql::vouch_for(lock)).execute(&holder).await?;
                one.statements();
                let db = one.db.clone();
                let waits = tokio::spawn(async move {
                    let row = Tight::filter(|t| t.id().eq(id));
                    match what {
                        "write" => row.update(&db, |t| t.n().set(t.n() + 1)).await.map(|rows| rows as i64),
                        "text" => sql!("SELECT n FROM fault_loose WHERE id = {id}").one(&db).await,
                        _ => row.one(&db).await.map(|row| row.n),
                    }
                });
                outside.until("it does not wait", async || Ok(waiting(&outside).await?.len() == 1)).await?;
                for id in waiting(&outside).await? {
                    outside.cut(id).await?;
                }
                if what == "query" {
                    // Its connection is closed, and with it the lock is gone.
                    drop(holder);
                    assert_eq!(tokio::time::timeout(PATIENCE, waits).await.expect("it ends").unwrap()?, 1);
                    assert_eq!(one.statements().len(), 2, "it is asked again");
                } else {
                    let ended = tokio::time::timeout(PATIENCE, waits).await.expect("it does not wait again").unwrap();
                    assert_eq!(said(ended).kind, ErrorKind::ConnectionLost, "{what}");
                    assert_eq!(one.statements().len(), 1, "{what}: it is sent once");
                    drop(holder);
                }
                assert_eq!(Tight::get(&one.db, id).await?.n, 1);
            }
        }

        async fn a_transaction_on_a_cut_connection_is_lost_whole(test: &Fixture) {
            if test.is(Backend::Sqlite) {
                return Ok(());
            }
            let one = test.with_connections(1).await?;
            one.db.create(models![Tight]).await?;
            let tx = one.db.begin().await?;
            Record::insert(tight(1), &tx).await?;
            test.kill_others().await?;
            assert_eq!(said(Tight::query().count(&tx).await).kind, ErrorKind::ConnectionLost, "a read is not repeated");
            assert_eq!(said(Record::insert(tight(2), &tx).await).kind, ErrorKind::ConnectionLost);
            assert_eq!(said(tx.commit().await).kind, ErrorKind::ConnectionLost, "COMMIT was never sent");
            assert_eq!(test.rows_in("fault_loose").await?, 0);

            let lost = one.db.transaction(async |tx| {
                Record::insert(tight(1), tx).await?;
                test.kill_others().await?;
                tx.transaction(async |inner| { Record::insert(tight(2), inner).await }).await
            }).await;
            assert_eq!(said(lost).kind, ErrorKind::ConnectionLost);
            Record::insert(Tight { id: 0, n: 3, text: "x".into() }, &one.db).await?;
            assert_eq!(Tight::query().one(&one.db).await?.n, 3);
        }

        async fn a_commit_on_a_cut_connection_is_never_taken_for_done(test: &Fixture) {
            if test.is(Backend::Sqlite) {
                return Ok(());
            }
            let one = test.with_connections(1).await?;
            one.db.create(models![Tight]).await?;
            let committed = one.db.transaction(async |tx| {
                Record::insert(tight(1), tx).await?;
                test.kill_others().await
            }).await;
            let kind = said(committed).kind;
            assert!(matches!(kind, ErrorKind::CommitUnknown | ErrorKind::ConnectionLost), "{kind:?}");
            assert_eq!(test.rows_in("fault_loose").await?, 0);
            assert_eq!(Tight::query().count(&one.db).await?, 0);
        }

        async fn a_server_that_is_not_there_is_said_at_once(test: &Fixture) {
            let Some((scheme, _)) = test.url.split_once("://") else { return Ok(()) };
            let started = Instant::now();
            let error = Database::connect(format!("{scheme}://user:{CANARY}@127.0.0.1:1/shop")).await.unwrap_err();
            assert_eq!(said(Err::<(), _>(error)).kind, ErrorKind::ConnectionLost);
            assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
            let error = Database::connect(format!("{scheme}://user:{CANARY}@127.0.0.1:1/shop")).await.unwrap_err();
            for word in ["127.0.0.1:1", "shop", "user"] {
                assert!(error.to_string().contains(word), "{error}");
            }
            let gone = Database::connect(format!("{}_gone", test.url)).await;
            assert_eq!(said(gone).kind, ErrorKind::ConnectionLost);
        }

        async fn a_server_that_does_not_answer_is_given_up(test: &Fixture) {
            let Some((scheme, _)) = test.url.split_once("://") else { return Ok(()) };
            let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = silent.local_addr().unwrap().port();
            let started = Instant::now();
            let url = format!("{scheme}://u:{CANARY}@127.0.0.1:{port}/shop?connect_timeout=0.3");
            let error = Database::connect(url).await.unwrap_err();
            assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
            assert_eq!(said(Err::<(), Error>(error)).kind, ErrorKind::ConnectionLost);
        }
    }
}

/// What only a file can suffer, and the settings that guard it.
mod sqlite {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    use super::*;

    /// A directory of the test's own, removed with it.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            let path = std::env::temp_dir().join(unique_name("cormorant_faults"));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn url(&self, file: &str) -> String {
            format!("sqlite:{}", self.0.join(file).display())
        }

        /// A database with one row, and everything in the one file.
        async fn database(&self, file: &str) -> Result<PathBuf> {
            let db = Database::connect(self.url(file)).await?;
            db.create(models![Tight]).await?;
            Record::insert(Tight { id: 0, n: 7, text: "x".into() }, &db).await?;
            drop(db);
            Ok(self.0.join(file))
        }

        fn files(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut files: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            files.sort();
            files
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn on_sqlite(test: impl AsyncFnOnce(&Fixture) -> Result<()>) {
        Fixture::run(Backend::Sqlite, "file", test);
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_is_read_and_left_alone() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            let path = directory.database("shop.db").await?;
            let before = fs::read(&path).unwrap();
            set_mode(&path, 0o444);
            assert_eq!(directory.files(), ["shop.db"]);
            {
                let db = Database::connect(directory.url("shop.db")).await?;
                assert_eq!(Tight::query().one(&db).await?.n, 7);
                let written = Record::insert(tight(8), &db).await;
                assert_eq!(said(written).kind, ErrorKind::ReadOnly);
                let in_transaction = db.transaction(async |tx| Tight::query().delete(tx).await).await;
                assert_eq!(said(in_transaction).kind, ErrorKind::ReadOnly);
                assert_eq!(Tight::query().count(&db).await?, 1);
                assert_eq!(directory.files(), ["shop.db"], "no file beside it");
            }
            assert_eq!(directory.files(), ["shop.db"]);
            assert_eq!(fs::read(&path).unwrap(), before);
            Ok(())
        });
    }

    #[test]
    fn a_file_opened_to_read_is_not_written() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            directory.database("shop.db").await?;
            let db = Database::connect(directory.url("shop.db") + "?mode=ro").await?;
            assert_eq!(Tight::query().one(&db).await?.n, 7);
            assert_eq!(said(Tight::query().delete(&db).await).kind, ErrorKind::ReadOnly);
            // Others may write at the same time, and what they wrote is seen.
            let other = Database::connect(directory.url("shop.db")).await?;
            Record::insert(Tight { id: 0, n: 8, text: "y".into() }, &other).await?;
            assert_eq!(Tight::query().count(&db).await?, 2);
            Ok(())
        });
    }

    #[test]
    fn what_is_no_database_is_refused_when_it_is_opened() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            fs::write(directory.0.join("letter.txt"), "Dear reader, this is no database at all. ".repeat(100)).unwrap();
            let opened = Database::connect(directory.url("letter.txt")).await;
            assert_eq!(said(opened).kind, ErrorKind::Corrupt);
            for url in [
                directory.url("missing.db") + "?mode=rw",
                directory.url("missing.db") + "?mode=ro",
                directory.url("no/such/directory.db"),
                directory.url("."),
            ] {
                let error = Database::connect(&url).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{url}: {error}");
                assert!(error.to_string().contains("cannot be opened"), "{error}");
            }
            assert_eq!(directory.files(), ["letter.txt"], "nothing was made");
            Ok(())
        });
    }

    #[test]
    fn a_damaged_file_is_said_to_be_damaged() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            let path = directory.database("shop.db").await?;
            let mut bytes = fs::read(&path).unwrap();
            bytes[4096..].fill(0xa5);
            fs::write(&path, bytes).unwrap();
            let db = Database::connect(directory.url("shop.db")).await?;
            assert_eq!(said(Tight::query().all(&db).await).kind, ErrorKind::Corrupt);
            Ok(())
        });
    }

    #[test]
    fn a_file_that_vanished_is_no_empty_database_to_those_who_say_so() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            let path = directory.database("shop.db").await?;
            let url = directory.url("shop.db") + "?mode=rw&max_connections=2";
            let db = Database::connect(url).await?;
            let held = db.begin().await?;
            Tight::query().count(&held).await?;
            fs::remove_file(path).unwrap();
            // The second connection has to be opened.
            assert_eq!(said(Tight::query().count(&db).await).kind, ErrorKind::ConnectionLost);
            drop(held);
            Ok(())
        });
    }

    #[test]
    fn the_settings_are_in_force() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            let db = Database::connect(directory.url("shop.db")).await?;
            async fn pragma<T: cormorant::FromRow + Send>(db: &Database, name: &str) -> Result<T> {
                let text = cormorant::UncheckedSql::vouch_for(format!("SELECT * FROM pragma_{name}"));
                cormorant::Sql::unchecked(text).one(db).await
            }
            assert_eq!(pragma::<String>(&db, "journal_mode").await?, "wal");
            assert_eq!(pragma::<i64>(&db, "foreign_keys").await?, 1);
            assert_eq!(pragma::<i64>(&db, "synchronous").await?, 1, "NORMAL");
            assert_eq!(pragma::<i64>(&db, "trusted_schema").await?, 0);
            let version: String = sql!("SELECT sqlite_version()").one(&db).await?;
            let numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
            assert!(numbers >= vec![3, 51, 3], "{version} can damage a file in WAL mode");

            db.create(models![Tight]).await?;
            for misspelt in
                [sql!(r#"SELECT "nosuch" FROM fault_loose"#), sql!(r#"SELECT n FROM fault_loose WHERE "nosuch" = 1"#)]
            {
                assert_eq!(said(misspelt.all::<i64>(&db).await).kind, ErrorKind::SchemaMismatch, "it is no text");
            }
            assert!(sql!(r#"CREATE INDEX misspelt ON fault_loose ("nosuch")"#).execute(&db).await.is_err());
            // Defensive: the schema is not written by hand.
            sql!("PRAGMA writable_schema = ON").execute(&db).await?;
            assert!(sql!("DELETE FROM sqlite_schema").execute(&db).await.is_err());
            assert!(sql!("SELECT load_extension('x')").all::<i64>(&db).await.is_err());
            Ok(())
        });
    }

    #[test]
    fn the_plan_does_not_depend_on_a_bound_value() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            let db = Database::connect(directory.url("shop.db")).await?;
            sql!("CREATE TABLE plans (a INTEGER NOT NULL, b TEXT NOT NULL)").execute(&db).await?;
            sql!("CREATE INDEX plans_a ON plans (a)").execute(&db).await?;
            // A partial index can serve only where the value that is bound is looked at.
            sql!("CREATE INDEX plans_b ON plans (b) WHERE a > 10").execute(&db).await?;
            let plan: Vec<(i64, i64, i64, String)> =
                sql!("EXPLAIN QUERY PLAN SELECT b FROM plans WHERE a > {20} AND b = {CANARY}").all(&db).await?;
            assert!(!plan.iter().any(|row| row.3.contains("plans_b")), "{plan:?}");
            Ok(())
        });
    }

    #[test]
    fn several_programs_write_to_one_file_without_an_error() {
        on_sqlite(async |_| {
            let directory = Directory::new();
            let url = directory.url("shop.db");
            Database::connect(&url).await?.create(models![Tight]).await?;
            // Databases of one process share nothing but the file, as those of several do.
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let url = url.clone();
                    std::thread::spawn(move || {
                        let db = Database::connect(url).wait()?;
                        for n in 0..200 {
                            let row = Tight { id: 0, n: writer * 1_000 + n, text: "x".into() };
                            match n % 4 {
                                0 => drop(
                                    db.transaction(async |tx| {
                                        Tight::query().count(tx).await?;
                                        Record::insert(row.clone(), tx).await
                                    })
                                    .wait()?,
                                ),
                                _ => drop(Record::insert(row, &db).wait()?),
                            }
                        }
                        Ok::<_, Error>(())
                    })
                })
                .collect();
            for writer in writers {
                writer.join().unwrap()?;
            }
            let db = Database::connect(&url).await?;
            assert_eq!(Tight::query().count(&db).await?, 800);
            assert_eq!(sql!("SELECT COUNT(DISTINCT n) FROM fault_loose").one::<i64>(&db).await?, 800);
            assert_eq!(sql!("SELECT * FROM pragma_integrity_check").one::<String>(&db).await?, "ok");
            Ok(())
        });
    }
}
