//! SQL of the program's own: values are bound, and what would change the connection is refused.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Sql, UncheckedSql};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
struct Item {
    id: i64,
    name: String,
    note: Option<String>,
    #[model(precision = 8, scale = 2)]
    price: Decimal,
}

#[derive(FromRow, Debug, PartialEq)]
struct Line {
    name: String,
    double: i64,
    note: Option<String>,
}

const HOSTILE: [&str; 9] = ["'", "''", "\"", "\\", "'; DROP TABLE items; --", "$1", "?", "{name}", "x' OR '1'='1"];

async fn items(test: &Fixture) -> cormorant::Result<()> {
    test.db.create(models![Item]).await?;
    for (id, name, note) in [(1, "one", Some("first")), (2, "two", None), (3, "three", Some("third"))] {
        let note = note.map(str::to_owned);
        Record::insert(Item { id, name: name.into(), note, price: dec!(9.90) }, &test.db).await?;
    }
    test.statements();
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "raw_owners")]
struct Owner {
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "raw_pets")]
struct Pet {
    id: i64,
    name: Option<String>,
    owner: ForeignKey<Owner>,
}

conformance! {
    async fn a_row_that_an_outer_join_lacks_is_none(test: &Fixture) {
        test.db.create(models![Owner, Pet]).await?;
        let ann = Owner::builder().name("Ann").insert(&test.db).await?;
        Owner::builder().name("Bob").insert(&test.db).await?;
        let rex = Pet::builder().name(None::<String>).owner(&ann).insert(&test.db).await?;
        let rows: Vec<(Record<Owner>, Option<Record<Pet>>, i64)> = sql!(
            "SELECT o.id, o.name, p.id, p.name, p.owner_id, 7 FROM raw_owners AS o \
             LEFT JOIN raw_pets AS p ON p.owner_id = o.id ORDER BY o.id"
        )
        .all(&test.db)
        .await?;
        assert_eq!(rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>(), [Some(rex), None]);
        assert!(rows.iter().all(|row| row.2 == 7), "the columns behind are found");
    }

    async fn rows_are_scalars_tuples_structs_and_models(test: &Fixture) {
        items(test).await?;
        let db = &test.db;
        let names: Vec<String> = sql!("SELECT name FROM items ORDER BY id").all(db).await?;
        assert_eq!(names, ["one", "two", "three"]);
        let count: i64 = sql!("SELECT COUNT(*) FROM items").one(db).await?;
        assert_eq!(count, 3);
        let pairs: Vec<(i64, Option<String>)> = sql!("SELECT id, note FROM items ORDER BY id").all(db).await?;
        assert_eq!(pairs, [(1, Some("first".into())), (2, None), (3, Some("third".into()))]);
        let lines: Vec<Line> = sql!("SELECT name, id * 2, note FROM items WHERE id < 3 ORDER BY id").all(db).await?;
        assert_eq!(lines[1], Line { name: "two".into(), double: 4, note: None });
        let item: Item = sql!("SELECT id, name, note, price FROM items WHERE id = 2").one(db).await?;
        assert_eq!(item, Item { id: 2, name: "two".into(), note: None, price: dec!(9.90) });
        let mut record: Record<Item> = sql!("SELECT id, name, note, price FROM items WHERE id = 2").one(db).await?;
        test.statements();
        record.name = "deux".into();
        record.save(db).await?;
        assert!(test.statements()[0].starts_with("UPDATE"), "a record like any other");
        let both: (Record<Item>, i64) = sql!("SELECT id, name, note, price, 7 FROM items WHERE id = 2").one(db).await?;
        assert_eq!((both.0.name.as_str(), both.1), ("deux", 7));
        assert_eq!(test.statements().len(), 1);
    }

    async fn one_and_optional_tell_none_and_several_apart(test: &Fixture) {
        items(test).await?;
        let error = sql!("SELECT name FROM items WHERE id = 9").one::<String>(&test.db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(sql!("SELECT name FROM items WHERE id = 9").optional::<String>(&test.db).await?, None);
        let error = sql!("SELECT name FROM items").one::<String>(&test.db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MultipleRows);
        assert_eq!(
            sql!("SELECT name FROM items WHERE id = 1").optional::<String>(&test.db).await?.as_deref(),
            Some("one")
        );
        assert_eq!(sql!("SELECT note FROM items WHERE id = 2").one::<Option<String>>(&test.db).await?, None);
    }

    async fn hostile_values_stay_values(test: &Fixture) {
        items(test).await?;
        let db = &test.db;
        for hostile in HOSTILE {
            let owned = hostile.to_owned();
            let found: Vec<i64> = sql!("SELECT id FROM items WHERE name = {hostile} OR note = {owned}").all(db).await?;
            assert_eq!(found, Vec::<i64>::new(), "{hostile:?}");
            assert_eq!(sql!("UPDATE items SET note = {hostile} WHERE id = {1_i64}").execute(db).await?, 1);
            assert_eq!(Item::get(db, 1).await?.note.as_deref(), Some(hostile));
            let names = [hostile, "one"];
            let found: Vec<i64> =
                sql!("SELECT id FROM items WHERE name IN ({..names}) OR note IN ({..names})").all(db).await?;
            assert_eq!(found, [1], "{hostile:?} in a list");
        }
        assert!(test.statements().iter().all(|sql| !sql.contains("DROP") && !sql.contains("OR '1'")));
        assert_eq!(test.rows_in("items").await?, 3);
    }

    async fn lists_are_spread_and_may_be_empty(test: &Fixture) {
        items(test).await?;
        let db = &test.db;
        let none: [i64; 0] = [];
        let two = vec![1_i64, 3];
        let found: Vec<i64> = sql!("SELECT id FROM items WHERE id IN ({..two}) ORDER BY id").all(db).await?;
        assert_eq!(found, two);
        let found: Vec<i64> = sql!("SELECT id FROM items WHERE id IN ({..none})").all(db).await?;
        assert_eq!(found, none);
        let (low, names) = (1_i64, ["two", "three"]);
        let found: Vec<i64> =
            sql!("SELECT id FROM items WHERE id > {low} AND name IN ({..names}) AND id IN ({..two}) AND id < {low.max(9)}")
                .all(db)
                .await?;
        assert_eq!(found, [3], "values are numbered through");
    }

    async fn every_kind_of_value_is_bound(test: &Fixture) {
        items(test).await?;
        let db = &test.db;
        let (price, note, missing) = (dec!(9.9), Some("first"), None::<String>);
        let found: Vec<i64> =
            sql!("SELECT id FROM items WHERE price = {price} AND note = {note.map(str::to_owned)}").all(db).await?;
        assert_eq!(found, [1]);
        assert_eq!(sql!("UPDATE items SET note = {missing} WHERE id = {1_i64}").execute(db).await?, 1);
        assert_eq!(Item::get(db, 1).await?.note, None, "None is NULL");
        let item = Item { id: 9, name: "nine".into(), note: None, price: dec!(1) };
        let price = item.price;
        let inserted =
            sql!("INSERT INTO items (id, name, note, price) VALUES ({item.id}, {&item.name}, {item.note}, {price})")
                .execute(db)
                .await?;
        assert_eq!((inserted, &*Item::get(db, 9).await?), (1, &item));
        let large = u64::MAX;
        let error = sql!("SELECT id FROM items WHERE id = {large}").all::<i64>(db).await.unwrap_err();
        assert_eq!((error.kind(), error.parameter()), (ErrorKind::Encode, Some(0)));
    }

    async fn braces_are_written_twice(test: &Fixture) {
        let text: String = sql!("SELECT '{{}} {{x}} }}{{'").one(&test.db).await?;
        assert_eq!(text, "{} {x} }{");
        let (a, b) = (2_i64, 3_i64);
        let seven: i64 = match test.backend {
            Backend::Postgres => sql!("SELECT CAST({a} AS bigint) * {b} + 1"),
            _ => sql!("SELECT {a} * {b} + {1_i64}"),
        }
        .one(&test.db)
        .await?;
        assert_eq!(seven, 7);
    }

    async fn execute_says_how_many_rows_were_written(test: &Fixture) {
        items(test).await?;
        let db = &test.db;
        assert_eq!(sql!("UPDATE items SET name = 'x' WHERE id >= 2").execute(db).await?, 2);
        assert_eq!(sql!("UPDATE items SET name = 'x' WHERE id >= 2").execute(db).await?, 2, "found, changed or not");
        assert_eq!(sql!("DELETE FROM items WHERE id = 1").execute(db).await?, 1);
        assert_eq!(sql!("DELETE FROM items WHERE id = 1").execute(db).await?, 0);
        assert_eq!(sql!("INSERT INTO items (id, name, price) VALUES (7, 'a', 1), (8, 'b', 1)").execute(db).await?, 2);
    }

    async fn transaction_control_is_refused(test: &Fixture) {
        items(test).await?;
        let words = [
            "BEGIN",
            "begin transaction",
            " COMMIT",
            "ROLLBACK",
            "\n START TRANSACTION",
            "SAVEPOINT a",
            "RELEASE a",
            "END",
            "ABORT",
            "rollback to a",
            "PREPARE TRANSACTION 'x'; DELETE FROM items",
            "prepare /* a */ transaction 'x'",
        ];
        for word in words {
            let error = Sql::unchecked(UncheckedSql::vouch_for(word)).execute(&test.db).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misuse, "{word:?}");
        }
        for hidden in [
            "/* a */ BEGIN",
            "-- a\nCOMMIT",
            "/* /* */ ROLLBACK",
            ";BEGIN",
            "/**/ -- x\n /* y */ begin",
            "/*!50000 COMMIT */",
            "/* /* a */ b */ COMMIT",
            "/* /* */ COMMIT",
            "# a\nROLLBACK",
        ] {
            let error = Sql::unchecked(UncheckedSql::vouch_for(hidden)).execute(&test.db).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Misuse | ErrorKind::Database), "{hidden:?}: {error:?}");
        }
        let open = test
            .db
            .transaction(async |tx| {
                sql!("UPDATE items SET name = 'tx'").execute(tx).await?;
                let error = sql!("COMMIT").execute(tx).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Misuse);
                let error = sql!("/* now */ COMMIT").execute(tx).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Misuse);
                Err::<(), _>(cormorant::Error::other("take it back"))
            })
            .await;
        open.unwrap_err();
        assert_eq!(Item::filter(|i| i.name().eq("tx")).count(&test.db).await?, 0, "the transaction was its own");
    }

    async fn one_statement_is_one_statement(test: &Fixture) {
        items(test).await?;
        for text in
            ["SELECT 1; DELETE FROM items", "UPDATE items SET name = 'x'; DELETE FROM items", "SELECT 1; COMMIT"]
        {
            let result = Sql::unchecked(UncheckedSql::vouch_for(text)).execute(&test.db).await;
            assert!(result.is_err(), "{text:?} gives {result:?}");
        }
        assert_eq!(Item::filter(|i| i.name().ne("x")).count(&test.db).await?, 3, "none of them ran");
    }

    async fn a_read_may_begin_with_a_comment_a_with_or_a_bracket(test: &Fixture) {
        items(test).await?;
        let n: i64 = sql!("-- how many\nSELECT COUNT(*) FROM items").one(&test.db).await?;
        assert_eq!(n, 3);
        let n: i64 = sql!("WITH few AS (SELECT id FROM items WHERE id < {3_i64}) SELECT COUNT(*) FROM few")
            .one(&test.db)
            .await?;
        assert_eq!(n, 2);
        // SQLite's statements do not begin with brackets.
        if !test.is(Backend::Sqlite) {
            let n: i64 = sql!("(SELECT COUNT(*) FROM items)").one(&test.db).await?;
            assert_eq!(n, 3);
        }
    }

    async fn a_row_of_another_shape_is_a_decode_error(test: &Fixture) {
        items(test).await?;
        let db = &test.db;
        let error = sql!("SELECT name FROM items").all::<i64>(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
        let error = sql!("SELECT id FROM items").all::<(i64, String)>(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "too few columns: {error:?}");
        let error = sql!("SELECT note FROM items").all::<String>(db).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("NULL"), "{error:?}");
        let error = sql!("SELECT nowhere FROM items").all::<i64>(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{error:?}");
        let error = sql!("SELEC 1").all::<i64>(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database, "{error:?}");
    }

    async fn errors_of_writing_are_classified(test: &Fixture) {
        items(test).await?;
        let error =
            sql!("INSERT INTO items (id, name, price) VALUES ({1_i64}, 'x', 1)").execute(&test.db).await.unwrap_err();
        assert!(error.is_unique(), "{error:?}");
        let error = sql!("INSERT INTO items (id, price) VALUES ({4_i64}, 1)").execute(&test.db).await.unwrap_err();
        assert!(error.is_not_null(), "{error:?}");
    }
}
