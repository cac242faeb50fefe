//! `upsert_many`: many rows, each inserted or written into the one that is there.

use cormorant::ErrorKind;
use cormorant::prelude::*;
use cormorant_conformance::{boxed, conformance, join};

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
