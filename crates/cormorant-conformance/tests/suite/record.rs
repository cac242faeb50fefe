//! Records: insert, save, refresh, delete, and the statements they send.

use cormorant::ErrorKind;
use cormorant::prelude::*;
use cormorant_conformance::{Backend, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
struct Item {
    id: i64,
    #[model(max_length = 24)]
    name: String,
    #[model(precision = 5, scale = 2)]
    unit_value: Decimal,
    note: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Ticket {
    id: i64,
    title: String,
    #[model(db_default = "40 + 2")]
    number: i64,
    #[model(max_length = 10, db_default = "'open'")]
    state: Option<String>,
}

fn cup() -> Item {
    Item { id: 0, name: "Cup".into(), unit_value: dec!(9.90), note: None }
}

conformance! {
    async fn a_new_record_is_inserted_with_its_key(test: &Fixture) {
        test.db.create(models![Item]).await?;
        test.statements();
        let mut item = Record::new(cup());
        assert!(!item.is_saved());
        item.save(&test.db).await?;
        assert_eq!(test.statements().len(), 1);
        assert!(item.is_saved() && item.id > 0);
        assert_eq!(Item::get(&test.db, item.id).await?, item);
    }

    async fn saving_sends_only_what_changed(test: &Fixture) {
        test.db.create(models![Item]).await?;
        let mut item = Record::insert(cup(), &test.db).await?;
        test.statements();
        item.save(&test.db).await?;
        assert_eq!(test.statements(), Vec::<String>::new(), "nothing changed");
        item.name = "Cup".into();
        item.save(&test.db).await?;
        assert_eq!(test.statements(), Vec::<String>::new(), "set to what it was");
        item.name = "Mug".into();
        item.save(&test.db).await?;
        let [update] = &test.statements()[..] else { panic!("one statement") };
        assert!(update.contains("SET") && update.contains("name") && !update.contains("unit_value"), "{update}");
        assert_eq!(Item::get(&test.db, item.id).await?.name, "Mug");
    }

    async fn another_ones_change_of_another_column_is_kept(test: &Fixture) {
        test.db.create(models![Item]).await?;
        let mut mine = Record::insert(cup(), &test.db).await?;
        let mut theirs = Item::get(&test.db, mine.id).await?;
        theirs.unit_value = dec!(1.00);
        theirs.save(&test.db).await?;
        mine.name = "Mug".into();
        mine.save(&test.db).await?;
        let now = Item::get(&test.db, mine.id).await?;
        assert_eq!((now.name.as_str(), now.unit_value), ("Mug", dec!(1.00)));
    }

    async fn a_row_deleted_meanwhile_is_stale(test: &Fixture) {
        test.db.create(models![Item]).await?;
        let mut item = Record::insert(cup(), &test.db).await?;
        let mut other = Item::get(&test.db, item.id).await?;
        other.delete(&test.db).await?;
        item.name = "Mug".into();
        let error = item.save(&test.db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::Stale, Some("Item")));
        assert_eq!(item.refresh(&test.db).await.unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(item.delete(&test.db).await.unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(other.save(&test.db).await.unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(test.rows_in("items").await?, 0, "no row came back");
    }

    async fn refresh_takes_what_the_database_holds(test: &Fixture) {
        test.db.create(models![Item]).await?;
        let mut item = Record::insert(cup(), &test.db).await?;
        Item::query().update(&test.db, |i| (i.name().set("Mug"), i.note().set("new"))).await?;
        item.name = "lost".into();
        item.refresh(&test.db).await?;
        assert_eq!((item.name.as_str(), item.note.as_deref()), ("Mug", Some("new")));
        assert!(!item.is_changed());
    }

    async fn an_explicit_key_is_kept_and_the_next_one_is_generated(test: &Fixture) {
        test.db.create(models![Item]).await?;
        let item = Record::insert(Item { id: 77, ..cup() }, &test.db).await?;
        assert_eq!(item.id, 77);
        assert_eq!(Item::get(&test.db, 77).await?.name, "Cup");
    }

    async fn many_are_inserted_in_few_statements_with_their_keys(test: &Fixture) {
        test.db.create(models![Item]).await?;
        test.statements();
        let items = (0..2_500).map(|n| Item::builder().name(format!("item {n}")).unit_value(dec!(1)));
        let records = Item::insert_many(&test.db, items).await?;
        // Pages of 1,000; PostgreSQL takes each column's values as one list.
        assert_eq!(test.statements().len(), if test.is(Backend::Postgres) { 1 } else { 3 });
        assert_eq!(test.rows_in("items").await?, 2_500);
        for n in [0, 1, 999, 1_000, 2_499] {
            let found = Item::get(&test.db, records[n].id).await?;
            assert_eq!(found.name, format!("item {n}"), "keys belong to their rows");
        }
        assert_eq!(Item::insert_many(&test.db, Vec::<Item>::new()).await?.len(), 0);
    }

    async fn one_invalid_of_many_sends_nothing(test: &Fixture) {
        test.db.create(models![Item]).await?;
        test.statements();
        let items = (0..1_500).map(|n| Item { name: if n == 1_400 { "x".repeat(25) } else { "ok".into() }, ..cup() });
        let error = Item::insert_many(&test.db, items).await.unwrap_err();
        assert!(error.is_validation());
        assert!(test.statements().is_empty());
        let twice = (0..1_500).map(|n| Item { id: if n == 1_400 { 1 } else { n + 1 }, ..cup() });
        let error = Item::insert_many(&test.db, twice).await.unwrap_err();
        assert!(error.is_unique(), "{error}");
        assert_eq!(test.rows_in("items").await?, 0, "all or none");
    }

    async fn what_is_left_to_the_database_is_read_back(test: &Fixture) {
        test.db.create(models![Ticket]).await?;
        let ticket = Ticket::builder().title("a").insert(&test.db).await?;
        assert_eq!((ticket.number, ticket.state.as_deref()), (42, Some("open")));
        assert_eq!(Ticket::get(&test.db, ticket.id).await?, ticket);
        let given = Ticket::builder().title("b").number(7).state(None::<String>).insert(&test.db).await?;
        assert_eq!((given.number, given.state.clone()), (7, None), "a value that is given is written, NULL as well");
        assert_eq!(Ticket::get(&test.db, given.id).await?, given);
        let many = (0..3).map(|n| Ticket::builder().title(format!("{n}")));
        let many = Ticket::insert_many(&test.db, many).await?;
        assert_eq!(many.iter().map(|ticket| ticket.number).collect::<Vec<_>>(), [42; 3]);
        for ticket in &many {
            assert_eq!(Ticket::get(&test.db, ticket.id).await?, *ticket);
        }
        let plain = Ticket { id: 0, title: "c".into(), number: 0, state: None };
        assert_eq!(Record::insert(plain, &test.db).await?.number, 0, "a plain value says everything");
    }
}
