//! Many rows at once: each record gets the key of its own row, whatever the table has seen before.

use cormorant::prelude::*;
use cormorant::{Begin, ErrorKind, IntoModel, Sql, UncheckedSql};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "bulk_marks")]
struct Mark {
    id: i64,
    name: String,
    note: Option<String>,
    #[model(precision = 6, scale = 2)]
    price: Decimal,
    at: Option<Timestamp>,
    data: Option<Vec<u8>>,
    small: i16,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "bulk_counted", autoincrement)]
struct Counted {
    id: i64,
    name: String,
}

/// What is left to the database is more than its key, which does not come first.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "bulk_orders")]
struct Order {
    #[model(max_length = 10, db_default = "'open'")]
    state: String,
    note: String,
    #[model(key)]
    id: i64,
    #[model(db_default = "40 + 2")]
    number: i64,
}

/// Its key is the program's.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "bulk_tickets")]
struct Ticket {
    id: Uuid,
    note: String,
    #[model(db_default = "40 + 2")]
    number: i64,
}

/// So are both parts of this one.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "bulk_seats")]
struct Seat {
    #[model(db_default = "'free'", max_length = 10)]
    state: String,
    #[model(key, max_length = 10)]
    row: String,
    #[model(key)]
    place: i32,
}

fn mark(n: i64) -> Mark {
    Mark {
        id: 0,
        name: format!("mark {n}"),
        note: (n % 3 == 0).then(|| format!("note {n}")),
        price: Decimal::new(n, 2),
        at: (n % 2 == 0).then(|| "2024-02-29T12:00:00.5Z".parse().unwrap()),
        data: (n % 5 == 0).then(|| vec![0, n as u8]),
        small: (n % 100) as i16,
    }
}

/// Inserts marks and looks at each row by the key that its record was given.
async fn each_has_its_own_key(test: &Fixture, range: std::ops::Range<i64>) -> cormorant::Result<()> {
    let marks = Mark::insert_many(&test.db, range.clone().map(mark)).await?;
    assert_eq!(marks.len() as i64, range.end - range.start);
    let found = Mark::get_many(&test.db, marks.iter().map(|mark| mark.id)).await?;
    assert_eq!(found, marks, "in the order of the keys, which is the order they were given in");
    assert!(marks.iter().zip(range).all(|(found, n)| **found == Mark { id: found.id, ..mark(n) }));
    Ok(())
}

async fn rows(test: &Fixture) -> cormorant::Result<i64> {
    test.rows_in("bulk_marks").await
}

fn unchecked(sql: &str) -> Sql {
    Sql::unchecked(UncheckedSql::vouch_for(sql))
}

conformance! {
    async fn every_row_has_its_own_key(test: &Fixture) {
        test.db.create(models![Mark]).await?;
        for range in [0..2, 0..2500, 0..1, 0..17] {
            each_has_its_own_key(test, range).await?;
        }
        // With holes in the keys, and an end of the table that was taken away.
        Mark::filter(|m| m.id().gt(2000)).delete(&test.db).await?;
        Mark::filter(|m| (m.id() % 7).eq(0)).delete(&test.db).await?;
        each_has_its_own_key(test, 0..40).await?;
        // In a transaction, and a scope inside it.
        test.db.transaction(async |tx| {
            let first = Mark::insert_many(tx, (0..3).map(mark)).await?;
            let second = tx.transaction(async |inner| Mark::insert_many(inner, (3..6).map(mark)).await).await?;
            for mark in first.iter().chain(&second) {
                assert_eq!(Mark::get(tx, mark.id).await?, *mark);
            }
            Ok(())
        }).await?;
    }

    async fn few_statements_carry_many_rows(test: &Fixture) {
        test.db.create(models![Mark]).await?;
        test.statements();
        Mark::insert_many(&test.db, (0..5000).map(mark)).await?;
        let sent = test.statements().len();
        assert!(sent <= 5, "{sent} statements");
        Mark::insert_many(&test.db, (0..3).map(mark)).await?;
        assert_eq!(test.statements().len(), 1);
    }

    async fn what_the_database_fills_in_is_read_back_row_by_row_of_one_statement(test: &Fixture) {
        let db = &test.db;
        db.create(models![Order, Ticket, Seat]).await?;
        test.statements();
        let notes = || (0..40).map(|n| format!("note {n}"));
        let orders = Order::insert_many(db, notes().map(|note| Order::builder().note(note))).await?;
        let mut sent = test.statements().len();
        assert_eq!(orders, Order::get_many(db, orders.iter().map(|order| order.id)).await?);
        assert!(orders.iter().zip(notes()).all(|(order, note)| order.note == note && order.number == 42));
        assert!(orders.iter().all(|order| !order.is_changed() && order.state == "open"));
        // A column that some rows give: neighbours that give the same go together.
        test.statements();
        let given = |n: i64| match n {
            ..3 => Order::builder().note("x").number(n).into_unsaved(),
            n => Order { id: 0, state: "paid".into(), note: "y".into(), number: n }.into_unsaved(),
        };
        let mixed = Order::insert_many(db, (0..6).map(given)).await?;
        sent += test.statements().len();
        assert!(mixed.iter().zip(0..).all(|(order, n)| order.number == n));
        assert_eq!(mixed, Order::get_many(db, mixed.iter().map(|order| order.id)).await?);
        // Keys of the program's own.
        test.statements();
        let tickets = Ticket::insert_many(db, notes().map(|note| Ticket::builder().note(note))).await?;
        let seats = Seat::insert_many(db, (0..40).map(|n| Seat::builder().row(format!("{}", n % 3)).place(n))).await?;
        sent += test.statements().len();
        for ticket in &tickets {
            assert_eq!((ticket.number, &Ticket::get(db, ticket.id).await?), (42, ticket));
        }
        for (seat, n) in seats.iter().zip(0..) {
            assert_eq!((seat.state.as_str(), seat.place), ("free", n));
        }
        assert_eq!(sent, 5, "one for each, and one more for those that leave something else to the database");
    }

    async fn what_comes_back_in_another_order_is_read_again(test: &Fixture) {
        if !test.is(Backend::Postgres) {
            return Ok(());
        }
        test.db.create(models![Order]).await?;
        test.execute(
            "CREATE FUNCTION down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.id = 1000 - new.id; \
             new.number = new.id * 2; RETURN new; END $$",
        )
        .await?;
        test.execute("CREATE TRIGGER t BEFORE INSERT ON bulk_orders FOR EACH ROW EXECUTE FUNCTION down()").await?;
        test.statements();
        let orders = Order::insert_many(&test.db, (0..5).map(|_| Order::builder().note("x"))).await?;
        assert_eq!(test.statements().len(), 2);
        assert!(orders.iter().all(|order| order.number == order.id * 2), "{orders:?}");
        assert_eq!(orders, Order::get_many(&test.db, orders.iter().map(|order| order.id)).await?);
    }

    async fn keys_that_were_given_and_those_that_were_not_may_be_mixed(test: &Fixture) {
        test.db.create(models![Mark]).await?;
        let given = |id| Mark { id, ..mark(id) };
        let marks = Mark::insert_many(&test.db, [given(1000), given(1001), mark(1), mark(2), given(5000)]).await?;
        for mark in &marks {
            assert_eq!(Mark::get(&test.db, mark.id).await?, *mark);
        }
        assert_eq!(rows(test).await?, 5);
    }

    async fn a_transaction_that_only_read_leaves_nothing_in_the_way(test: &Fixture) {
        test.db.create(models![Mark]).await?;
        let tx = test.db.begin_with(Begin { read_only: true, ..Begin::default() }).await?;
        assert_eq!(Mark::query().count(&tx).await?, 0);
        tx.commit().await?;
        each_has_its_own_key(test, 0..3).await?;
    }

    async fn many_at_once_do_not_mix_their_keys(test: &Fixture) {
        let test = test.with_connections(4).await?;
        test.db.create(models![Mark]).await?;
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let db = test.db.clone();
                tokio::spawn(async move { Mark::insert_many(&db, (n * 1000..n * 1000 + 50).map(mark)).await })
            })
            .collect();
        for task in tasks {
            for mark in task.await.unwrap()? {
                assert_eq!(Mark::get(&test.db, mark.id).await?, mark);
            }
        }
    }

    async fn a_row_that_fails_takes_the_others_with_it(test: &Fixture) {
        test.db.create(models![Mark]).await?;
        let twice = [1, 2, 1].map(|id| Mark { id, ..mark(id) });
        let error = Mark::insert_many(&test.db, twice).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Unique, Some("id")));
        let too_large = Mark { price: Decimal::new(1_000_000, 2), ..mark(7) };
        let error = Mark::insert_many(&test.db, [mark(1), too_large]).await.unwrap_err();
        assert!(error.is_validation(), "{error:?}");
        assert_eq!(rows(test).await?, 0);
    }

    async fn keys_go_on_below_zero_and_where_autoincrement_left_off(test: &Fixture) {
        test.db.create(models![Mark, Counted]).await?;
        if test.is(Backend::Sqlite) {
            Record::insert(Mark { id: -5, ..mark(1) }, &test.db).await?;
            each_has_its_own_key(test, 0..9).await?;
        }
        let counted = |n: i64| Counted { id: 0, name: format!("{n}") };
        let first = Counted::insert_many(&test.db, (0..5).map(counted)).await?;
        Counted::query().delete(&test.db).await?;
        let second = Counted::insert_many(&test.db, (5..9).map(counted)).await?;
        assert!(second.iter().all(|record| record.id > first[4].id), "no key comes again");
        for (record, n) in second.iter().zip(5..) {
            assert_eq!(Counted::get(&test.db, record.id).await?.name, format!("{n}"));
        }
    }

    async fn an_existing_table_may_count_its_keys_its_own_way(test: &Fixture) {
        if !test.is(Backend::Sqlite) {
            return Ok(());
        }
        // As other tools make it; the model does not know.
        unchecked("CREATE TABLE bulk_counted (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL)")
            .execute(&test.db)
            .await?;
        unchecked("CREATE TABLE log (what text)").execute(&test.db).await?;
        let counted = |n: i64| Counted { id: 0, name: format!("{n}") };
        for round in 0..2 {
            let records = Counted::insert_many(&test.db, (0..5).map(counted)).await?;
            for (record, n) in records.iter().zip(0..) {
                assert_eq!(Counted::get(&test.db, record.id).await?.name, format!("{n}"), "round {round}");
            }
            Counted::query().delete(&test.db).await?;
            // The second time a trigger hides whether its rows came between.
            let trigger = "CREATE TRIGGER t AFTER INSERT ON bulk_counted BEGIN INSERT INTO log VALUES (new.name); END";
            if round == 0 {
                unchecked(trigger).execute(&test.db).await?;
            }
        }
        assert_eq!(test.rows_in("log").await?, 5, "what was undone was not logged twice");
    }

    async fn rows_of_a_trigger_between_those_inserted_take_none_of_their_keys(test: &Fixture) {
        if !test.is(Backend::Sqlite) {
            return Ok(());
        }
        test.db.create(models![Mark]).await?;
        unchecked(
            "CREATE TRIGGER twin AFTER INSERT ON bulk_marks WHEN new.small < 90 BEGIN \
             INSERT INTO bulk_marks (name, price, small) VALUES ('twin', 1, 99); END",
        )
        .execute(&test.db)
        .await?;
        each_has_its_own_key(test, 0..7).await?;
        assert_eq!(rows(test).await?, 14);
        test.db.transaction(async |tx| {
            let marks = Mark::insert_many(tx, (88..93).map(mark)).await?;
            for (found, n) in marks.iter().zip(88..) {
                assert_eq!(Mark::get(tx, found.id).await?.name, format!("mark {n}"));
            }
            Ok(())
        }).await?;
        assert_eq!(rows(test).await?, 21);
    }

    async fn keys_are_told_by_the_first_only_where_they_are_certain_to_follow_it(test: &Fixture) {
        if !test.is(Backend::MariaDb) {
            return Ok(());
        }
        test.db.create(models![Mark, Counted]).await?;
        let given_back = async || {
            each_has_its_own_key(test, 0..3).await?;
            test.statements();
            each_has_its_own_key(test, 3..9).await?;
            let sent: Vec<_> = test.statements().into_iter().filter(|sql| sql.starts_with("INSERT")).collect();
            assert_eq!(sent.len(), 1, "{sent:?}");
            Ok::<bool, cormorant::Error>(sent.iter().any(|sql| sql.contains("RETURNING")))
        };
        assert!(!given_back().await?);
        // A trigger that writes elsewhere has keys of its own, and one that comes later may choose these.
        test.execute(
            "CREATE TRIGGER t AFTER INSERT ON bulk_marks FOR EACH ROW INSERT INTO bulk_counted (name) VALUES (new.name)",
        )
        .await?;
        assert!(given_back().await?);
        test.execute("DROP TRIGGER t").await?;
        assert!(!given_back().await?);
        let chooses = "CREATE TRIGGER t BEFORE INSERT ON bulk_marks FOR EACH ROW \
                       SET new.id = 7 * (SELECT max(id) FROM bulk_counted) + 7 * new.small + 1000";
        test.execute(chooses).await?;
        assert!(given_back().await?);
        test.execute("DROP TRIGGER t").await?;
        // Another engine, or keys that another object counts.
        for alter in [
            "ALTER TABLE bulk_marks ENGINE = MyISAM",
            "ALTER TABLE bulk_marks ENGINE = InnoDB PARTITION BY HASH (id) PARTITIONS 3",
            "ALTER TABLE bulk_marks REMOVE PARTITIONING",
        ] {
            test.execute(alter).await?;
            test.execute("DELETE FROM bulk_marks").await?;
            assert_eq!(given_back().await?, !alter.contains("REMOVE"), "{alter}");
        }
        test.execute("CREATE SEQUENCE s START WITH 5000 INCREMENT BY 3").await?;
        test.execute("ALTER TABLE bulk_marks MODIFY id bigint NOT NULL DEFAULT (NEXT VALUE FOR s)").await?;
        assert!(given_back().await?);
    }

    async fn keys_among_several_masters_are_further_apart(test: &Fixture) {
        if !test.is(Backend::MariaDb) {
            return Ok(());
        }
        test.db.create(models![Mark]).await?;
        each_has_its_own_key(test, 0..3).await?;
        each_has_its_own_key(test, 0..3).await?;
        test.db.transaction(async |tx| {
            unchecked("SET auto_increment_increment = 10, auto_increment_offset = 3").execute(tx).await?;
            for _ in 0..3 {
                let marks = Mark::insert_many(tx, (0..4).map(mark)).await?;
                for (found, n) in marks.iter().zip(0..) {
                    assert_eq!((found.id % 10, &Mark::get(tx, found.id).await?.name), (3, &format!("mark {n}")));
                }
            }
            Ok(())
        }).await?;
    }

    async fn who_may_not_see_triggers_is_given_each_key(test: &Fixture) {
        if !test.is(Backend::MariaDb) {
            return Ok(());
        }
        test.db.create(models![Mark]).await?;
        let database: String = unchecked("SELECT DATABASE()").one(&test.db).await?;
        let user = cormorant_conformance::unique_name("u");
        let (_, place) = test.url.rsplit_once('@').unwrap();
        test.execute(&format!("CREATE USER {user}")).await?;
        for (privileges, given_back) in [("SELECT, INSERT", true), ("TRIGGER", false)] {
            test.execute(&format!("GRANT {privileges} ON {database}.* TO {user}")).await?;
            let other = Fixture::at(test.backend, format!("mysql://{user}@{place}"), |options| options).await?;
            for _ in 0..3 {
                each_has_its_own_key(&other, 0..3).await?;
            }
            let insert = other.statements().into_iter().rfind(|sql| sql.starts_with("INSERT")).unwrap();
            assert_eq!(insert.contains("RETURNING"), given_back, "with {privileges}");
        }
        test.execute(&format!("DROP USER {user}")).await?;
    }

    async fn keys_that_cannot_be_told_are_an_error_and_leave_nothing(test: &Fixture) {
        if !test.is(Backend::Sqlite) {
            // The others give each key back.
            return Ok(());
        }
        test.db.create(models![Mark]).await?;
        // A row with the largest key: SQLite then looks for any key that is free.
        Record::insert(Mark { id: i64::MAX, ..mark(0) }, &test.db).await?;
        let error = Mark::insert_many(&test.db, (0..3).map(mark)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert!(error.to_string().contains("insert row by row"), "{error}");
        assert_eq!(rows(test).await?, 1);
        let single = Record::insert(mark(5), &test.db).await?;
        assert_eq!(Mark::get(&test.db, single.id).await?.name, "mark 5", "one by one each key is told");
    }
}
