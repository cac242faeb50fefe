//! Queries: which rows, in which order, as what, and how many statements that takes.

use cormorant::prelude::*;
use cormorant::{Dialect, ErrorKind};
use cormorant_conformance::{Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
struct Country {
    id: i64,
    #[model(max_length = 40)]
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Author {
    id: i64,
    #[model(max_length = 40)]
    name: String,
    country: Option<ForeignKey<Country>>,
    mentor: Option<ForeignKey<Author>>,
    born: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Book {
    id: i64,
    author: ForeignKey<Author>,
    editor: Option<ForeignKey<Author>>,
    #[model(max_length = 40)]
    title: String,
    #[model(precision = 8, scale = 2)]
    price: Decimal,
    pages: Option<i32>,
}

#[derive(FromRow, Debug, PartialEq)]
struct Line {
    title: String,
    author: String,
    pages: Option<i32>,
}

/// Two countries; Ann (mentor of Bob, who is mentor of Cid) and Dan, who is from nowhere; five books.
async fn library(test: &Fixture) -> cormorant::Result<()> {
    let db = &test.db;
    db.create(models![Country, Author, Book]).await?;
    for (id, name) in [(1, "Peru"), (2, "Chad")] {
        Record::insert(Country { id, name: name.into() }, db).await?;
    }
    for (id, name, country, mentor, born) in [
        (1, "Ann", Some(1), None, Some(1950)),
        (2, "Bob", Some(2), Some(1), Some(1970)),
        (3, "Cid", Some(1), Some(2), None),
        (4, "Dan", None, None, None),
    ] {
        let (country, mentor) = (country.map(ForeignKey::to), mentor.map(ForeignKey::to));
        Record::insert(Author { id, name: name.into(), country, mentor, born }, db).await?;
    }
    for (id, author, editor, title, price, pages) in [
        (1, 1, Some(2), "Ants", dec!(9.90), Some(100)),
        (2, 1, None, "Bees", dec!(12.50), Some(200)),
        (3, 2, Some(3), "Cats", dec!(9.90), None),
        (4, 3, Some(1), "Dogs", dec!(30.00), Some(300)),
        (5, 4, Some(4), "Eels", dec!(5.00), Some(100)),
    ] {
        let (author, editor) = (ForeignKey::to(author), editor.map(ForeignKey::to));
        Record::insert(Book { id, author, editor, title: title.into(), price, pages }, db).await?;
    }
    test.statements();
    Ok(())
}

/// The titles a query finds, in its order, and that it took one statement.
async fn titles(test: &Fixture, query: Query<Book, Book>) -> cormorant::Result<String> {
    test.statements();
    let books = query.all(&test.db).await?;
    assert_eq!(test.statements().len(), 1);
    Ok(books.iter().map(|book| &book.title[..1]).collect())
}

/// As [`titles`], for conditions: by key.
async fn found(test: &Fixture, query: Query<Book, Book>) -> cormorant::Result<String> {
    titles(test, query.order_by(|b| b.id().asc())).await
}

/// The one statement that was sent.
fn only(test: &Fixture) -> String {
    let mut statements = test.statements();
    assert_eq!(statements.len(), 1, "{statements:?}");
    statements.remove(0)
}

const DIALECTS: [Dialect; 4] = [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql, Dialect::MariaDb];

fn joins(sql: &str) -> usize {
    sql.matches("JOIN").count()
}

/// A reusable filter is a plain function.
fn cheap(b: PathOf<Book>) -> Predicate<Book> {
    b.price().lt(dec!(10))
}

fn by(name: &str) -> impl FnOnce(PathOf<Book>) -> Predicate<Book> {
    move |b| b.author().name().eq(name)
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Nothing {
    id: i64,
    note: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Seat {
    #[model(key)]
    line: i64,
    #[model(key)]
    number: i32,
    taken: bool,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Point {
    id: i64,
    x: i64,
    y: i64,
}

conformance! {
    async fn conditions_combine_with_and_or_not(test: &Fixture) {
        library(test).await?;
        assert_eq!(found(test, Book::filter(|b| b.price().eq(dec!(9.9)) & b.pages().eq(100))).await?, "A");
        assert_eq!(found(test, Book::filter(|b| b.price().gt(dec!(20)) | b.title().eq("Ants"))).await?, "AD");
        assert_eq!(found(test, Book::filter(|b| !b.title().eq("Ants"))).await?, "BCDE");
        assert_eq!(found(test, Book::filter(|b| !(b.title().eq("Ants") | b.title().eq("Bees")))).await?, "CDE");
        // `&` binds tighter than `|`, as everywhere in Rust, and brackets stay.
        let (a, b, c) =
            (|p: PathOf<Book>| p.id().eq(1), |p: PathOf<Book>| p.id().eq(2), |p: PathOf<Book>| p.id().eq(3));
        assert_eq!(found(test, Book::filter(|p| a(p) | b(p) & c(p))).await?, "A");
        assert_eq!(found(test, Book::filter(|p| (a(p) | b(p)) & !c(p))).await?, "AB");
        assert_eq!(found(test, Book::filter(|p| !(a(p) | b(p)) & !!c(p))).await?, "C");
    }

    async fn several_filters_must_all_hold_in_any_order(test: &Fixture) {
        library(test).await?;
        assert_eq!(found(test, Book::query().filter(cheap).filter(by("Ann"))).await?, "A");
        assert_eq!(found(test, Book::query().filter(by("Ann")).filter(cheap)).await?, "A");
        assert_eq!(titles(test, Book::query().order_by(|b| b.id().desc()).limit(2).filter(cheap)).await?, "EC");
        assert_eq!(titles(test, Book::query().limit(2).filter(cheap).order_by(|b| b.id().desc())).await?, "EC");
        assert_eq!(titles(test, Book::filter(cheap).offset(1).order_by(|b| b.id().asc()).limit(1)).await?, "C");
        assert_eq!(found(test, Book::query()).await?, "ABCDE", "no filter is every row");
    }

    async fn a_plain_function_is_a_reusable_filter(test: &Fixture) {
        library(test).await?;
        assert_eq!(found(test, Book::filter(|b| cheap(b) & by("Bob")(b))).await?, "C");
        assert_eq!(found(test, Book::filter(|b| !cheap(b))).await?, "BD");
        let any_of = |b: PathOf<Book>, titles: &[&str]| {
            titles.iter().fold(!Predicate::always(), |either, title| either | b.title().eq(*title))
        };
        assert_eq!(found(test, Book::filter(|b| any_of(b, &["Ants", "Eels"]))).await?, "AE");
        assert_eq!(
            found(test, Book::filter(|b| any_of(b, &[]))).await?,
            "",
            "where to start when conditions are added"
        );
    }

    async fn rows_come_in_the_order_asked_for(test: &Fixture) {
        library(test).await?;
        assert_eq!(titles(test, Book::query().order_by(|b| b.title().desc())).await?, "EDCBA");
        assert_eq!(titles(test, Book::query().order_by(|b| (b.price().asc(), b.title().desc()))).await?, "ECABD");
        let twice = Book::query().order_by(|b| b.price().asc()).order_by(|b| b.title().asc());
        assert_eq!(titles(test, twice).await?, "EACBD", "further orders order what is equal so far");
        assert_eq!(titles(test, Book::query().order_by(|b| (b.author().name().desc(), b.id().asc()))).await?, "EDCAB");
    }

    async fn limit_and_offset_cut_the_order(test: &Fixture) {
        library(test).await?;
        let all = || Book::query().order_by(|b| b.id().asc());
        assert_eq!(titles(test, all().limit(2)).await?, "AB");
        assert_eq!(titles(test, all().offset(3)).await?, "DE", "an offset needs no limit");
        assert_eq!(titles(test, all().limit(2).offset(2)).await?, "CD");
        assert_eq!(titles(test, all().limit(0)).await?, "");
        assert_eq!(titles(test, all().offset(99)).await?, "");
        assert_eq!(titles(test, all().limit(u64::MAX).offset(4)).await?, "E", "more than any table has");
        assert_eq!(titles(test, all().limit(4).limit(1)).await?, "A", "the last limit counts");
    }

    async fn pages_start_at_one_and_are_ordered_by_key(test: &Fixture) {
        library(test).await?;
        assert_eq!(titles(test, Book::query().page(1, 2)).await?, "AB");
        assert_eq!(titles(test, Book::query().page(3, 2)).await?, "E");
        assert_eq!(titles(test, Book::query().page(4, 2)).await?, "");
        assert_eq!(titles(test, Book::query().page(u64::MAX, 2)).await?, "");
        assert_eq!(titles(test, Book::query().order_by(|b| b.title().desc()).page(2, 2)).await?, "CB");
        assert!(Book::query().page(1, 2).to_sql(Dialect::Sqlite)?.contains("ORDER BY"));
    }

    async fn equal_rows_come_once_when_distinct(test: &Fixture) {
        library(test).await?;
        let prices: Vec<Decimal> =
            Book::query().select(|b| b.price()).distinct().order_by(|b| b.price().asc()).all(&test.db).await?;
        assert_eq!(prices, [dec!(5), dec!(9.90), dec!(12.50), dec!(30)]);
        let pages: Vec<Option<i32>> = Book::query().distinct().select(|b| b.pages()).all(&test.db).await?;
        assert_eq!(pages.len(), 4, "NULL is one value");
        assert_eq!(Book::query().select(|b| b.price()).distinct().count(&test.db).await?, 4);
        assert_eq!(Book::query().distinct().count(&test.db).await?, 5, "rows with keys differ");
    }

    async fn first_and_last_are_by_key_or_by_the_order(test: &Fixture) {
        library(test).await?;
        let title = |book: Option<Record<Book>>| book.map(|book| book.title.clone());
        assert_eq!(title(Book::query().first(&test.db).await?).as_deref(), Some("Ants"));
        assert!(only(test).contains("ORDER BY"));
        assert_eq!(title(Book::query().last(&test.db).await?).as_deref(), Some("Eels"));
        assert!(only(test).contains("LIMIT"), "one row is read, not all");
        let dear = Book::query().order_by(|b| (b.price().desc(), b.id().asc()));
        assert_eq!(title(dear.clone().first(&test.db).await?).as_deref(), Some("Dogs"));
        assert_eq!(title(dear.clone().last(&test.db).await?).as_deref(), Some("Eels"));
        assert_eq!(title(dear.offset(1).first(&test.db).await?).as_deref(), Some("Bees"));
        assert_eq!(Book::filter(|b| b.id().lt(0)).first(&test.db).await?, None);
        assert_eq!(Book::filter(|b| b.id().lt(0)).last(&test.db).await?, None);
        let name =
            Author::query().select(|a| a.name()).order_by(|a| a.born().asc().nulls_last()).first(&test.db).await?;
        assert_eq!(name.as_deref(), Some("Ann"));
        let name = Author::query().select(|a| a.name()).order_by(|a| (a.born().asc().nulls_first(), a.id().asc()));
        assert_eq!(name.last(&test.db).await?.as_deref(), Some("Bob"));
    }

    async fn first_and_last_of_a_cut_query_are_its_own(test: &Fixture) {
        library(test).await?;
        let title = |book: Option<Record<Book>>| book.map(|book| book.title.clone()).unwrap_or_default();
        let all = || Book::query().order_by(|b| b.id().asc());
        assert_eq!(title(all().limit(3).first(&test.db).await?), "Ants");
        assert_eq!(title(all().limit(3).last(&test.db).await?), "Cats");
        assert_eq!(title(all().offset(2).first(&test.db).await?), "Cats");
        assert_eq!(title(all().offset(2).last(&test.db).await?), "Eels");
        assert_eq!(title(all().limit(2).offset(1).last(&test.db).await?), "Cats");
        assert_eq!(title(Book::query().page(2, 2).first(&test.db).await?), "Cats");
        assert_eq!(title(Book::query().page(2, 2).last(&test.db).await?), "Dogs");
        assert_eq!(title(all().limit(0).first(&test.db).await?), "");
        assert_eq!(title(all().limit(0).last(&test.db).await?), "");
        assert_eq!(title(all().offset(9).last(&test.db).await?), "");
    }

    async fn one_and_optional_tell_none_and_several_apart(test: &Fixture) {
        library(test).await?;
        let db = &test.db;
        assert_eq!(Book::filter(|b| b.title().eq("Cats")).one(db).await?.id, 3);
        assert_eq!(only(test).matches("SELECT").count(), 1);
        let error = Book::filter(|b| b.title().eq("Cow")).one(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::NotFound, Some("Book")));
        let error = Book::filter(cheap).one(db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::MultipleRows, Some("Book")));
        assert_eq!(Book::filter(|b| b.title().eq("Cow")).optional(db).await?, None);
        assert_eq!(Book::filter(cheap).optional(db).await.unwrap_err().kind(), ErrorKind::MultipleRows);
        assert_eq!(Book::filter(cheap).limit(1).optional(db).await?.map(|book| book.price < dec!(10)), Some(true));
        test.statements();
        Book::filter(|b| b.id().ge(0)).one(db).await.unwrap_err();
        assert!(only(test).contains("LIMIT"), "two rows are enough to know");
    }

    async fn counting_counts_rows_groups_and_what_a_limit_leaves(test: &Fixture) {
        library(test).await?;
        let db = &test.db;
        assert_eq!(Book::query().count(db).await?, 5);
        assert_eq!(Book::filter(cheap).count(db).await?, 3);
        assert_eq!(Book::filter(|b| b.id().lt(0)).count(db).await?, 0);
        assert_eq!(Book::query().order_by(|b| b.title().asc()).count(db).await?, 5);
        assert_eq!(Book::query().limit(2).count(db).await?, 2);
        assert_eq!(Book::query().offset(4).count(db).await?, 1);
        assert_eq!(Book::query().page(3, 2).count(db).await?, 1);
        assert_eq!(Book::query().group_by(|b| b.price()).select(|b| b.price()).count(db).await?, 4, "groups");
        assert_eq!(
            Book::query().group_by(|b| b.price()).filter(|_| count().gt(1)).select(|b| b.price()).count(db).await?,
            1
        );
        assert_eq!(Book::filter(|b| b.author().country().name().eq("Peru")).count(db).await?, 3);
        assert_eq!(Book::query().select(|b| (b.author().id(), b.price())).distinct().count(db).await?, 5);
        assert_eq!(test.statements().len(), 11, "one statement each");
    }

    async fn whether_rows_exist_is_asked_without_reading_them(test: &Fixture) {
        library(test).await?;
        assert!(Book::filter(cheap).exists(&test.db).await?);
        assert!(only(test).contains("EXISTS"));
        assert!(!Book::filter(|b| b.title().eq("Cow")).exists(&test.db).await?);
        assert!(!Book::query().offset(5).exists(&test.db).await?);
        assert!(Book::filter(by("Ann")).order_by(|b| b.id().asc()).exists(&test.db).await?);
        assert!(
            !Book::query()
                .group_by(|b| b.price())
                .filter(|_| count().gt(2))
                .select(|b| b.price())
                .exists(&test.db)
                .await?
        );
    }

    async fn get_and_find_go_by_key(test: &Fixture) {
        library(test).await?;
        assert_eq!(Book::get(&test.db, 3).await?.title, "Cats");
        assert_eq!(test.statements().len(), 1);
        assert_eq!(Book::find(&test.db, 3).await?.map(|book| book.id), Some(3));
        assert_eq!(Book::find(&test.db, 33).await?, None);
        assert_eq!(test.statements().len(), 2);
        let error = Book::get(&test.db, 33).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::NotFound, Some("Book")));
    }

    async fn many_keys_travel_in_one_statement(test: &Fixture) {
        test.db.create(models![Nothing]).await?;
        let rows = (1..=5_000).map(|id| Nothing { id, note: None });
        Nothing::insert_many(&test.db, rows).await?;
        test.statements();
        assert_eq!(Nothing::get_many(&test.db, Vec::<i64>::new()).await?.len(), 0);
        assert!(test.statements().len() <= 1);
        let ids = |records: Vec<Record<Nothing>>| records.iter().map(|record| record.id).collect::<Vec<_>>();
        assert_eq!(ids(Nothing::get_many(&test.db, [7]).await?), [7]);
        assert_eq!(test.statements().len(), 1);
        assert_eq!(ids(Nothing::get_many(&test.db, [9, 2, 9_999, 9, -1]).await?), [2, 9], "each row once, by key");
        test.statements();
        assert_eq!(ids(Nothing::get_many(&test.db, 0..70_000_i64).await?), (1..=5_000).collect::<Vec<_>>());
        assert_eq!(test.statements().len(), 1, "70,000 keys are one parameter");
        assert_eq!(Nothing::filter(|n| n.id().is_in(4_990..75_000_i64)).count(&test.db).await?, 11);
    }

    async fn rows_are_found_by_composite_keys(test: &Fixture) {
        test.db.create(models![Seat]).await?;
        for (line, number) in [(2, 1), (1, 2), (1, 1), (2, 2_i32)] {
            Record::insert(Seat { line, number, taken: line == i64::from(number) }, &test.db).await?;
        }
        assert!(!Seat::get(&test.db, (1, 2)).await?.taken);
        test.statements();
        let seats = Seat::get_many(&test.db, [(2, 2), (1, 2), (2, 2), (7, 1)]).await?;
        assert_eq!(seats.iter().map(|seat| (seat.line, seat.number)).collect::<Vec<_>>(), [(1, 2), (2, 2)], "by key");
        assert_eq!(Seat::get_many(&test.db, [(1, 1); 0]).await?.len(), 0);
        let many = Seat::get_many(&test.db, (0..40_000).map(|n| (i64::from(n % 2), n))).await?;
        assert_eq!(many.iter().map(|seat| (seat.line, seat.number)).collect::<Vec<_>>(), [(1, 1)]);
        assert!(test.statements().len() <= 3, "many keys are one parameter");
    }

    async fn is_in_takes_none_few_and_many(test: &Fixture) {
        library(test).await?;
        assert_eq!(found(test, Book::filter(|b| b.title().is_in(["Ants", "Dogs", "Cow"]))).await?, "AD");
        assert_eq!(
            found(test, Book::filter(|b| b.title().is_in(Vec::<String>::new()))).await?,
            "",
            "none matches nothing"
        );
        assert_eq!(found(test, Book::filter(|b| !b.title().is_in(Vec::<String>::new()))).await?, "ABCDE");
        assert_eq!(found(test, Book::filter(|b| !b.title().is_in(["Ants"]))).await?, "BCDE");
        assert_eq!(found(test, Book::filter(|b| b.price().is_in([dec!(9.9), dec!(5)]))).await?, "ACE");
        assert_eq!(found(test, Book::filter(|b| b.pages().is_in([100, 300]))).await?, "ADE");
        assert_eq!(found(test, Book::filter(|b| !b.pages().is_in([100, 300]))).await?, "BC", "NULL is in no list");
        assert_eq!(found(test, Book::filter(|b| b.pages().is_in([Some(100), None]))).await?, "ACE", "None is NULL");
        assert_eq!(found(test, Book::filter(|b| b.pages().is_in([None::<i32>]))).await?, "C");
        assert_eq!(found(test, Book::filter(|b| !b.pages().is_in([Some(100), None]))).await?, "BD");
        assert_eq!(found(test, Book::filter(|b| b.author().is_in([1, 4]))).await?, "ABE");
        assert_eq!(joins(&Book::filter(|b| b.author().is_in([1, 4])).to_sql(Dialect::Sqlite)?), 0);
        let many = (0..100_000).map(|n| format!("{n}")).chain(["Bees".to_owned()]);
        assert_eq!(found(test, Book::filter(|b| b.title().is_in(many))).await?, "B");
        let hostile = ["'", "\"", "\\", "]", "\u{1}", "🦀", "', 'Ants"];
        assert_eq!(found(test, Book::filter(|b| b.title().is_in(hostile))).await?, "");
    }

    async fn null_is_asked_for_by_eq_none_and_differs_from_every_value(test: &Fixture) {
        library(test).await?;
        assert_eq!(found(test, Book::filter(|b| b.pages().eq(None::<i32>))).await?, "C");
        assert_eq!(found(test, Book::filter(|b| b.pages().is_null())).await?, "C");
        assert_eq!(found(test, Book::filter(|b| b.pages().ne(None::<i32>))).await?, "ABDE");
        assert_eq!(found(test, Book::filter(|b| b.pages().is_not_null())).await?, "ABDE");
        assert_eq!(found(test, Book::filter(|b| b.pages().eq(Some(100)))).await?, "AE");
        assert_eq!(found(test, Book::filter(|b| b.pages().ne(100))).await?, "BCD", "NULL is another value than 100");
        assert_eq!(found(test, Book::filter(|b| b.pages().ne(Some(100)))).await?, "BCD");
        let wanted: Option<i32> = None;
        assert_eq!(found(test, Book::filter(|b| b.pages().eq(wanted))).await?, "C");
    }

    async fn not_holds_where_the_condition_is_unknown(test: &Fixture) {
        library(test).await?;
        assert_eq!(found(test, Book::filter(|b| b.pages().gt(100))).await?, "BD");
        assert_eq!(found(test, Book::filter(|b| !b.pages().gt(100))).await?, "ACE", "NULL > 100 does not hold");
        assert_eq!(found(test, Book::filter(|b| !!b.pages().gt(100))).await?, "BD");
        assert_eq!(found(test, Book::filter(|b| !(b.pages().gt(100) & b.id().gt(0)))).await?, "ACE");
        assert_eq!(found(test, Book::filter(|b| !(b.pages().gt(100) | b.id().eq(3)))).await?, "AE");
        assert_eq!(found(test, Book::filter(|b| !b.pages().between(150, 250))).await?, "ACDE");
        assert_eq!(found(test, Book::filter(|b| !b.editor().name().contains("B"))).await?, "BCDE", "no editor, no B");
    }

    async fn select_gives_values_tuples_structs_and_records(test: &Fixture) {
        library(test).await?;
        let db = &test.db;
        let here = || Book::query().order_by(|b| b.id().asc()).limit(2);
        let titles: Vec<String> = here().select(|b| b.title()).all(db).await?;
        assert_eq!(titles, ["Ants", "Bees"]);
        let one: Vec<(String,)> = here().select(|b| (b.title(),)).all(db).await?;
        assert_eq!(one[1].0, "Bees");
        let tuples: Vec<(i64, String, Option<i32>)> =
            here().select(|b| (b.id(), b.author().name(), b.pages())).all(db).await?;
        assert_eq!(tuples, [(1, "Ann".into(), Some(100)), (2, "Ann".into(), Some(200))]);
        let nested: Vec<((i64, Decimal), (String, String))> =
            here().select(|b| ((b.id(), b.price()), (b.title(), b.author().name()))).all(db).await?;
        assert_eq!(nested[1], ((2, dec!(12.5)), ("Bees".into(), "Ann".into())));
        let lines = here().select(|b| Line::columns(b.title(), b.author().name(), b.pages())).all(db).await?;
        assert_eq!(lines[0], Line { title: "Ants".into(), author: "Ann".into(), pages: Some(100) });
        let mut records: Vec<(Record<Book>, String)> = here().select(|b| (b, b.author().name())).all(db).await?;
        assert_eq!((records[0].0.title.as_str(), records[0].1.as_str()), ("Ants", "Ann"));
        assert_eq!(test.statements().len(), 6);
        records[0].0.pages = Some(101);
        records[0].0.save(db).await?;
        assert!(only(test).starts_with("UPDATE"), "a selected record is a record like any other");
        let keys: Vec<i64> = here().select(|b| b.title()).select(|b| b.id()).all(db).await?;
        assert_eq!(keys, [1, 2], "a second select takes the place of the first");
    }

    async fn a_related_row_is_selected_whole_and_may_be_missing(test: &Fixture) {
        library(test).await?;
        type Row = (Record<Book>, Record<Author>, Option<Record<Author>>, Option<Record<Country>>);
        let rows: Vec<Row> = Book::query()
            .order_by(|b| b.id().asc())
            .select(|b| (b, b.author(), b.editor(), b.author().country()))
            .all(&test.db)
            .await?;
        let sql = only(test);
        assert_eq!((joins(&sql), sql.matches("LEFT JOIN").count()), (3, 2), "{sql}");
        let shown: Vec<String> = rows
            .iter()
            .map(|(book, author, editor, country)| {
                let editor = editor.as_ref().map_or("-", |editor| editor.name.as_str());
                format!("{} {} {editor} {}", book.title, author.name, country.as_ref().map_or("-", |c| &c.name))
            })
            .collect();
        assert_eq!(
            shown,
            ["Ants Ann Bob Peru", "Bees Ann - Peru", "Cats Bob Cid Chad", "Dogs Cid Ann Peru", "Eels Dan Dan -"]
        );
        // What follows a missing row is read from the right place.
        let after: Vec<(Option<Record<Author>>, String)> =
            Book::filter(|b| b.id().eq(2)).select(|b| (b.editor(), b.title())).all(&test.db).await?;
        assert_eq!(after, [(None, "Bees".to_owned())]);
    }

    async fn columns_behind_a_nullable_key_are_options(test: &Fixture) {
        library(test).await?;
        type Row = (String, Option<String>, Option<String>, Option<i32>);
        let rows: Vec<Row> = Book::query()
            .order_by(|b| b.id().asc())
            .select(|b| (b.title(), b.editor().name(), b.editor().mentor().name(), b.editor().born()))
            .all(&test.db)
            .await?;
        let [a, b, c, d, e] = &rows[..] else { panic!("a row for each book") };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!((&a.1, &a.2, a.3), (&some("Bob"), &some("Ann"), Some(1970)));
        assert_eq!((&b.1, &b.2, b.3), (&None, &None, None), "no editor");
        assert_eq!((&c.1, &c.2, c.3), (&some("Cid"), &some("Bob"), None));
        assert_eq!((&d.1, &d.2, d.3), (&some("Ann"), &None, Some(1950)), "an editor without a mentor");
        assert_eq!((&e.1, &e.2, e.3), (&some("Dan"), &None, None));
    }

    async fn a_path_joins_several_hops_and_itself(test: &Fixture) {
        library(test).await?;
        assert_eq!(found(test, Book::filter(|b| b.author().country().name().eq("Peru"))).await?, "ABD");
        assert_eq!(found(test, Book::filter(|b| b.author().mentor().country().name().eq("Chad"))).await?, "D");
        assert_eq!(found(test, Book::filter(|b| b.author().mentor().mentor().name().eq("Ann"))).await?, "D");
        let grand: Vec<String> =
            Author::filter(|a| a.mentor().mentor().name().eq("Ann")).select(|a| a.name()).all(&test.db).await?;
        assert_eq!(grand, ["Cid"]);
        assert_eq!(
            found(test, Book::filter(|b| b.editor().name().eq(b.author().name()))).await?,
            "E",
            "two ways to one table"
        );
    }

    async fn a_path_used_twice_joins_once(test: &Fixture) {
        library(test).await?;
        for dialect in DIALECTS {
            let query = Book::filter(|b| b.author().name().eq("Ann") & b.author().born().gt(1900))
                .filter(|b| b.author().country().name().ne("Chad"))
                .order_by(|b| (b.author().name().asc(), b.author().country().name().desc()))
                .select(|b| (b.title(), b.author().name(), b.author().country().name()));
            let sql = query.to_sql(dialect)?;
            assert_eq!(joins(&sql), 2, "{sql}");
            let two = Book::filter(|b| b.editor().name().eq(b.author().name())).to_sql(dialect)?;
            assert_eq!(joins(&two), 2, "different ways are different joins: {two}");
        }
    }

    async fn a_related_rows_key_needs_no_join(test: &Fixture) {
        library(test).await?;
        for dialect in DIALECTS {
            for query in [
                Book::filter(|b| b.author().id().eq(1)),
                Book::filter(|b| b.author().eq(1)),
                Book::filter(|b| b.author().ne(1) & b.editor().is_not_null()),
                Book::filter(|b| b.editor().is_null()).order_by(|b| b.author().id().asc()),
                Book::filter(|b| b.editor().id().is_in([1, 2])),
            ] {
                assert_eq!(joins(&query.to_sql(dialect)?), 0);
            }
            assert_eq!(joins(&Book::filter(|b| b.author().country().id().eq(1)).to_sql(dialect)?), 1, "one hop fewer");
            assert_eq!(joins(&Book::filter(|b| b.author().mentor().country().eq(1)).to_sql(dialect)?), 2);
        }
        let ids: Vec<(i64, Option<i64>)> = Book::query()
            .order_by(|b| b.id().asc())
            .select(|b| (b.author().id(), b.editor().id()))
            .all(&test.db)
            .await?;
        assert_eq!(ids, [(1, Some(2)), (1, None), (2, Some(3)), (3, Some(1)), (4, Some(4))]);
    }

    async fn a_path_is_compared_with_rows_and_keys(test: &Fixture) {
        library(test).await?;
        let ann = Author::get(&test.db, 1).await?;
        assert_eq!(found(test, Book::filter(|b| b.author().eq(&ann))).await?, "AB");
        assert_eq!(found(test, Book::filter(|b| b.author().ne(&ann))).await?, "CDE");
        assert_eq!(found(test, Book::filter(|b| b.editor().ne(&ann))).await?, "ABCE", "no editor is not Ann");
        assert_eq!(found(test, Book::filter(|b| b.editor().is_null())).await?, "B");
        assert_eq!(found(test, Book::filter(|b| b.editor().is_in([&ann]))).await?, "D");
        assert_eq!(found(test, Book::filter(|b| b.author().country().eq(1))).await?, "ABD");
        assert_eq!(found(test, Book::filter(|b| b.author().country().is_null())).await?, "E");
        assert_eq!(found(test, Book::filter(|b| b.eq(4))).await?, "D", "the row itself");
        let unsaved = Record::new(Author { id: 1, ..ann.into_inner() });
        assert_eq!(found(test, Book::filter(|b| b.author().eq(&unsaved))).await?, "", "no row of the database");
        assert_eq!(found(test, Book::filter(|b| !b.author().eq(&unsaved))).await?, "ABCDE");
        assert_eq!(found(test, Book::filter(|b| b.author().ne(&unsaved))).await?, "ABCDE");
        assert_eq!(found(test, Book::filter(|b| b.editor().eq(&unsaved))).await?, "");
        assert_eq!(found(test, Book::filter(|b| !b.editor().eq(&unsaved))).await?, "ABCDE");
        assert_eq!(found(test, Book::filter(|b| b.editor().ne(&unsaved))).await?, "ABCDE", "no editor is not that one");
    }

    async fn groups_have_aggregates(test: &Fixture) {
        library(test).await?;
        type Row = (Decimal, i64, i64, Option<i64>, Option<f64>, Option<i32>, Option<i32>);
        let rows: Vec<Row> = Book::query()
            .group_by(|b| b.price())
            .select(|b| {
                (
                    b.price(),
                    count(),
                    b.pages().count(),
                    b.pages().sum(),
                    b.pages().avg(),
                    b.pages().min(),
                    b.pages().max(),
                )
            })
            .order_by(|b| b.price().asc())
            .all(&test.db)
            .await?;
        assert_eq!(
            rows,
            [
                (dec!(5), 1, 1, Some(100), Some(100.0), Some(100), Some(100)),
                (dec!(9.9), 2, 1, Some(100), Some(100.0), Some(100), Some(100)),
                (dec!(12.5), 1, 1, Some(200), Some(200.0), Some(200), Some(200)),
                (dec!(30), 1, 1, Some(300), Some(300.0), Some(300), Some(300)),
            ]
        );
        let by_country: Vec<(Option<String>, i64, Option<Decimal>)> = Book::query()
            .group_by(|b| b.author().country().name())
            .select(|b| (b.author().country().name(), count(), b.price().sum()))
            .order_by(|b| b.author().country().name().asc().nulls_first())
            .all(&test.db)
            .await?;
        assert_eq!(
            by_country,
            [
                (None, 1, Some(dec!(5))),
                (Some("Chad".into()), 1, Some(dec!(9.9))),
                (Some("Peru".into()), 3, Some(dec!(52.4)))
            ]
        );
        assert_eq!(test.statements().len(), 2);
    }

    async fn aggregates_without_groups_are_over_all_rows(test: &Fixture) {
        library(test).await?;
        let all: (i64, i64, i64, Option<i64>, Option<Decimal>) = Book::query()
            .select(|b| (count(), b.pages().count(), b.pages().count_distinct(), b.pages().sum(), b.price().max()))
            .one(&test.db)
            .await?;
        assert_eq!(all, (5, 4, 3, Some(700), Some(dec!(30))));
        let none: (i64, Option<i64>, Option<f64>, Option<String>, Option<Decimal>) = Book::filter(|b| b.id().lt(0))
            .select(|b| (count(), b.pages().sum(), b.pages().avg(), b.title().min(), b.price().sum()))
            .one(&test.db)
            .await?;
        assert_eq!(none, (0, None, None, None, None), "over no rows");
    }

    async fn an_aggregate_of_all_rows_has_no_key_to_be_ordered_by(test: &Fixture) {
        library(test).await?;
        assert_eq!(Book::query().select(|b| b.pages().sum()).first(&test.db).await?, Some(Some(700)));
        assert_eq!(Book::query().select(|b| b.pages().sum()).last(&test.db).await?, Some(Some(700)));
        let page = Book::query().select(|b| (count(), b.pages().max() + 1)).page(1, 10).all(&test.db).await?;
        assert_eq!(page, [(5, Some(301))]);
    }

    async fn a_filter_behind_group_by_is_about_groups(test: &Fixture) {
        library(test).await?;
        let rows: Vec<(String, i64)> = Book::filter(|b| b.price().lt(dec!(20)))
            .group_by(|b| b.author().name())
            .filter(|_| count().gt(1))
            .filter(|b| b.price().sum().gt(dec!(20)))
            .select(|b| (b.author().name(), count()))
            .all(&test.db)
            .await?;
        assert_eq!(rows, [("Ann".to_owned(), 2)]);
        let sql = only(test);
        assert!(sql.contains("WHERE") && sql.contains("HAVING"), "{sql}");
        let by_two: Vec<(Option<i32>, Decimal)> = Book::query()
            .group_by(|b| (b.pages(), b.price()))
            .filter(|b| b.pages().is_not_null())
            .select(|b| (b.pages(), b.price()))
            .order_by(|b| (b.pages().asc(), b.price().desc()))
            .limit(2)
            .all(&test.db)
            .await?;
        assert_eq!(by_two, [(Some(100), dec!(9.9)), (Some(100), dec!(5))]);
    }

    async fn groups_are_ordered_by_aggregates(test: &Fixture) {
        library(test).await?;
        let rows: Vec<(String, i64)> = Book::query()
            .group_by(|b| b.author().name())
            .order_by(|b| (count().desc(), b.author().name().desc()))
            .select(|b| (b.author().name(), count()))
            .all(&test.db)
            .await?;
        let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Ann", "Dan", "Cid", "Bob"]);
    }

    async fn an_update_sets_what_the_query_finds(test: &Fixture) {
        library(test).await?;
        let db = &test.db;
        assert_eq!(Book::filter(cheap).update(db, |b| b.pages().set(7)).await?, 3);
        assert_eq!(test.statements().len(), 1);
        assert_eq!(found(test, Book::filter(|b| b.pages().eq(7))).await?, "ACE");
        let all =
            Book::query().update(db, |b| (b.price().set(b.price() + dec!(0.10)), b.pages().set(None::<i32>))).await?;
        assert_eq!(all, 5);
        let prices: Vec<(Decimal, Option<i32>)> =
            Book::query().order_by(|b| b.id().asc()).select(|b| (b.price(), b.pages())).all(db).await?;
        assert_eq!(prices, [dec!(10), dec!(12.6), dec!(10), dec!(30.1), dec!(5.1)].map(|price| (price, None)));
        assert_eq!(Book::filter(|b| b.id().lt(0)).update(db, |b| b.pages().set(1)).await?, 0);
        assert_eq!(Book::query().update(db, |b| b.title().set("same")).await?, 5);
        assert_eq!(Book::query().update(db, |b| b.title().set("same")).await?, 5, "rows found, changed or not");
    }

    async fn assignments_see_the_row_as_it_was(test: &Fixture) {
        let db = &test.db;
        db.create(models![Point]).await?;
        Record::insert(Point { id: 0, x: 1, y: 2 }, db).await?;
        Point::query().update(db, |p| (p.x().set(p.y()), p.y().set(p.x()))).await?;
        assert_eq!(Point::query().select(|p| (p.x(), p.y())).one(db).await?, (2, 1));
        Point::query().update(db, |p| (p.x().set(p.x() + 10), p.y().set(p.x() + 100))).await?;
        assert_eq!(Point::query().select(|p| (p.x(), p.y())).one(db).await?, (12, 102));
    }

    async fn a_foreign_key_is_set_by_query(test: &Fixture) {
        library(test).await?;
        let db = &test.db;
        assert_eq!(Book::filter(|b| b.title().eq("Ants")).update(db, |b| b.author().id().set(2)).await?, 1);
        assert_eq!(found(test, Book::filter(|b| b.author().eq(2))).await?, "AC");
        let dan = Author::get(db, 4).await?;
        Book::filter(|b| b.title().eq("Bees")).update(db, |b| (b.author().set(&dan), b.editor().set(3))).await?;
        assert_eq!(found(test, Book::filter(|b| b.author().eq(&dan))).await?, "BE");
        assert_eq!(found(test, Book::filter(|b| b.editor().eq(3))).await?, "BC");
        Book::filter(|b| b.author().eq(&dan)).update(db, |b| b.editor().set(None)).await?;
        assert_eq!(found(test, Book::filter(|b| b.editor().is_null())).await?, "BE");
        Book::filter(|b| b.title().eq("Bees")).update(db, |b| b.editor().set(Some(ForeignKey::from(&dan)))).await?;
        assert_eq!(found(test, Book::filter(|b| b.editor().eq(&dan))).await?, "B");
        // A copy of another foreign key.
        Book::filter(|b| b.title().eq("Cats")).update(db, |b| b.editor().id().set(b.author().id())).await?;
        assert_eq!(found(test, Book::filter(|b| b.editor().eq(2))).await?, "AC");
        test.statements();
        let unsaved = Record::new(Author { id: 9, ..dan.into_inner() });
        let error = Book::query().update(db, |b| b.author().set(&unsaved)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode, "{error}");
        assert!(error.to_string().contains("not saved"), "{error}");
        for error in [
            Book::query().update(db, |b| b.author().name().set("x")).await.unwrap_err(),
            Book::query().update(db, |b| b.author().country().id().set(Some(1))).await.unwrap_err(),
            Book::query().update(db, |b| b.author().country().set(1)).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(error.to_string().contains("related row"), "{error}");
        }
        assert_eq!(test.statements(), Vec::<String>::new());
    }

    async fn an_update_finds_rows_by_joins_and_limits(test: &Fixture) {
        library(test).await?;
        let db = &test.db;
        assert_eq!(
            Book::filter(|b| b.author().country().name().eq("Peru")).update(db, |b| b.title().set("peru")).await?,
            3
        );
        assert_eq!(test.statements().len(), 1);
        assert_eq!(Book::filter(|b| b.title().eq("peru")).count(db).await?, 3);
        assert_eq!(Book::query().order_by(|b| b.price().desc()).limit(2).update(db, |b| b.pages().set(1)).await?, 2);
        assert_eq!(found(test, Book::filter(|b| b.pages().eq(1))).await?, "pp");
        assert_eq!(Book::query().order_by(|b| b.id().asc()).offset(3).update(db, |b| b.pages().set(2)).await?, 2);
        assert_eq!(Book::filter(|b| b.pages().eq(2)).count(db).await?, 2);
        assert_eq!(Author::filter(|a| a.mentor().name().eq("Ann")).update(db, |a| a.name().set("Rob")).await?, 1);
        assert_eq!(Author::get(db, 2).await?.name, "Rob", "a table may be joined with itself");
        let error = Book::query().update(db, |b| b.title().set(b.author().name())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }

    async fn a_delete_removes_what_the_query_finds(test: &Fixture) {
        library(test).await?;
        let db = &test.db;
        assert_eq!(Book::filter(|b| b.author().name().eq("Ann") & b.price().gt(dec!(10))).delete(db).await?, 1);
        assert_eq!(test.statements().len(), 1);
        assert_eq!(found(test, Book::query()).await?, "ACDE");
        assert_eq!(Book::query().order_by(|b| (b.price().asc(), b.id().asc())).limit(2).delete(db).await?, 2);
        assert_eq!(found(test, Book::query()).await?, "CD");
        let error = Author::query().delete(db).await.unwrap_err();
        assert!(error.is_foreign_key(), "{error:?}");
        assert_eq!(error.model(), Some("Author"));
        assert_eq!(test.rows_in("authors").await?, 4, "all or none");
        assert_eq!(Book::query().delete(db).await?, 2);
        assert_eq!(Book::query().delete(db).await?, 0);
    }

    async fn a_composite_key_is_enough_to_change_a_limited_set(test: &Fixture) {
        test.db.create(models![Seat]).await?;
        for (line, number) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            Record::insert(Seat { line, number, taken: false }, &test.db).await?;
        }
        let last = || Seat::query().order_by(|s| (s.line().desc(), s.number().desc())).limit(1);
        assert_eq!(last().update(&test.db, |s| s.taken().set(true)).await?, 1);
        assert!(Seat::get(&test.db, (2, 2)).await?.taken);
        assert_eq!(last().delete(&test.db).await?, 1);
        assert_eq!(
            Seat::query().order_by(|s| (s.line().desc(), s.number().desc())).first(&test.db).await?.map(|s| s.number),
            Some(1)
        );
    }

    async fn a_query_is_a_value_that_runs_as_often_as_it_is_cloned(test: &Fixture) {
        library(test).await?;
        let query = Book::filter(by("Ann")).order_by(|b| b.price().desc());
        let dear = query.clone().filter(|b| b.price().gt(dec!(10)));
        assert_eq!(test.statements(), Vec::<String>::new(), "nothing runs before a terminal");
        assert_eq!(titles(test, query.clone()).await?, "BA");
        assert_eq!(titles(test, dear).await?, "B");
        assert_eq!(query.clone().count(&test.db).await?, 2);
        assert_eq!(titles(test, query).await?, "BA", "what was made of a clone did not change it");
    }

    async fn every_dialect_has_its_own_text(test: &Fixture) {
        let _ = test;
        let query =
            Book::filter(|b| b.title().eq("Ants") & b.author().name().ne("Bob")).order_by(|b| b.id().desc()).limit(3);
        let query = query.select(|b| b.title());
        let mut texts = Vec::new();
        for dialect in DIALECTS {
            texts.push(query.to_sql(dialect)?);
        }
        let [sqlite, postgres, mysql, mariadb] = &texts[..] else { panic!("four") };
        assert_eq!(
            sqlite,
            "SELECT t0.\"title\" FROM \"books\" AS t0 JOIN \"authors\" AS t1 ON t1.\"id\" = t0.\"author_id\" \
             WHERE t0.\"title\" = ?1 AND t1.\"name\" <> ?2 ORDER BY t0.\"id\" DESC LIMIT ?3"
        );
        assert_eq!(*postgres, sqlite.replace('?', "$"));
        assert_eq!(*mysql, sqlite.replace("?1", "?").replace("?2", "?").replace("?3", "?").replace('"', "`"));
        assert_eq!(mariadb, mysql);
        for text in texts {
            assert!(!text.contains("Ants"), "values are parameters");
        }
        let one = Nothing::filter(|n| n.id().eq(1)).to_sql(Dialect::Sqlite)?;
        assert_eq!(one, "SELECT \"id\", \"note\" FROM \"nothings\" WHERE \"id\" = ?1", "one table needs no alias");
    }

    async fn explain_says_something_and_runs_nothing(test: &Fixture) {
        library(test).await?;
        let plan = Book::filter(by("Ann")).order_by(|b| b.id().asc()).limit(1).explain(&test.db).await?;
        assert!(plan.trim().len() > 10, "{plan:?}");
        assert!(only(test).starts_with("EXPLAIN"));
        let plan = Book::filter(|b| b.title().is_in(["a", "b"]) & b.price().gt(dec!(1))).explain(&test.db).await?;
        assert!(!plan.trim().is_empty());
    }

    async fn a_transaction_runs_queries_like_a_database(test: &Fixture) {
        library(test).await?;
        let seen = test
            .db
            .transaction(async |tx| {
                Book::filter(cheap).delete(tx).await?;
                Book::query().count(tx).await
            })
            .await?;
        assert_eq!(seen, 2);
        assert_eq!(Book::query().count(&test.db).await?, 2);
    }

    async fn a_key_that_no_column_holds_is_refused_in_a_condition(test: &Fixture) {
        test.db.create(models![Giant]).await?;
        Record::insert(Giant { id: 5, name: "a".into() }, &test.db).await?;
        for query in [
            Giant::filter(|g| g.eq(u64::MAX)),
            Giant::filter(|g| g.ne(u64::MAX)),
            Giant::filter(|g| !g.is_in([1, u64::MAX])),
        ] {
            assert_eq!(query.count(&test.db).await.unwrap_err().kind(), ErrorKind::Encode);
        }
        assert_eq!(Giant::filter(|g| g.is_in([5_u64])).count(&test.db).await?, 1);
    }

    async fn a_value_that_no_column_holds_is_refused_in_a_condition(test: &Fixture) {
        test.db.create(models![Wide]).await?;
        Record::insert(Wide { id: 0, number: 5 }, &test.db).await?;
        test.statements();
        // NULL in its place would make each of these find nothing, and most of them be wrong.
        for (name, query) in [
            ("eq", Wide::filter(|w| w.number().eq(u64::MAX))),
            ("ne", Wide::filter(|w| w.number().ne(u64::MAX))),
            ("lt", Wide::filter(|w| w.number().lt(u64::MAX))),
            ("not", Wide::filter(|w| !w.number().ge(u64::MAX))),
            ("is_in", Wide::filter(|w| !w.number().is_in([1, u64::MAX]))),
            ("group", Wide::query().group_by(|w| w.number()).filter(|w| w.number().max().lt(u64::MAX))),
        ] {
            let refused = |error: cormorant::Error| {
                assert_eq!((error.kind(), error.model()), (ErrorKind::Encode, Some("Wide")), "{name}: {error:?}");
                assert!(error.to_string().contains("9223372036854775807"), "says the limit: {error}");
            };
            refused(query.clone().count(&test.db).await.unwrap_err());
            refused(query.clone().all(&test.db).await.unwrap_err());
            // Groups cannot be deleted, whatever the value.
            if name != "group" {
                refused(query.delete(&test.db).await.unwrap_err());
            }
        }
        let error = Wide::query().update(&test.db, |w| w.number().set(u64::MAX)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode);
        assert_eq!(test.statements(), Vec::<String>::new(), "nothing is sent");
        assert_eq!(Wide::filter(|w| w.number().is_in([5, i64::MAX as u64])).count(&test.db).await?, 1);
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Giant {
    #[model(generated = false)]
    id: u64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Wide {
    id: i64,
    number: u64,
}
