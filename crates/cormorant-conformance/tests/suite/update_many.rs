//! Many records saved at once: each row takes the values of its own record, or none does. Every type of value is in
//! `types.rs`.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "many_owners")]
struct Owner {
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "many_marks")]
struct Mark {
    id: i64,
    #[model(unique, max_length = 24)]
    name: String,
    note: Option<String>,
    #[model(precision = 6, scale = 2)]
    price: Decimal,
    data: Option<Vec<u8>>,
    owner: Option<ForeignKey<Owner>>,
    #[model(default = 0, check = "size < 1000000000")]
    size: i64,
    #[model(secret, max_length = 12)]
    pin: Option<String>,
    large: Option<u64>,
}

/// A key of two columns, one of them text.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "many_seats")]
struct Seat {
    #[model(key, max_length = 24)]
    row: String,
    #[model(key)]
    place: i32,
    guest: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "many_tickets")]
struct Ticket {
    id: Uuid,
    at: Timestamp,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "many_days")]
struct Day {
    #[model(key)]
    day: Date,
    text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "many_prices")]
struct Price {
    #[model(key, precision = 9, scale = 2)]
    price: Decimal,
    text: String,
}

fn mark(n: i64) -> Mark {
    Mark {
        id: 0,
        name: format!("mark {n}"),
        note: None,
        price: Decimal::new(n, 2),
        data: None,
        owner: None,
        size: n,
        pin: None,
        large: None,
    }
}

async fn marks(test: &Fixture, count: i64) -> Result<Vec<Record<Mark>>> {
    test.db.create(models![Owner, Mark]).await?;
    let marks = Mark::insert_many(&test.db, (0..count).map(mark)).await?;
    test.statements();
    Ok(marks)
}

/// The rows are as the records, and the records know it.
async fn are_kept(test: &Fixture, marks: &[Record<Mark>]) -> Result<()> {
    assert!(marks.iter().all(|mark| !mark.is_changed()));
    assert_eq!(Mark::get_many(&test.db, marks.iter().map(|mark| mark.id)).await?, marks);
    Ok(())
}

/// No row is as the records, which know that.
async fn none_is_kept(test: &Fixture, marks: &[Record<Mark>]) -> Result<()> {
    assert!(marks.iter().all(Record::is_changed));
    assert_eq!(Mark::filter(|m| m.note().is_not_null()).count(&test.db).await?, 0);
    Ok(())
}

fn note(marks: &mut [Record<Mark>]) {
    marks.iter_mut().zip(0..).for_each(|(mark, n)| mark.note = Some(format!("note {n}")));
}

conformance! {
    async fn each_row_takes_the_values_of_its_own_record(test: &Fixture) {
        let mut marks = marks(test, 50).await?;
        for (mark, n) in marks.iter_mut().zip(0..) {
            mark.note = (n % 3 != 0).then(|| format!("note {n}"));
            mark.data = (n % 2 == 0).then(|| vec![0, 255, n as u8, b'\'']);
            mark.price += dec!(0.10);
        }
        Mark::update_many(&test.db, &mut marks).await?;
        assert!(test.statements().len() <= 4, "one for each set of columns that changed");
        are_kept(test, &marks).await?;
        // Values that are NULL in every row, and in the first.
        for mark in &mut marks {
            (mark.note, mark.data) = (None, None);
        }
        marks[1].note = Some("x".into());
        Mark::update_many(&test.db, &mut marks).await?;
        are_kept(test, &marks).await?;
        note(&mut marks[1..]);
        Mark::update_many(&test.db, marks.iter_mut().filter(|mark| mark.is_changed())).await?;
        are_kept(test, &marks).await?;
    }

    async fn a_nul_and_long_values_arrive_whole(test: &Fixture) {
        let mut marks = marks(test, 3).await?;
        let long = "ä🦀'".repeat(60_000);
        let bytes: Vec<u8> = (0..500_000_u32).map(|n| (n * 7) as u8).collect();
        for (mark, note) in marks.iter_mut().zip(["", &long, "x "]) {
            (mark.note, mark.data) = (Some(note.to_owned()), Some(bytes.clone()));
        }
        Mark::update_many(&test.db, &mut marks).await?;
        are_kept(test, &marks).await?;
        note(&mut marks);
        marks[1].note = Some("a\0b".into());
        match Mark::update_many(&test.db, &mut marks).await {
            Ok(()) => are_kept(test, &marks).await?,
            Err(error) => {
                assert!(test.is(Backend::Postgres), "PostgreSQL has no NUL in text: {error:?}");
                assert_eq!((error.kind(), error.field()), (ErrorKind::Encode, Some("note")));
            }
        }
    }

    async fn few_statements_carry_many_rows(test: &Fixture) {
        let mut marks = marks(test, 2_500).await?;
        note(&mut marks);
        Mark::update_many(&test.db, &mut marks).await?;
        let sent = test.statements();
        assert!(sent.iter().all(|sql| !sql.starts_with("UPDATE") || sql.contains("column1")), "no row by itself");
        let updates = sent.iter().filter(|sql| sql.starts_with("UPDATE")).count();
        assert_eq!(updates, if test.is(Backend::Postgres) { 1 } else { 3 });
        are_kept(test, &marks).await?;
        // A last statement of one row.
        marks.iter_mut().take(1_001).for_each(|mark| mark.size += 1);
        Mark::update_many(&test.db, &mut marks).await?;
        are_kept(test, &marks).await?;
    }

    async fn one_record_is_saved_as_save_does(test: &Fixture) {
        let mut marks = marks(test, 2).await?;
        marks[0].size += 1;
        marks[0].save(&test.db).await?;
        let saved = test.statements();
        marks[1].size += 1;
        Mark::update_many(&test.db, &mut marks).await?;
        assert_eq!(test.statements(), saved);
        are_kept(test, &marks).await?;
    }

    async fn what_did_not_change_is_not_sent(test: &Fixture) {
        let mut marks = marks(test, 3).await?;
        Mark::update_many(&test.db, &mut marks).await?;
        marks[1].size += 1;
        marks[1].size -= 1;
        Mark::update_many(&test.db, &mut marks).await?;
        Mark::update_many(&test.db, []).await?;
        assert_eq!(test.statements(), Vec::<String>::new());
        // Columns that did not change keep what others have written.
        Mark::query().update(&test.db, |m| m.size().set(77)).await?;
        note(&mut marks);
        Mark::update_many(&test.db, &mut marks).await?;
        assert_eq!(Mark::filter(|m| m.size().eq(77) & m.note().is_not_null()).count(&test.db).await?, 3);
    }

    async fn rows_are_grouped_by_what_changed(test: &Fixture) {
        let mut marks = marks(test, 4).await?;
        for (mark, name) in marks.iter_mut().zip([true, true, false, true]) {
            if name { mark.name.push('!') } else { mark.note = Some("x".into()) }
        }
        Mark::update_many(&test.db, &mut marks).await?;
        assert_eq!(test.statements().iter().filter(|sql| sql.starts_with("UPDATE")).count(), 2);
        are_kept(test, &marks).await?;
    }

    async fn rows_are_found_by_keys_of_every_kind(test: &Fixture) {
        let db = &test.db;
        db.create(models![Seat, Ticket, Day, Price]).await?;
        // Each differs from another by what a loose comparison passes over.
        let rows = ["a", "A", "ä", "a ", "1", "01", "1.0", ""];
        let seats = rows.iter().flat_map(|row| (1..4).map(|place| Seat { row: (*row).into(), place, guest: None }));
        let mut seats = Seat::insert_many(db, seats).await?;
        for seat in &mut seats {
            seat.guest = Some(format!("{}/{}", seat.row, seat.place));
        }
        Seat::update_many(db, &mut seats).await?;
        for seat in &seats {
            assert_eq!(Seat::get(db, (seat.row.clone(), seat.place)).await?, *seat);
        }
        let at = |n: i64| format!("2024-01-01T00:00:00.{n:06}Z").parse::<Timestamp>().unwrap();
        let mut tickets = Ticket::insert_many(db, (0..40).map(|n| Ticket { id: Uuid::now_v7(), at: at(n) })).await?;
        tickets.iter_mut().zip(100..).for_each(|(ticket, n)| ticket.at = at(n));
        Ticket::update_many(db, &mut tickets).await?;
        for (ticket, n) in tickets.iter().zip(100..) {
            assert_eq!(Ticket::get(db, ticket.id).await?.at, at(n));
        }
        let days = (1..20).map(|n| Day { day: Date::constant(2024, 2, n), text: String::new() });
        let mut days = Day::insert_many(db, days).await?;
        days.iter_mut().for_each(|day| day.text = day.day.to_string());
        Day::update_many(db, &mut days).await?;
        for day in Day::query().all(db).await? {
            assert_eq!(day.text, day.day.to_string());
        }
        let prices = (1..20).map(|n| Price { price: Decimal::new(n * 7, 2), text: String::new() });
        let mut prices = Price::insert_many(db, prices).await?;
        prices.iter_mut().for_each(|price| price.text = price.price.to_string());
        Price::update_many(db, &mut prices).await?;
        for price in Price::query().all(db).await? {
            assert_eq!(price.text, price.price.to_string());
        }
    }

    async fn a_key_that_changed_is_found_by_the_old_one(test: &Fixture) {
        test.db.create(models![Seat]).await?;
        let seats = (1..4).map(|place| Seat { row: "a".into(), place, guest: None });
        let mut seats = Seat::insert_many(&test.db, seats).await?;
        seats.iter_mut().for_each(|seat| seat.place += 10);
        Seat::update_many(&test.db, &mut seats).await?;
        let places: Vec<i32> = Seat::query().select(|s| s.place()).order_by(|s| s.place().asc()).all(&test.db).await?;
        assert_eq!(places, [11, 12, 13]);
        seats.iter_mut().for_each(|seat| seat.guest = Some("x".into()));
        Seat::update_many(&test.db, &mut seats).await?;
        assert_eq!(Seat::filter(|s| s.guest().eq("x")).count(&test.db).await?, 3);
    }

    async fn a_row_that_is_gone_keeps_all_from_being_saved(test: &Fixture) {
        let mut marks = marks(test, 5).await?;
        let (gone, other) = (marks[2].id, marks[4].id);
        Mark::filter(|m| m.id().eq(gone)).delete(&test.db).await?;
        note(&mut marks);
        let error = Mark::update_many(&test.db, &mut marks).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Stale, Some("Mark")));
        assert!(error.to_string().contains(&format!("the row with key {gone} is not there")), "{error}");
        none_is_kept(test, &marks).await?;
        // In a transaction that goes on.
        Mark::filter(|m| m.id().eq(other)).delete(&test.db).await?;
        test.db.transaction(async |tx| {
            let error = Mark::update_many(tx, &mut marks).await.unwrap_err();
            assert!(error.is_stale() && error.to_string().contains(&format!("keys {gone}, {other} are")), "{error}");
            Record::insert(mark(100), tx).await.map(drop)
        }).await?;
        none_is_kept(test, &marks).await?;
        assert_eq!(test.rows_in("many_marks").await?, 4);
        // One alone, and one whose key is no number.
        let error = Mark::update_many(&test.db, &mut marks[2..3]).await.unwrap_err();
        assert!(error.is_stale() && error.to_string().contains(&gone.to_string()), "{error}");
        test.db.create(models![Seat]).await?;
        let seats = (1..4).map(|place| Seat { row: "a".into(), place, guest: None });
        let mut seats = Seat::insert_many(&test.db, seats).await?;
        Seat::filter(|s| s.place().ne(2)).delete(&test.db).await?;
        seats.iter_mut().for_each(|seat| seat.guest = Some("x".into()));
        let error = Seat::update_many(&test.db, &mut seats).await.unwrap_err();
        assert!(error.is_stale() && error.to_string().contains("2 of the rows are not there"), "{error}");
        // Those that are there are saved without it.
        marks.retain(|mark| mark.id != gone && mark.id != other);
        Mark::update_many(&test.db, &mut marks).await?;
        are_kept(test, &marks).await?;
    }

    async fn rows_that_are_as_they_would_be_written_are_there(test: &Fixture) {
        let mut marks = marks(test, 5).await?;
        note(&mut marks);
        let mut same = Mark::query().order_by(|m| m.id().asc()).all(&test.db).await?;
        note(&mut same);
        Mark::update_many(&test.db, &mut same).await?;
        Mark::update_many(&test.db, &mut marks).await?;
        are_kept(test, &marks).await?;
    }

    async fn what_the_database_refuses_names_the_field_and_nothing_is_kept(test: &Fixture) {
        let mut marks = marks(test, 4).await?;
        note(&mut marks);
        let refused = async |marks: &mut [Record<Mark>], kind, field| {
            let error = Mark::update_many(&test.db, marks.iter_mut()).await.unwrap_err();
            assert_eq!((error.kind(), error.model(), error.field()), (kind, Some("Mark"), Some(field)), "{error:?}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("c4n4ry"), "{shown}");
            none_is_kept(test, marks).await
        };
        marks[0].name = "c4n4ry".into();
        marks[1].name = "c4n4ry".into();
        refused(&mut marks, ErrorKind::Unique, "name").await?;
        marks[0].name = "free".into();
        marks.iter_mut().for_each(|mark| mark.owner = Some(ForeignKey::from(99)));
        refused(&mut marks, ErrorKind::ForeignKey, "owner").await?;
        marks.iter_mut().for_each(|mark| mark.owner = None);
        marks[3].size = 1_000_000_000;
        refused(&mut marks, ErrorKind::Check, "size").await?;
        marks[3].size = 7;
        Mark::update_many(&test.db, &mut marks).await?;
        are_kept(test, &marks).await?;
    }

    async fn every_fault_of_every_record_is_found_before_anything_is_sent(test: &Fixture) {
        let mut marks = marks(test, 4).await?;
        note(&mut marks);
        marks[1].name = "c4n4ry-value that is far too long".into();
        marks[1].large = Some(u64::MAX);
        marks[3].price = dec!(123456.78);
        marks[3].pin = Some("c4n4ry-of-pins".into());
        let error = Mark::update_many(&test.db, &mut marks).await.unwrap_err();
        assert!(error.is_validation());
        let faults: Vec<(&str, bool)> =
            error.faults().iter().map(|fault| (fault.field.as_str(), fault.message.contains("position 3"))).collect();
        assert_eq!(faults, [("name", false), ("large", false), ("price", true), ("pin", true)]);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("c4n4ry") && !shown.contains("14 characters"), "{shown}");
        assert_eq!(test.statements(), Vec::<String>::new());
        none_is_kept(test, &marks).await?;
    }

    async fn records_without_a_row_are_refused_by_their_place(test: &Fixture) {
        let mut marks = marks(test, 3).await?;
        note(&mut marks);
        marks.insert(1, Record::new(mark(9)));
        let error = Mark::update_many(&test.db, &mut marks).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Misuse && error.to_string().contains("position 1"), "{error}");
        marks.remove(1);
        let twice = marks[0].clone();
        marks.push(twice);
        let error = Mark::update_many(&test.db, &mut marks).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Misuse && error.to_string().contains("position 3"), "{error}");
        marks.pop();
        assert_eq!(test.statements(), Vec::<String>::new());
        none_is_kept(test, &marks).await?;
        marks[2].delete(&test.db).await?;
        let error = Mark::update_many(&test.db, &mut marks).await.unwrap_err();
        assert!(error.is_stale() && error.to_string().contains("position 2"), "{error}");
        assert!(marks[0].is_changed() && marks[1].is_changed());
    }

    async fn the_key_finds_the_rows_by_its_index(test: &Fixture) {
        if !test.is(Backend::Sqlite) {
            return Ok(());
        }
        let mut marks = marks(test, 3).await?;
        note(&mut marks);
        Mark::update_many(&test.db, &mut marks).await?;
        let sent = test.statements();
        let update = sent.iter().find(|sql| sql.starts_with("UPDATE")).unwrap();
        let plan = cormorant::Sql::unchecked(cormorant::UncheckedSql::vouch_for(format!("EXPLAIN QUERY PLAN {update}")));
        let plan: Vec<(i64, i64, i64, String)> = plan.all(&test.db).await?;
        assert!(plan.iter().any(|(.., step)| step.starts_with("SEARCH t USING INTEGER PRIMARY KEY")), "{plan:?}");
    }
}
