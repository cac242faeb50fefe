//! `upsert_many`: many rows, each inserted or written into the one that is there.

use cormorant::ErrorKind;
use cormorant::prelude::*;
use cormorant_conformance::{Backend, boxed, conformance, join};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "um_items")]
struct Item {
    id: i64,
    #[model(unique, max_length = 20)]
    code: String,
    #[model(unique, max_length = 20)]
    nick: Option<String>,
    #[model(max_length = 10)]
    name: String,
    #[model(default = 1)]
    stock: i64,
    #[model(db_default = "40 + 2")]
    number: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "um_prices", unique(shop, code))]
struct Price {
    #[model(key)]
    id: Uuid,
    shop: i64,
    #[model(max_length = 8)]
    code: Option<String>,
    #[model(precision = 7, scale = 2)]
    amount: Decimal,
    #[model(version)]
    version: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "um_tags")]
struct Tag {
    id: i64,
    #[model(unique, max_length = 20)]
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "um_cards")]
struct Card {
    id: i64,
    #[model(unique, max_length = 20)]
    name: String,
    uses: Option<i64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "um_tides")]
struct Tide {
    id: i64,
    #[model(unique)]
    at: Timestamp,
    height: i64,
}

fn item(code: impl Into<String>, name: &str) -> Item {
    Item { id: 0, code: code.into(), nick: None, name: name.into(), stock: 5, number: 7 }
}

fn codes(items: &[Record<Item>]) -> Vec<&str> {
    items.iter().map(|item| &*item.code).collect()
}

/// The statements sent, but for BEGIN and COMMIT.
macro_rules! assert_sent {
    ($test:expr, $count:expr) => {{
        let statements = $test.statements();
        assert_eq!(statements.len(), $count, "{}", statements.join("\n"));
    }};
}

conformance! {
    // S91
    async fn those_that_are_there_are_written_over_and_the_others_inserted(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        let old = Item::insert_many(db, ["b", "d"].map(|code| item(code, "Old"))).await?;
        test.statements();
        let new = ["d", "c", "b", "a"].map(|code| Item { nick: Some(code.into()), stock: 6, ..item(code, "New") });
        let items = Item::upsert_many(db, new.clone(), |i| i.code()).await?;
        assert_sent!(test, 1);
        assert_eq!(codes(&items), ["d", "c", "b", "a"], "in the order given");
        assert_eq!((items[0].id, items[2].id), (old[1].id, old[0].id), "keys stay");
        for (item, mut new) in items.iter().zip(new) {
            new.id = item.id;
            assert_eq!((&**item, item.is_saved(), item.is_changed()), (&new, true, false));
            assert_eq!(Item::get(db, item.id).await?, *item);
        }
        assert_eq!(test.rows_in("um_items").await?, 4);
    }

    async fn of_builders_what_was_given_is_written_and_nothing_else(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        Item::insert_many(db, [item("a", "Old"), item("b", "Old")]).await?;
        test.statements();
        let given = ["a", "c"].map(|code| Item::builder().code(code).name("New"));
        let items = Item::upsert_many(db, given, |i| i.code()).await?;
        assert_sent!(test, 1);
        let shown = |item: &Record<Item>| (item.name.clone(), item.stock, item.number);
        assert_eq!(shown(&items[0]), ("New".into(), 5, 7), "defaults stay where a row is there");
        assert_eq!(shown(&items[1]), ("New".into(), 1, 42));
        let given = [Item::builder().code("b").name("B").stock(9), Item::builder().code("a").name("A").stock(8)];
        let mut items = Item::upsert_many(db, given, |i| i.code()).await?;
        assert_eq!((shown(&items[0]), shown(&items[1])), (("B".into(), 9, 7), ("A".into(), 8, 7)));
        items[0].stock = 10;
        items[0].save(db).await?;
        assert_eq!(Item::get(db, items[0].id).await?.stock, 10);
        assert_eq!(test.rows_in("um_items").await?, 3);
    }

    async fn different_columns_are_written_by_different_statements_and_all_or_none(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        Item::insert_many(db, [item("a", "Old"), item("b", "Old")]).await?;
        test.statements();
        let one = |code: &str| Item::builder().code(code).name("New");
        let mixed = || [
            cormorant::IntoModel::into_unsaved(one("a")),
            cormorant::IntoModel::into_unsaved(one("c").number(3)),
        ];
        let items = Item::upsert_many(db, mixed(), |i| i.code()).await?;
        assert_sent!(test, 2);
        assert_eq!((items[0].number, items[1].number), (7, 3));
        // The second fails.
        let taken = [item("d", "D"), Item { nick: Some("n".into()), ..item("e", "E") }];
        Item::insert_many(db, [Item { nick: Some("n".into()), ..item("f", "F") }]).await?;
        let error = Item::upsert_many(db, taken, |i| i.code()).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Unique, Some("Item"), Some("nick")), "{error}");
        assert_eq!(Item::filter(|i| i.code().is_in(["d", "e"])).count(db).await?, 0);
    }

    async fn several_columns_are_one_constraint(test: &Fixture) {
        let db = &test.db;
        db.create(models![Price]).await?;
        let price = |shop: i64, code: &str| Price {
            id: Uuid::nil(), shop, code: Some(code.into()), amount: dec!(1.50), version: 1,
        };
        let old = Price::insert_many(db, [price(1, "a"), price(2, "a")]).await?;
        test.statements();
        let new = [Price { amount: dec!(2), version: 9, ..price(2, "a") }, price(2, "b"), price(3, "a")];
        let prices = Price::upsert_many(db, new, |p| (p.shop(), p.code())).await?;
        assert_sent!(test, 1);
        assert_eq!((prices[0].id, prices[0].amount, prices[0].version), (old[1].id, dec!(2.00), 1));
        assert_eq!(test.rows_in("um_prices").await?, 4);
        assert_eq!(Price::get(db, old[0].id).await?.amount, dec!(1.50));
    }

    async fn nothing_but_the_constraint_given_leaves_rows_as_they_are(test: &Fixture) {
        let db = &test.db;
        db.create(models![Tag]).await?;
        let tags = ["a", "b"].map(|name| Tag { id: 0, name: name.into() });
        let old = Tag::upsert_many(db, tags, |t| t.name()).await?;
        test.statements();
        let tags = Tag::upsert_many(db, ["c", "b", "a"].map(|name| Tag::builder().name(name)), |t| t.name()).await?;
        // Where rows that are left alone do not come back they are read.
        assert!(test.statements().len() <= 2);
        assert_eq!(tags.iter().map(|tag| &*tag.name).collect::<Vec<_>>(), ["c", "b", "a"]);
        assert_eq!((tags[1].id, tags[2].id, test.rows_in("um_tags").await?), (old[1].id, old[0].id, 3));
    }

    async fn null_equals_nothing_and_is_inserted(test: &Fixture) {
        let db = &test.db;
        db.create(models![Price]).await?;
        let price = |code: Option<&str>| Price {
            id: Uuid::nil(), shop: 1, code: code.map(str::to_owned), amount: dec!(1), version: 1,
        };
        for rows in [3, 5] {
            let prices = Price::upsert_many(db, [None, Some("a"), None].map(price), |p| (p.code(), p.shop())).await?;
            assert_eq!(prices.iter().map(|price| price.code.as_deref()).collect::<Vec<_>>(), [None, Some("a"), None]);
            assert_eq!(test.rows_in("um_prices").await?, rows);
        }
    }

    async fn what_names_one_row_twice_is_refused(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        test.statements();
        let error = Item::upsert_many(db, ["a", "b", "a"].map(|code| item(code, "New")), |i| i.code()).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Misuse, Some("Item")));
        assert_eq!(
            error.to_string(),
            "Item: the model at position 2, counted from 0, has the same (code) as the one at position 0: which of them is right?"
        );
        let error = Item::upsert_many(db, [item("a", "New")], |i| i.name()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        assert!(Item::upsert_many(db, Vec::<Item>::new(), |i| i.code()).await?.is_empty());
        assert_sent!(test, 0);
    }

    async fn every_invalid_model_is_told_by_its_place(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        test.statements();
        let items = || [item("b", "New"), item("a", "much too long"), item("c", "and another")];
        let said = "Item is invalid:\n  name: 13 characters, at most 10 are allowed, in the model at position 1\n  \
                    name: 11 characters, at most 10 are allowed, in the model at position 2";
        for error in [
            Item::upsert_many(db, items(), |i| i.code()).await.unwrap_err(),
            Item::insert_many(db, items()).await.unwrap_err(),
            Item::insert_many(db, items().map(|item| Item { id: item.code.len() as i64 - 1, ..item })).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Validation, said));
        }
        // One that is alone is the first.
        let said = "Item is invalid:\n  name: 13 characters, at most 10 are allowed, in the model at position 0";
        for error in [
            Item::upsert_many(db, [item("a", "much too long")], |i| i.code()).await.unwrap_err(),
            Item::insert_many(db, [item("a", "much too long")]).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Validation, said));
        }
        assert_sent!(test, 0);
    }

    async fn a_key_is_a_constraint_too(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        let old = Item::insert_many(db, [item("a", "Old")]).await?;
        let new = [Item { id: old[0].id, ..item("z", "New") }, Item { id: old[0].id + 7, ..item("y", "New") }];
        let items = Item::upsert_many(db, new, |i| i.id()).await?;
        assert_eq!(codes(&items), ["z", "y"]);
        assert_eq!((items[0].id, items[1].id, test.rows_in("um_items").await?), (old[0].id, old[0].id + 7, 2));
    }

    async fn thousands_take_few_statements(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        let all = |name: &'static str, from: i64| (from..2_500).map(move |n| item(format!("c{n:04}"), name));
        Item::upsert_many(db, all("Old", 1_000), |i| i.code()).await?;
        test.statements();
        let items = Item::upsert_many(db, all("New", 0).collect::<Vec<_>>().into_iter().rev(), |i| i.code()).await?;
        let sent = test.statements().len();
        assert!(sent <= 3, "{sent} statements");
        assert!(items.iter().zip((0..2_500).rev()).all(|(item, n)| item.code == format!("c{n:04}") && item.name == "New"));
        assert_eq!((test.rows_in("um_items").await?, Item::filter(|i| i.name().eq("New")).count(db).await?), (2_500, 2_500));
    }

    async fn many_at_once_meet_in_order(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        for round in 0..10 {
            let upserts = (0..4).map(|n| boxed(async move {
                let mut items: Vec<Item> = (0..30).map(|code| item(format!("c{code}"), &format!("{round}/{n}"))).collect();
                items.rotate_left(7 * n);
                if n % 2 == 1 {
                    items.reverse();
                }
                Item::upsert_many(db, items, |i| i.code()).await
            }));
            for items in join(upserts.collect()).await {
                assert_eq!(items?.len(), 30);
            }
        }
        assert_eq!(test.rows_in("um_items").await?, 30);
    }

    async fn two_that_are_one_row_to_the_database_alone_are_refused(test: &Fixture) {
        let db = &test.db;
        // Somebody else's table.
        let column = match test.backend {
            Backend::Sqlite => "id INTEGER PRIMARY KEY, name VARCHAR(20) COLLATE NOCASE",
            Backend::Postgres => {
                test.execute(
                    "CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
                ).await?;
                "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name VARCHAR(20) COLLATE no_case"
            }
            Backend::MariaDb => "id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_general_ci",
        };
        test.execute(&format!("CREATE TABLE um_cards ({column} NOT NULL UNIQUE, uses BIGINT)")).await?;
        let card = |name: &str, uses| Card { id: 0, name: name.into(), uses: Some(uses) };
        let old = Card::insert_many(db, [card("a", 1), card("b", 1)]).await?;
        let cards = Card::upsert_many(db, [card("C", 2), card("B", 2), card("a", 2)], |c| c.name()).await?;
        assert_eq!((&*cards[0].name, cards[1].id, cards[2].id), ("C", old[1].id, old[0].id));
        assert!(cards.iter().all(|card| card.uses == Some(2)), "{cards:?}");
        let alone = |name: &str| Card::builder().name(name);
        let again = Card::upsert_many(db, ["c", "A", "B"].map(alone), |c| c.name()).await?;
        assert_eq!([&again[0], &again[1], &again[2]], [&cards[0], &cards[2], &cards[1]]);
        let unsaved = |name: &str| cormorant::IntoModel::into_unsaved(alone(name));
        for error in [
            Card::upsert_many(db, [card("x", 3), card("X", 4)], |c| c.name()).await.unwrap_err(),
            Card::upsert_many(db, ["x", "X"].map(alone), |c| c.name()).await.unwrap_err(),
            Card::upsert_many(db, [unsaved("x"), card("X", 4).into()], |c| c.name()).await.unwrap_err(),
            db.transaction(async |tx| Card::upsert_many(tx, [card("x", 3), card("X", 4)], |c| c.name()).await).await.unwrap_err(),
            Card::upsert_many(db, [card("a", 3), card("A", 4), card("x", 5)], |c| c.name()).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.model()), (ErrorKind::Misuse, Some("Card")), "{error}");
            assert!(error.to_string().contains("for the database takes their (name) as equal"), "{error}");
        }
        let all = Card::query().order_by(|c| c.id().asc()).select(|c| (c.name(), c.uses())).all(db).await?;
        assert_eq!(all, ["a", "b", "C"].map(|name| (name.to_owned(), Some(2))), "all or none");
    }

    async fn what_is_left_to_the_database_names_no_row(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        test.statements();
        let items = [Item { id: 7, ..item("a", "New") }, item("b", "New")];
        let error = Item::upsert_many(db, items, |i| i.id()).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Misuse, Some("Item")));
        assert_eq!(
            error.to_string(),
            "Item: the model at position 1, counted from 0, leaves (id) to the database, so no row can be found by it: \
             give it a value"
        );
        assert_sent!(test, 0);
    }

    async fn moments_are_written_in_order_too(test: &Fixture) {
        let four = test.with_connections(4).await?;
        let db = &four.db;
        db.create(models![Tide]).await?;
        let tides = |height| (0..300).map(move |n| Tide { id: 0, at: Timestamp::from_second(n * 3_600).unwrap_or_default(), height });
        for round in 0..10 {
            let upserts = (0..4).map(|n| boxed(async move {
                match n % 2 {
                    0 => Tide::upsert_many(db, tides(round), |t| t.at()).await,
                    _ => Tide::upsert_many(db, tides(round).rev(), |t| t.at()).await,
                }
            }));
            for tides in join(upserts.collect()).await {
                assert_eq!(tides?.len(), 300);
            }
        }
        assert_eq!(four.rows_in("um_tides").await?, 300);
    }

    async fn rows_that_others_delete_meanwhile_are_written_again(test: &Fixture) {
        let four = test.with_connections(4).await?;
        let db = &four.db;
        db.create(models![Card]).await?;
        for _ in 0..5 {
            let tasks = (0..4).map(|n| boxed(async move {
                for _ in 0..5 {
                    let given = (0..40).map(|n| Card::builder().name(format!("c{n:02}")));
                    match n {
                        0 => drop(Card::query().delete(db).await?),
                        1 => drop(Card::upsert_many(db, given.map(|card| card.uses(1)), |c| c.name()).await?),
                        _ => assert_eq!(Card::upsert_many(db, given, |c| c.name()).await?.len(), 40),
                    }
                }
                cormorant::Result::Ok(())
            }));
            // Who deletes takes the rows in an order of their own.
            for result in join(tasks.collect()).await {
                assert!(result.as_ref().err().is_none_or(cormorant::Error::is_retryable), "{result:?}");
            }
        }
    }

    async fn a_transaction_goes_on_after_it(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        db.transaction(async |tx| {
            Item::upsert_many(tx, [item("a", "A"), item("b", "B")], |i| i.code()).await?;
            Item::upsert_many(tx, [item("a", "AA"), item("c", "C")], |i| i.code()).await?;
            assert_eq!(Item::query().count(tx).await?, 3);
            Ok(())
        }).await?;
        assert_eq!(Item::filter(|i| i.code().eq("a")).one(db).await?.name, "AA");
    }
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum Kind {
    Cup,
    Mug,
    Jug,
    Pot,
}

type Bytes = Vec<u8>;

macro_rules! constraints_of {
    ($($name:ident $ty:ty [$($attribute:tt)*] = $values:expr;)*) => {$(
        mod $name {
            use super::*;

            #[derive(Model, Clone, Debug, PartialEq)]
            #[model(table = "um_typed")]
            struct Typed {
                id: i64,
                #[model(unique $($attribute)*)]
                code: $ty,
                number: Option<i64>,
            }

            conformance! {
                async fn rows_are_told_apart(test: &Fixture) {
                    let db = &test.db;
                    match stringify!($ty) {
                        // Of any length, which no index of MariaDB takes.
                        "Bytes" if test.is(Backend::MariaDb) => {
                            test.execute(
                                "CREATE TABLE um_typed (id BIGINT AUTO_INCREMENT PRIMARY KEY, \
                                 code VARBINARY(20) NOT NULL UNIQUE, number BIGINT)",
                            ).await?;
                        }
                        _ => db.create(models![Typed]).await?,
                    }
                    let values: [$ty; 4] = $values;
                    let of = |n: usize, number| Typed { id: 0, code: values[n].clone(), number: Some(number) };
                    let old = Typed::insert_many(db, [of(0, 0), of(1, 1)]).await?;
                    test.statements();
                    let typed = Typed::upsert_many(db, [3, 2, 1, 0].map(|n| of(n, 10)), |t| t.code()).await?;
                    assert_sent!(test, 1);
                    assert_eq!((typed[3].id, typed[2].id, test.rows_in("um_typed").await?), (old[0].id, old[1].id, 4));
                    for (typed, n) in typed.iter().zip([3, 2, 1, 0]) {
                        assert_eq!(*typed, Typed::get(db, typed.id).await?);
                        assert_eq!(typed.number, Some(10), "{n}");
                    }
                    test.statements();
                    Typed::filter(|t| t.id().eq(typed[2].id)).delete(db).await?;
                    let alone = |n: usize| Typed::builder().code(values[n].clone());
                    let found = Typed::upsert_many(db, [1, 3, 0, 2].map(alone), |t| t.code()).await?;
                    let sent = test.statements();
                    assert!(sent.len() <= 3, "{}", sent.join("\n"));
                    assert_eq!(found.iter().map(|f| f.number).collect::<Vec<_>>(), [None, Some(10), Some(10), Some(10)]);
                    assert_eq!((&found[1], &found[2], &found[3]), (&typed[0], &typed[3], &typed[1]));
                    let twice = Typed::upsert_many(db, [of(1, 1), of(0, 0), of(1, 2)], |t| t.code()).await.unwrap_err();
                    assert_eq!(twice.kind(), ErrorKind::Misuse);
                }
            }
        }
    )*};
}

constraints_of! {
    by_i16 i16 [] = [3, -1, i16::MIN, i16::MAX];
    by_i32 i32 [] = [3, -1, i32::MIN, i32::MAX];
    by_f64 f64 [] = [0.1, -0.0, 1e300, 1.0 / 3.0];
    by_f32 f32 [] = [0.1, -0.0, 1e30, 1.0 / 3.0];
    by_text String [, max_length = 20] = ["a", "a ", "A", "é"].map(str::to_owned);
    by_normal_forms String [, max_length = 20] = ["\u{e9}", "e\u{301}", " \u{e9}", "\u{e9}\t"].map(str::to_owned);
    by_bytes Bytes [] = [&b""[..], b"\0", b"\0\0", b"\xff"].map(Vec::from);
    by_decimal Decimal [, precision = 9, scale = 4] = [dec!(1.5), dec!(1.5000).normalize() + dec!(1), dec!(0.00), dec!(-2.1000)];
    by_date Date [] = ["2024-02-29", "1999-12-31", "0001-01-01", "9999-12-31"].map(|d| d.parse().unwrap());
    by_time Time [] = ["00:00:00", "23:59:59.999999999", "12:00:00.1234567", "12:00:00.123457"].map(|d| d.parse().unwrap());
    by_local DateTime [] = ["2024-02-29T00:00:00", "1999-12-31T23:59:59.123456789", "1999-12-31T23:59:59.1", "1999-12-31T23:59:59"].map(|d| d.parse().unwrap());
    by_timestamp Timestamp [] = ["2024-02-29T00:00:00Z", "1999-12-31T23:59:59.123456789Z", "1999-12-31T23:59:59.1Z", "1999-12-31T23:59:59Z"].map(|d| d.parse().unwrap());
    by_uuid Uuid [] = [4, 1, 3, 2].map(Uuid::from_u128);
    by_enum Kind [] = [Kind::Pot, Kind::Cup, Kind::Jug, Kind::Mug];
}
