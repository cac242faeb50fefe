//! Names and values that try to be SQL. A name is written in quotes or refused before anything is sent; a value is
//! bound, wherever it stands. A canary shows that nothing else happened.

use cormorant::__private::{CheckDef, ColumnDef, IndexDef, OnDelete, RelationDef};
use cormorant::prelude::*;
use cormorant::{
    ColumnType, Columns, Error, ErrorKind, FromRow, IntoModel, Join, Mapper, Result, Row, TableDef, Unsaved,
    Unstorable, Value,
};
use cormorant_conformance::{Backend, Fixture, conformance};

/// Names that are quoted.
const HOSTILE: [&str; 24] = [
    "a\"; DROP TABLE canary;--",
    "x` ; DROP TABLE canary;--",
    "x' OR '1'='1",
    "x]",
    "x/*",
    "*/x",
    "-- x",
    "x#",
    "x\\",
    "x$$",
    "x;",
    "%",
    "_",
    "\u{02BC}",
    "\u{FF07}",
    "sixty-three bytes, the most that PostgreSQL keeps of a name....",
    "select",
    "order",
    "a.b",
    "two words",
    " before",
    "a\"\"b``c''d",
    "? $1 :name",
    "{0} %s",
];

/// Names that are refused.
const REFUSED: [&str; 8] = [
    "",
    "x\0",
    "x--\n",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\t",
    "sixty-four bytes, of which PostgreSQL would cut off the last one",
];

#[derive(Model, Debug)]
#[model(table = "canary")]
struct Canary {
    id: i64,
    song: String,
}

async fn with_canary(test: &Fixture) -> Result<()> {
    test.db.create(models![Canary]).await?;
    Canary::builder().song("tweet").insert(&test.db).await?;
    Ok(())
}

/// Nothing happened to the canary.
async fn sings(test: &Fixture, name: &str) -> Result<()> {
    let songs: Vec<String> = Canary::query().select(|c| c.song()).all(&test.db).await?;
    assert_eq!(songs, ["tweet"], "after {name:?}");
    Ok(())
}

// Names that are known only while the program runs, one position at a time.

/// Where a name can stand.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Table,
    Column,
    Key,
    ForeignKey,
    SelfReference,
    Index,
    Unique,
    Check,
}

const PLACES: [Place; 8] = [
    Place::Table,
    Place::Column,
    Place::Key,
    Place::ForeignKey,
    Place::SelfReference,
    Place::Index,
    Place::Unique,
    Place::Check,
];

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn leak_all<T: Clone>(values: &[T]) -> &'static [T] {
    Box::leak(values.to_vec().into_boxed_slice())
}

/// Two tables, one of which points at the other and at itself, with a name in one place.
fn tables(place: Place, name: &'static str) -> [&'static TableDef; 2] {
    // A relation's target is a plain function, so what it gives has to be found by it.
    static PARENT: std::sync::Mutex<Option<&'static TableDef>> = std::sync::Mutex::new(None);
    fn parent() -> &'static TableDef {
        PARENT.lock().unwrap().expect("set below")
    }
    let named = |here, otherwise| if here == place { name } else { otherwise };
    let points = |field, column| RelationDef {
        model: "",
        field,
        columns: leak_all(&[column]),
        target: parent,
        target_path: "",
        on_delete: OnDelete::Restrict,
        on_update: None,
    };
    let key = ColumnDef::new("id", named(Place::Key, "id"), ColumnType::I64, false).key(true);
    let text = ColumnType::Text { max_length: Some(40) };
    let parents = leak(TableDef {
        model: "Parent",
        path: "names::Parent",
        singular: "",
        schema: None,
        name: named(Place::Table, "parents"),
        columns: leak_all(&[
            key,
            ColumnDef::new("text", named(Place::Column, "text"), text, false).index(),
            ColumnDef::new("itself", named(Place::SelfReference, "itself_id"), ColumnType::I64, true),
            ColumnDef::new("n", "n", ColumnType::I64, true),
        ]),
        key: &[0],
        relations: leak_all(&[points("itself", 2)]),
        many: || &[],
        links: &[],
        indexes: leak_all(&[
            IndexDef { name: Some(named(Place::Index, "by_n")), columns: &[3, 1], unique: false },
            IndexDef { name: Some(named(Place::Unique, "one_n")), columns: &[3], unique: true },
        ]),
        checks: leak_all(&[CheckDef { name: named(Place::Check, "small"), sql: "n < 100" }]),
        strict: false,
        autoincrement: false,
    });
    *PARENT.lock().unwrap() = Some(parents);
    let children = leak(TableDef {
        model: "Child",
        path: "names::Child",
        singular: "",
        name: "children",
        columns: leak_all(&[
            ColumnDef::new("id", "id", ColumnType::I64, false).key(true),
            ColumnDef::new("parent", named(Place::ForeignKey, "parent_id"), ColumnType::I64, true).index(),
        ]),
        relations: leak_all(&[points("parent", 1)]),
        many: || &[],
        links: &[],
        indexes: &[],
        checks: &[],
        ..*parents
    });
    [parents, children]
}

/// The names to try in a place. MariaDB makes tables slowly: there each name is tried in two of the places.
fn hostile(test: &Fixture, place: Place) -> impl Iterator<Item = &'static str> {
    let every = if test.is(Backend::MariaDb) { 4 } else { 1 };
    HOSTILE.into_iter().skip(place as usize % every).step_by(every)
}

/// Creates, writes, reads and drops, with SQL of the test's own in between.
async fn is_quoted(test: &Fixture, place: Place, name: &'static str) -> Result<()> {
    let tables @ [parents, _] = tables(place, name);
    test.db.create(tables).await?;
    test.statements();
    test.db.create(tables).await?;
    assert_eq!(test.statements().len(), 1, "{name:?} as {place:?}: the tables are found again");
    let (table, text) = (test.quoted(parents.name), test.quoted(parents.columns[1].name));
    test.execute(&format!("INSERT INTO {table} ({text}, n) VALUES ('hello', 1)")).await?;
    let twice = test.execute(&format!("INSERT INTO {table} ({text}, n) VALUES ('hello', 1)")).await.unwrap_err();
    assert!(twice.is_unique(), "{twice}");
    let large = test.execute(&format!("INSERT INTO {table} ({text}, n) VALUES ('hello', 100)")).await.unwrap_err();
    assert!(large.is_check(), "{large}");
    assert_eq!(test.rows_in(parents.name).await?, 1);
    test.db.drop(tables).await?;
    assert!(test.rows_in(parents.name).await.is_err(), "{name:?} as {place:?} is dropped");
    Ok(())
}

// Names in constants: a mapper written by hand.

/// The names of one table.
#[derive(Clone, Copy)]
struct Names {
    table: &'static str,
    key: &'static str,
    text: &'static str,
    parent: &'static str,
    index: &'static str,
    unique: &'static str,
    check: &'static str,
}

const HARMLESS: Names =
    Names { table: "odd", key: "id", text: "text", parent: "parent_id", index: "ix", unique: "uq", check: "ck" };

macro_rules! names {
    ($($name:literal)*) => {
        [$(Names {
            table: $name,
            key: concat!("k", $name),
            text: $name,
            parent: concat!("p", $name),
            index: concat!("i", $name),
            unique: concat!("u", $name),
            check: $name,
        }),*]
    };
}

/// Each in every place of a table at once.
const NAMES: [Names; 12] = names! {
    "a\"; DROP TABLE canary;--" "x` ; DROP TABLE canary;--" "x' OR '1'='1" "x/*" "-- x" "x\\" "%" "\u{02BC}"
    "sixty-two bytes; where a letter stands before it they are 63.." "order" "a.b" "? $1 :name"
};

/// Each in one place of a table.
const BAD: [Names; 8] = [
    Names { table: "", ..HARMLESS },
    Names { table: "x\0", ..HARMLESS },
    Names { table: "sixty-four bytes, of which PostgreSQL would cut off the last one", ..HARMLESS },
    Names { text: "", ..HARMLESS },
    Names { text: "x\n", ..HARMLESS },
    Names { key: "x\0", ..HARMLESS },
    Names { key: "\u{85}", ..HARMLESS },
    Names { parent: "x\0", ..HARMLESS },
];

/// A table with the names of one entry of [`NAMES`], or, from 100 on, of [`BAD`].
#[derive(Clone, Debug, PartialEq)]
struct Odd<const N: usize>(Even);

/// Its columns, under names that nobody minds.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "even")]
struct Even {
    id: i64,
    #[model(max_length = 40)]
    text: String,
    parent: Option<ForeignKey<Even>>,
}

impl<const N: usize> Odd<N> {
    const NAMES: Names = if N < 100 { NAMES[N] } else { BAD[N - 100] };

    fn new(text: &str, parent: Option<i64>) -> Self {
        Self(Even { id: 0, text: text.to_owned(), parent: parent.map(ForeignKey::to) })
    }
}

impl<const N: usize> Mapper for Odd<N> {
    type Entity = Self;
    type Key = i64;
    type Path<R: 'static, J: Join> = <Even as Mapper>::Path<R, J>;
    type Snapshot = <Even as Mapper>::Snapshot;

    const NAME: &'static str = "Odd";
    const PATH: &'static str = "names::Odd";
    const TABLE: &'static TableDef = &TableDef {
        model: "Odd",
        path: "names::Odd",
        singular: "",
        schema: None,
        name: Self::NAMES.table,
        columns: &[
            ColumnDef::new("id", Self::NAMES.key, ColumnType::I64, false).key(true),
            ColumnDef::new("text", Self::NAMES.text, ColumnType::Text { max_length: Some(40) }, false),
            ColumnDef::new("parent", Self::NAMES.parent, ColumnType::I64, true).index(),
        ],
        key: &[0],
        relations: &[RelationDef {
            model: "",
            field: "parent",
            columns: &[2],
            target: || Self::TABLE,
            target_path: "",
            on_delete: OnDelete::Restrict,
            on_update: None,
        }],
        many: || &[],
        links: &[],
        indexes: &[
            IndexDef { name: Some(Self::NAMES.index), columns: &[1, 2], unique: false },
            IndexDef { name: Some(Self::NAMES.unique), columns: &[2, 1], unique: true },
        ],
        checks: &[CheckDef { name: Self::NAMES.check, sql: "1 = 1" }],
        strict: false,
        autoincrement: false,
    };

    fn path<R: 'static, J: Join>(route: cormorant::__private::Route) -> Self::Path<R, J> {
        Even::path(route)
    }
    fn load(row: &mut Row<'_>) -> Result<Self> {
        Even::load(row).map(Self)
    }
    fn assign(entity: &mut Self, column: u16, row: &mut Row<'_>) -> Result<()> {
        Even::assign(&mut entity.0, column, row)
    }
    fn value(entity: &Self, column: u16) -> Result<Value<'_>, Unstorable> {
        Even::value(&entity.0, column)
    }
    fn key(entity: &Self) -> Result<i64> {
        Even::key(&entity.0)
    }
    fn snapshot(entity: &Self) -> Self::Snapshot {
        Even::snapshot(&entity.0)
    }
    fn copy(snapshot: &Self::Snapshot) -> Self::Snapshot {
        Even::copy(snapshot)
    }
    fn snapshot_key(snapshot: &Self::Snapshot) -> Result<i64> {
        Even::snapshot_key(snapshot)
    }
    fn restore(entity: &mut Self, snapshot: Self::Snapshot) -> Result<()> {
        Even::restore(&mut entity.0, snapshot)
    }
    fn changed(snapshot: &Self::Snapshot, entity: &Self) -> Columns {
        Even::changed(snapshot, &entity.0)
    }
    fn set_generated_key(entity: &mut Self, key: i64) -> Result<()> {
        Even::set_generated_key(&mut entity.0, key)
    }
}

impl<const N: usize> Model for Odd<N> {}

impl<const N: usize> IntoModel for Odd<N> {
    type Model = Self;
    fn into_unsaved(self) -> Unsaved<Self> {
        Unsaved::from(self)
    }
}

impl<const N: usize> FromRow for Odd<N> {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Self::load(row)
    }
}

fn texts<const N: usize>(records: &[Record<Odd<N>>]) -> Vec<&str> {
    records.iter().map(|record| record.0.text.as_str()).collect()
}

/// Every kind of statement, each of them one.
async fn works<const N: usize>(test: &Fixture) -> Result<()> {
    let db = &test.db;
    db.create(models![Odd<N>]).await?;
    test.statements();
    let one = |what: &str| assert_eq!(test.statements().len(), 1, "{what}: one statement");
    let a = Record::insert(Odd::<N>::new("a", None), db).await?;
    one("insert");
    let mut b = Record::insert(Odd::<N>::new("b", Some(a.0.id)), db).await?;
    one("insert");
    assert_eq!(
        texts(&Odd::<N>::insert_many(db, [Odd::new("c", Some(b.0.id)), Odd::new("d", Some(b.0.id))]).await?),
        ["c", "d"]
    );
    one("insert_many");
    assert_eq!(Odd::<N>::get(db, a.0.id).await?.0, a.0);
    one("get");
    assert_eq!(texts(&Odd::<N>::get_many(db, [a.0.id, b.0.id]).await?), ["a", "b"]);
    one("get_many");
    assert_eq!(texts(&Odd::<N>::filter(|o| o.text().eq("b")).all(db).await?), ["b"]);
    one("filter");
    let joined = Odd::<N>::filter(|o| o.parent().parent().text().eq("a"))
        .order_by(|o| (o.parent().text().asc(), o.text().desc()));
    assert_eq!(texts(&joined.clone().all(db).await?), ["d", "c"]);
    one("join");
    let selected: Vec<(String, Option<String>)> = joined.select(|o| (o.text(), o.parent().text())).all(db).await?;
    assert_eq!(selected, [("d".to_owned(), Some("b".to_owned())), ("c".to_owned(), Some("b".to_owned()))]);
    one("select");
    let groups: Vec<(Option<String>, i64)> = Odd::<N>::query()
        .group_by(|o| o.parent().text())
        .filter(|_| count().gt(1))
        .select(|o| (o.parent().text(), count()))
        .all(db)
        .await?;
    assert_eq!(groups, [(Some("b".to_owned()), 2)]);
    one("group");
    assert_eq!(Odd::<N>::filter(|o| o.parent().eq(ForeignKey::to(b.0.id))).count(db).await?, 2);
    one("count");
    assert!(Odd::<N>::filter(|o| o.parent().is_null()).exists(db).await?);
    one("exists");
    assert_eq!(Odd::<N>::filter(|o| o.text().eq("c")).update(db, |o| o.text().set("e")).await?, 1);
    one("update");
    b.0.text = "f".to_owned();
    b.save(db).await?;
    one("save");
    b.refresh(db).await?;
    one("refresh");
    assert_eq!(Odd::<N>::filter(|o| o.text().is_in(["d", "e"])).delete(db).await?, 2);
    one("delete");
    b.delete(db).await?;
    one("delete");
    assert_eq!(texts(&Odd::<N>::query().order_by(|o| o.text().asc()).all(db).await?), ["a"]);
    sings(test, Odd::<N>::NAMES.table).await?;
    db.drop(models![Odd<N>]).await?;
    assert!(Odd::<N>::query().all(db).await.is_err(), "it is dropped");
    Ok(())
}

/// No statement is sent at all.
async fn refused<const N: usize>(test: &Fixture) -> Result<()> {
    let db = &test.db;
    let name = |error: Option<Error>| {
        let error = error.expect("an error");
        assert_eq!(error.kind(), ErrorKind::InvalidIdentifier, "{N}: {error} {:?}", test.statements());
    };
    // With a key of its own, so that every column is written.
    let saved = Record::new(Odd::<N>(Even { id: 5, ..Odd::<N>::new("a", None).0 }));
    test.statements();
    name(db.create(models![Odd<N>]).await.err());
    name(db.drop(models![Odd<N>]).await.err());
    name(saved.clone().save(db).await.err());
    name(Odd::<N>::insert_many(db, [saved.clone().into_inner(), saved.clone().into_inner()]).await.err());
    name(Odd::<N>::query().all(db).await.err());
    name(Odd::<N>::get(db, 1).await.err());
    name(Odd::<N>::get_many(db, [1]).await.err());
    name(Odd::<N>::filter(|o| o.id().eq(1) & o.parent().text().eq("a")).update(db, |o| o.text().set("x")).await.err());
    name(Odd::<N>::filter(|o| o.text().eq("a") & o.id().eq(1) & o.parent().id().eq(1)).delete(db).await.err());
    name(Odd::<N>::query().order_by(|o| (o.text().asc(), o.id().asc(), o.parent().text().asc())).first(db).await.err());
    let shown = Odd::<N>::query().to_sql(db.dialect());
    name(shown.err());
    assert_eq!(test.statements(), Vec::<String>::new());
    Ok(())
}

macro_rules! each {
    ($check:ident, $test:ident: $($n:literal)*) => { $($check::<$n>($test).await?;)* };
}

// Names in attributes.

macro_rules! derived {
    ($module:ident, $table:literal, $key:literal, $text:literal, $parent:literal, $index:literal, $unique:literal) => {
        mod $module {
            use super::*;

            #[derive(Model, Debug)]
            #[model(table = $table, index(text, parent, name = $index), unique(parent, text, name = $unique))]
            pub(super) struct Derived {
                #[model(key, column = $key)]
                number: i64,
                #[model(column = $text, max_length = 40, check = "1 = 1")]
                text: String,
                #[model(column = $parent)]
                parent: Option<ForeignKey<Derived>>,
            }

            pub(super) async fn works(test: &Fixture) -> Result<()> {
                let db = &test.db;
                db.create(models![Derived]).await?;
                test.statements();
                let a = Derived::builder().text("a").insert(db).await?;
                let b = Derived::builder().text("b").parent(&a).insert(db).await?;
                assert_eq!(Derived::filter(|d| d.parent().text().eq("a")).one(db).await?.number, b.number);
                assert_eq!(Derived::filter(|d| d.text().eq("b")).update(db, |d| d.text().set("c")).await?, 1);
                let texts: Vec<String> =
                    Derived::query().order_by(|d| d.number().asc()).select(|d| d.text()).all(db).await?;
                assert_eq!(texts, ["a", "c"]);
                assert_eq!(Derived::filter(|d| d.number().eq(b.number)).delete(db).await?, 1);
                assert_eq!(test.statements().len(), 6, "one each");
                let twice =
                    Record::insert(Derived { number: a.number, text: "x".into(), parent: None }, db).await.unwrap_err();
                assert_eq!(
                    (twice.kind(), twice.model(), twice.field()),
                    (ErrorKind::Unique, Some("Derived"), Some("number"))
                );
                sings(test, $table).await?;
                db.drop(models![Derived]).await
            }
        }
    };
}

derived!(double_quotes, "t\"; DROP TABLE canary;--", "k\"", "\"", "p\"\"", "i\";--", "u\"");
derived!(backticks, "t`; DROP TABLE canary;--", "k`", "`", "p``", "i`;--", "u`");
derived!(keywords, "select", "from", "where", "order", "group", "table");
derived!(marks, "t.x/*?$1", "k:name", "%_", "p\\", "i#", "u'--");

/// A schema whose name is hostile: a schema on PostgreSQL, a database on MariaDB, an attached one on SQLite.
#[derive(Model, Debug)]
#[model(schema = "s\"`; DROP TABLE canary;--", table = "in.side")]
struct Inside {
    id: i64,
    #[model(unique)]
    text: String,
    parent: Option<ForeignKey<Inside>>,
}

// Values.

/// What people write into forms, some of them on purpose.
const VALUES: [&str; 22] = [
    "x' OR '1'='1",
    "x\" ; DROP TABLE canary;--",
    "x` OR 1=1",
    "x]",
    "x/*",
    "*/x",
    "x--\n",
    "x#",
    "x\\",
    "\\' OR 1=1 -- ",
    "x$$",
    "x;",
    "%",
    "_",
    "!",
    "!%",
    "[a-z]*",
    "\u{02BC}",
    "\u{FF07}",
    "",
    "select",
    "? $1 :name {0} \r\n\t\u{1b}[2J",
];

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "value_notes")]
struct Note {
    #[model(key, max_length = 60)]
    name: String,
    #[model(max_length = 60)]
    text: String,
    other: Option<String>,
    of: Option<ForeignKey<Note>>,
}

fn note(value: &str) -> Note {
    Note { name: value.to_owned(), text: value.to_owned(), other: None, of: None }
}

fn folds(value: &str) -> String {
    value.to_lowercase()
}

/// A condition finds in the database what the same condition finds in Rust.
async fn finds(
    test: &Fixture,
    operator: &str,
    value: &str,
    condition: impl FnOnce(PathOf<Note>) -> Predicate<Note>,
    same: impl Fn(&str) -> bool,
) -> Result<()> {
    let mut expected: Vec<&str> = VALUES.into_iter().filter(|value| same(value)).collect();
    expected.sort_unstable();
    assert_eq!(found(test, condition).await?, expected, "{operator} {value:?}");
    Ok(())
}

async fn found(test: &Fixture, condition: impl FnOnce(PathOf<Note>) -> Predicate<Note>) -> Result<Vec<String>> {
    let mut found = Note::filter(condition).select(|n| n.name()).all(&test.db).await?;
    found.sort();
    Ok(found)
}

conformance! {
    async fn run_time_names_are_quoted_in_ddl(test: &Fixture) {
        with_canary(test).await?;
        for place in [Place::Table, Place::Column, Place::Key, Place::Check] {
            for name in hostile(test, place) {
                is_quoted(test, place, name).await?;
                sings(test, name).await?;
            }
        }
    }

    async fn run_time_names_of_keys_and_indexes_are_quoted_in_ddl(test: &Fixture) {
        with_canary(test).await?;
        for place in [Place::ForeignKey, Place::SelfReference, Place::Index, Place::Unique] {
            for name in hostile(test, place) {
                is_quoted(test, place, name).await?;
                sings(test, name).await?;
            }
        }
    }

    async fn names_that_cannot_be_quoted_are_refused_before_anything_is_sent(test: &Fixture) {
        with_canary(test).await?;
        test.statements();
        // The limit is one of bytes: these are 32 characters.
        let long = ["\u{02BC}".repeat(32), "x".repeat(4_000)].map(|name| &*String::leak(name));
        for name in REFUSED.into_iter().chain(long) {
            for place in PLACES {
                // What a check is called is part of a longer name, which is cut where it is too long.
                if place == Place::Check && (name.is_empty() || name.len() > 63 && !name.contains(char::is_control)) {
                    continue;
                }
                let tables = tables(place, name);
                for refused in [test.db.create(tables).await, test.db.drop(tables).await] {
                    let error = refused.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidIdentifier, "{name:?} as {place:?}: {error}");
                }
            }
            let elsewhere = leak(TableDef { schema: Some(name), ..*Canary::TABLE });
            assert_eq!(test.db.create([elsewhere]).await.unwrap_err().kind(), ErrorKind::InvalidIdentifier, "{name:?}");
        }
        assert_eq!(test.statements(), Vec::<String>::new());
        sings(test, "all of them").await?;
    }

    async fn a_name_that_only_the_server_refuses_creates_nothing(test: &Fixture) {
        with_canary(test).await?;
        for place in [Place::Table, Place::Column] {
            // MariaDB's names do not end with a space.
            match is_quoted(test, place, "behind ").await {
                Ok(()) => assert!(!test.is(Backend::MariaDb)),
                Err(error) => assert!(test.is(Backend::MariaDb), "{error}"),
            }
            sings(test, "behind ").await?;
        }
    }

    async fn names_are_quoted_in_every_statement(test: &Fixture) {
        with_canary(test).await?;
        each!(works, test: 0 1 2 3 4 5 6 7 8 9 10 11);
    }

    async fn no_statement_holds_a_name_that_cannot_be_quoted(test: &Fixture) {
        with_canary(test).await?;
        each!(refused, test: 100 101 102 103 104 105 106 107);
        sings(test, "all of them").await?;
    }

    async fn names_in_attributes_are_quoted(test: &Fixture) {
        with_canary(test).await?;
        double_quotes::works(test).await?;
        backticks::works(test).await?;
        keywords::works(test).await?;
        marks::works(test).await?;
        let table = double_quotes::Derived::TABLE;
        assert_eq!((table.name, table.columns[1].name), ("t\"; DROP TABLE canary;--", "\""), "as it was written");
    }

    async fn the_name_of_a_schema_is_quoted(test: &Fixture) {
        with_canary(test).await?;
        let schema = test.quoted("s\"`; DROP TABLE canary;--");
        match test.backend {
            Backend::Sqlite => test.execute(&format!("ATTACH ':memory:' AS {schema}")).await?,
            Backend::Postgres => test.execute(&format!("CREATE SCHEMA {schema}")).await?,
            // There it is a database of its own, which a run that failed may have left.
            Backend::MariaDb => test.execute(&format!("CREATE OR REPLACE DATABASE {schema}")).await?,
        };
        test.db.create(models![Inside]).await?;
        test.statements();
        let a = Inside::builder().text("a").insert(&test.db).await?;
        let mut b = Inside::builder().text("b").parent(&a).insert(&test.db).await?;
        assert_eq!(Inside::filter(|i| i.parent().text().eq("a")).one(&test.db).await?.text, "b");
        b.text = "c".to_owned();
        b.save(&test.db).await?;
        assert_eq!(Inside::filter(|i| i.text().eq("c")).update(&test.db, |i| i.text().set("d")).await?, 1);
        b.delete(&test.db).await?;
        assert_eq!(test.statements().len(), 6, "one each");
        assert!(Inside::builder().text("a").insert(&test.db).await.unwrap_err().is_unique());
        sings(test, "the schema").await?;
        match test.backend {
            Backend::Sqlite => {}
            Backend::Postgres => drop(test.execute(&format!("DROP SCHEMA {schema} CASCADE")).await?),
            Backend::MariaDb => drop(test.execute(&format!("DROP SCHEMA {schema}")).await?),
        }
    }

    async fn values_are_values_in_every_operator(test: &Fixture) {
        with_canary(test).await?;
        test.db.create(models![Note]).await?;
        assert_eq!(Note::insert_many(&test.db, VALUES.map(note)).await?.len(), VALUES.len());
        for value in VALUES {
            let twice = format!("{value}{value}");
            let one = [value.to_owned()];
            finds(test, "eq", value, |n| n.text().eq(value), |v| v == value).await?;
            finds(test, "ne", value, |n| n.text().ne(value), |v| v != value).await?;
            finds(test, "between", value, |n| n.text().between(value, value), |v| v == value).await?;
            finds(test, "le, ge", value, |n| n.text().le(value) & n.text().ge(value), |v| v == value).await?;
            finds(test, "lt, gt", value, |n| n.text().lt(value) | n.text().gt(value), |v| v != value).await?;
            finds(test, "is_in", value, |n| n.text().is_in([value]), |v| v == value).await?;
            finds(test, "contains", value, |n| n.text().contains(value), |v| v.contains(value)).await?;
            finds(test, "starts_with", value, |n| n.text().starts_with(value), |v| v.starts_with(value)).await?;
            finds(test, "ends_with", value, |n| n.text().ends_with(value), |v| v.ends_with(value)).await?;
            finds(test, "icontains", value, |n| n.text().icontains(value), |v| folds(v).contains(&folds(value))).await?;
            finds(test, "ieq", value, |n| n.text().ieq(value), |v| folds(v) == folds(value)).await?;
            finds(test, "concat", value, |n| n.text().concat(value).eq(twice), |v| v == value).await?;
            finds(test, "or", value, |n| n.other().or(value).eq(value), |_| true).await?;
            let own = Note::filter(|n| n.name().eq(value));
            let cased = own.select(|n| case(n.text().eq(value), value).otherwise("no"));
            assert_eq!(cased.all(&test.db).await?, one, "case");
        }
        finds(test, "is_in", "all of them", |n| n.text().is_in(VALUES), |_| true).await?;
        sings(test, "operators").await?;
    }

    async fn values_are_values_in_keys(test: &Fixture) {
        with_canary(test).await?;
        test.db.create(models![Note]).await?;
        Note::insert_many(&test.db, VALUES.map(note)).await?;
        test.statements();
        assert_eq!(Note::get_many(&test.db, VALUES).await?.len(), VALUES.len());
        assert_eq!(test.statements().len(), 1, "the keys are one value");
        for value in VALUES {
            let mut row = Note::get(&test.db, value).await?;
            assert_eq!(*row, note(value));
            row.other = Some(value.to_owned());
            row.of = Some(ForeignKey::to(value.to_owned()));
            row.save(&test.db).await?;
            row.refresh(&test.db).await?;
            assert_eq!(row.other.as_deref(), Some(value));
            assert_eq!(found(test, |n| n.of().text().eq(value)).await?, [value]);
            assert_eq!(Note::filter(|n| n.of().eq(&row)).count(&test.db).await?, 1);
            let twice = format!("{value}{value}");
            assert_eq!(Note::filter(|n| n.name().eq(value)).update(&test.db, |n| n.other().set(twice)).await?, 1);
        }
        for value in VALUES {
            let mut row = Note::get(&test.db, value).await?;
            assert_eq!(row.other, Some(format!("{value}{value}")));
            // MariaDB keeps a row that points at itself.
            row.of = None;
            row.save(&test.db).await?;
            row.delete(&test.db).await?;
        }
        assert_eq!(test.rows_in("value_notes").await?, 0);
        sings(test, "keys").await?;
    }

    async fn values_are_values_in_sql_of_the_programs_own(test: &Fixture) {
        with_canary(test).await?;
        test.db.create(models![Note]).await?;
        Note::insert_many(&test.db, VALUES.map(note)).await?;
        test.statements();
        let expected = VALUES.len();
        for value in VALUES {
            let name: Vec<String> = sql!("SELECT name FROM value_notes WHERE text = {value}").all(&test.db).await?;
            assert_eq!(name, [value]);
            let list = [value, "nobody"];
            let rows = sql!("UPDATE value_notes SET other = {value} WHERE name IN ({..list})").execute(&test.db).await?;
            assert_eq!(rows, 1, "{value:?}");
        }
        assert_eq!(test.statements().len(), 2 * expected, "one each");
        let same = sql!("SELECT COUNT(*) FROM value_notes WHERE name IN ({..VALUES}) AND other = text");
        let rows: i64 = same.one(&test.db).await?;
        assert_eq!(rows as usize, expected);
        sings(test, "sql!").await?;
    }

    async fn one_text_is_one_statement(test: &Fixture) {
        with_canary(test).await?;
        for text in ["SELECT 1; DROP TABLE canary", "DELETE FROM canary WHERE 1 = 0; DELETE FROM canary"] {
            // Refused, or cut off behind the first: the second is never run.
            let _ = test.execute(text).await;
            sings(test, text).await?;
        }
    }
}
