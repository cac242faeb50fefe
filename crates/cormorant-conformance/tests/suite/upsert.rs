//! Inserting what may be there already: `get_or_insert` and `upsert`.

use cormorant::prelude::*;
use cormorant::{Begin, Error, ErrorKind, Isolation, Result};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "up_users")]
struct User {
    id: i64,
    #[model(unique, max_length = 40)]
    email: String,
    #[model(unique, max_length = 40)]
    nick: Option<String>,
    #[model(max_length = 10)]
    name: String,
    #[model(default = 1)]
    visits: i64,
    #[model(db_default = "40 + 2", check = "number > 0")]
    number: i64,
}

#[derive(Model, Clone, Debug)]
#[model(table = "up_prices", unique(shop, code))]
struct Price {
    #[model(key)]
    id: Uuid,
    shop: i64,
    #[model(max_length = 8)]
    code: String,
    #[model(precision = 7, scale = 2)]
    amount: Decimal,
}

#[derive(Model, Clone, Debug)]
#[model(table = "up_profiles")]
struct Profile {
    id: i64,
    #[model(unique)]
    user: ForeignKey<User>,
    text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "up_cells")]
struct CellOf {
    #[model(key)]
    x: i64,
    #[model(key)]
    y: i64,
    value: Option<String>,
}

/// How many statements were sent, in words for a failed assertion.
fn sent(test: &Fixture) -> (usize, String) {
    let statements = test.statements();
    (statements.len(), statements.join("\n"))
}

macro_rules! assert_sent {
    ($test:expr, $count:expr) => {{
        let (count, text) = sent($test);
        assert_eq!(count, $count, "{text}");
    }};
}

async fn user(db: &impl Executor, email: &str, nick: Option<&str>) -> Result<Record<User>> {
    User::builder().email(email).nick(nick.map(str::to_owned)).name("Old").visits(5).number(7).insert(db).await
}

conformance! {
    async fn what_is_missing_is_inserted_in_one_statement(test: &Fixture) {
        test.db.create(models![User]).await?;
        test.statements();
        let (user, inserted) =
            User::builder().email("ann@x").name("Ann").get_or_insert(&test.db, |u| u.email()).await?;
        assert_sent!(test, 1);
        assert!(inserted && user.id > 0 && user.is_saved());
        assert_eq!((user.visits, user.number), (1, 42), "what the database fills in is read back");
        assert_eq!(User::get(&test.db, user.id).await?, user);
    }

    async fn what_is_there_is_read_and_left_as_it_is(test: &Fixture) {
        test.db.create(models![User]).await?;
        let old = user(&test.db, "ann@x", Some("a")).await?;
        for nick in [None, Some("a".to_owned()), Some("other".to_owned())] {
            test.statements();
            let builder = User::builder().email("ann@x").nick(nick).name("New").visits(99);
            let (mut found, inserted) = builder.get_or_insert(&test.db, |u| u.email()).await?;
            assert_sent!(test, 2);
            assert!(!inserted);
            assert_eq!(found, old);
            found.save(&test.db).await?;
            assert_sent!(test, 0);
        }
        assert_eq!(test.rows_in("up_users").await?, 1);
    }

    async fn another_constraint_is_still_an_error(test: &Fixture) {
        test.db.create(models![User]).await?;
        user(&test.db, "ann@x", Some("a")).await?;
        let bob = || User::builder().email("bob@x").nick(Some("a".to_owned())).name("Bob");
        for error in [
            bob().get_or_insert(&test.db, |u| u.email()).await.unwrap_err(),
            bob().upsert(&test.db, |u| u.email()).await.unwrap_err(),
            test.db.transaction(async |tx| bob().get_or_insert(tx, |u| u.email()).await).await.unwrap_err(),
            test.db.transaction(async |tx| bob().upsert(tx, |u| u.email()).await).await.unwrap_err(),
            // The row of one constraint, the value of another row's in the other.
            user(&test.db, "cid@x", None).await.map(drop).and(
                User::builder().email("cid@x").nick(Some("a".to_owned())).name("C").upsert(&test.db, |u| u.email()).await
            ).unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Unique, Some("User"), Some("nick")), "{error}");
        }
        let error = bob().nick(None::<String>).number(0).get_or_insert(&test.db, |u| u.email()).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Check, Some("number")), "{error}");
        let error = bob().nick(None::<String>).number(0).upsert(&test.db, |u| u.email()).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Check, Some("number")), "{error}");
        let all = User::query().order_by(|u| u.email().asc()).select(|u| (u.email(), u.name())).all(&test.db).await?;
        assert_eq!(all, [("ann@x".to_owned(), "Old".to_owned()), ("cid@x".to_owned(), "Old".to_owned())]);
    }

    async fn upsert_inserts_in_one_statement(test: &Fixture) {
        test.db.create(models![User]).await?;
        test.statements();
        let user = User::builder().email("ann@x").name("Ann").upsert(&test.db, |u| u.email()).await?;
        assert_sent!(test, 1);
        assert_eq!((user.visits, user.number), (1, 42));
        assert!(user.id > 0 && user.is_saved() && !user.is_changed());
        assert_eq!(User::get(&test.db, user.id).await?, user);
    }

    async fn upsert_writes_what_was_given_and_nothing_else(test: &Fixture) {
        test.db.create(models![User]).await?;
        let old = user(&test.db, "ann@x", Some("a")).await?;
        test.statements();
        let new = User::builder().email("ann@x").name("New").upsert(&test.db, |u| u.email()).await?;
        assert_sent!(test, 1);
        let expected = User { name: "New".into(), ..old.clone().into_inner() };
        assert_eq!(new, expected, "the key and the defaults stay: {new:?}");
        assert_eq!(User::get(&test.db, old.id).await?, expected);

        let given = User::builder().id(old.id + 100).email("ann@x").name("New").visits(1).number(3).nick(None::<String>);
        let new = given.upsert(&test.db, |u| u.email()).await?;
        assert_eq!((new.id, new.visits, new.number, new.nick.clone()), (old.id, 1, 3, None), "given is written, NULL too");
        assert_eq!(User::get(&test.db, old.id).await?, new);
        let same = User::builder().email("ann@x").name("New").upsert(&test.db, |u| u.email()).await?;
        assert_eq!(same, new, "the same again");
        assert_eq!(test.rows_in("up_users").await?, 1);
    }

    async fn a_record_of_either_is_saved_like_any_other(test: &Fixture) {
        test.db.create(models![User]).await?;
        let mut user = User::builder().email("ann@x").name("Ann").upsert(&test.db, |u| u.email()).await?;
        user.name = "Anna".into();
        test.statements();
        user.save(&test.db).await?;
        assert_sent!(test, 1);
        let (mut found, _) = User::builder().email("ann@x").name("?").get_or_insert(&test.db, |u| u.email()).await?;
        assert_eq!(found.name, "Anna");
        found.delete(&test.db).await?;
        assert_eq!(test.rows_in("up_users").await?, 0);
    }

    async fn several_columns_are_one_constraint(test: &Fixture) {
        test.db.create(models![Price]).await?;
        let price = |amount| Price::builder().shop(1).code("CUP").amount(amount);
        let (first, inserted) = price(dec!(1.50)).get_or_insert(&test.db, |p| (p.shop(), p.code())).await?;
        assert!(inserted);
        test.statements();
        // The order of the columns says nothing.
        let second = price(dec!(2.50)).upsert(&test.db, |p| (p.code(), p.shop())).await?;
        assert_sent!(test, 1);
        assert_eq!((second.id, second.amount), (first.id, dec!(2.50)), "the key that the program generated stays the first");
        let (third, inserted) = price(dec!(9)).get_or_insert(&test.db, |p| (p.shop(), p.code())).await?;
        assert_eq!((third.id, third.amount, inserted), (first.id, dec!(2.50), false));
        let other = Price::builder().shop(2).code("CUP").amount(dec!(3)).upsert(&test.db, |p| (p.shop(), p.code())).await?;
        assert_ne!(other.id, first.id);
        assert_eq!(test.rows_in("up_prices").await?, 2);
    }

    async fn a_key_is_a_constraint_too(test: &Fixture) {
        test.db.create(models![User, CellOf]).await?;
        let cell = |value: &str| CellOf::builder().x(1).y(2).value(value.to_owned());
        assert!(cell("a").get_or_insert(&test.db, |c| (c.x(), c.y())).await?.1);
        let (found, inserted) = cell("b").get_or_insert(&test.db, |c| (c.x(), c.y())).await?;
        assert_eq!((found.value.as_deref(), inserted), (Some("a"), false));
        assert_eq!(cell("c").upsert(&test.db, |c| (c.y(), c.x())).await?.value.as_deref(), Some("c"));
        assert_eq!(test.rows_in("up_cells").await?, 1);

        let with_key = |name: &str| User::builder().id(77).email("ann@x").name(name);
        assert_eq!(with_key("a").upsert(&test.db, |u| u.id()).await?.name, "a");
        assert_eq!(with_key("b").upsert(&test.db, |u| u.id()).await?.name, "b");
        assert_eq!(with_key("c").get_or_insert(&test.db, |u| u.id()).await?.0.name, "b");
        let error = User::builder().id(78).email("ann@x").name("d").upsert(&test.db, |u| u.id()).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Unique, Some("email")), "{error}");
    }

    async fn a_foreign_key_is_named_by_the_key_it_holds(test: &Fixture) {
        test.db.create(models![User, Profile]).await?;
        let ann = user(&test.db, "ann@x", None).await?;
        let profile = |text: &str| Profile::builder().user(&ann).text(text);
        let (first, inserted) = profile("a").get_or_insert(&test.db, |p| p.user().id()).await?;
        assert!(inserted);
        let second = profile("b").upsert(&test.db, |p| p.user().id()).await?;
        assert_eq!((second.id, second.text.as_str(), second.user.key()), (first.id, "b", Some(&ann.id)));
        let lost = Profile::builder().user(4_711).text("c").upsert(&test.db, |p| p.user().id()).await.unwrap_err();
        assert_eq!((lost.kind(), lost.field()), (ErrorKind::ForeignKey, Some("user")), "{lost}");
    }

    async fn nothing_but_the_constraint_given_is_get_or_insert(test: &Fixture) {
        test.db.create(models![CellOf]).await?;
        let cell = || CellOf::builder().x(1).y(2);
        test.statements();
        cell().upsert(&test.db, |c| (c.x(), c.y())).await?;
        assert_sent!(test, 1);
        cell().upsert(&test.db, |c| (c.x(), c.y())).await?;
        assert_sent!(test, 2);
        assert_eq!(test.rows_in("up_cells").await?, 1);
    }

    async fn null_equals_nothing_and_is_inserted(test: &Fixture) {
        test.db.create(models![User]).await?;
        for n in 0..2 {
            let nobody = |text: &str| User::builder().email(format!("{text}{n}")).name("x").nick(None::<String>);
            test.statements();
            assert!(nobody("a").get_or_insert(&test.db, |u| u.nick()).await?.1);
            assert_sent!(test, 1);
            nobody("b").upsert(&test.db, |u| u.nick()).await?;
            assert_sent!(test, 1);
        }
        assert_eq!(test.rows_in("up_users").await?, 4);
        let nick = |nick: &str| User::builder().email("n@x").name("x").nick(nick.to_owned());
        let first = nick("n").upsert(&test.db, |u| u.nick()).await?;
        assert_eq!(nick("n").get_or_insert(&test.db, |u| u.nick()).await?, (first, false));
    }

    async fn what_is_not_unique_is_refused(test: &Fixture) {
        test.db.create(models![User, Price]).await?;
        test.statements();
        let ann = || User::builder().email("ann@x").name("Ann");
        let price = || Price::builder().shop(1).code("a").amount(dec!(1));
        for (error, says) in [
            (ann().upsert(&test.db, |u| u.name()).await.unwrap_err(), "the columns (name) are not unique together"),
            (ann().upsert(&test.db, |u| (u.email(), u.name())).await.unwrap_err(), "(email, name)"),
            (ann().upsert(&test.db, |u| u.visits() + 1).await.unwrap_err(), "no column of the row itself"),
            (ann().get_or_insert(&test.db, |u| u.email().lower()).await.map(|_| ()).unwrap_err(), "no column of the row itself"),
        ].map(|(error, says)| (error, says)) {
            assert_eq!((error.kind(), error.model()), (ErrorKind::Misuse, Some("User")), "{error}");
            assert!(error.to_string().contains(says), "{error}");
            assert!(error.to_string().ends_with("of User, (id) or (email) or (nick)"), "{error}");
        }
        let error = price().get_or_insert(&test.db, |p| p.code()).await.unwrap_err();
        assert!(error.to_string().ends_with("of Price, (id) or (shop, code)"), "{error}");
        let error = ann().upsert(&test.db, |u| u.id()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse);
        assert!(error.to_string().contains("give it to the builder"), "{error}");
        let error = ann().name("x".repeat(11)).upsert(&test.db, |u| u.email()).await.unwrap_err();
        assert!(error.is_validation() && error.faults()[0].field == "name", "{error}");
        let error = ann().name("x".repeat(11)).get_or_insert(&test.db, |u| u.email()).await.unwrap_err();
        assert!(error.is_validation(), "{error}");
        assert_sent!(test, 0);
    }

    async fn a_transaction_goes_on_after_either(test: &Fixture) {
        test.db.create(models![User]).await?;
        let old = user(&test.db, "ann@x", None).await?;
        test.statements();
        test.db.transaction(async |tx| {
            let (found, inserted) = User::builder().email("ann@x").name("a").get_or_insert(tx, |u| u.email()).await?;
            assert_eq!((found.id, inserted), (old.id, false));
            assert!(User::builder().email("bob@x").name("b").get_or_insert(tx, |u| u.email()).await?.1);
            User::builder().email("ann@x").name("c").upsert(tx, |u| u.email()).await
        }).await?;
        assert_sent!(test, 4);
        assert_eq!(User::get(&test.db, old.id).await?.name, "c");
        assert_eq!(test.rows_in("up_users").await?, 2);
    }

    async fn a_row_newer_than_the_transactions_view_is_found(test: &Fixture) {
        let two = test.with_connections(2).await?;
        two.db.create(models![User]).await?;
        if test.is(Backend::Sqlite) {
            // Nobody else writes while the transaction is open.
            return Ok(());
        }
        for isolation in [Isolation::ReadCommitted, Isolation::RepeatableRead] {
            let email = format!("{isolation:?}");
            let tx = two.db.begin_with(Begin { isolation: Some(isolation), read_only: false }).await?;
            let before = User::query().count(&tx).await?;
            let theirs = user(&two.db, &email, None).await?;
            let found = User::builder().email(email.as_str()).name("Mine").get_or_insert(&tx, |u| u.email()).await;
            match found {
                Ok((found, inserted)) => assert_eq!((found.id, inserted), (theirs.id, false)),
                // PostgreSQL says that the transaction saw too little, and so do newer MariaDBs.
                Err(error) => {
                    assert!(error.is_retryable(), "{error}");
                    assert_eq!(isolation, Isolation::RepeatableRead);
                }
            }
            drop(tx);
            assert_eq!(User::query().count(&two.db).await?, before + 1);
        }
    }

    async fn of_many_at_once_one_inserts_and_all_get_its_row(test: &Fixture) {
        let eight = test.with_connections(8).await?;
        eight.db.create(models![User]).await?;
        for round in 0..10 {
            let tasks: Vec<_> = (0..8).map(|_| {
                let (db, email) = (eight.db.clone(), format!("{round}@x"));
                tokio::spawn(async move {
                    User::builder().email(email).name("x").get_or_insert(&db, |u| u.email()).await
                })
            }).collect();
            let mut found = Vec::new();
            for task in tasks {
                let (user, inserted) = task.await.expect("no panic")?;
                found.push((user.id, inserted));
            }
            assert_eq!(found.iter().filter(|(_, inserted)| *inserted).count(), 1, "{found:?}");
            assert!(found.iter().all(|(id, _)| *id == found[0].0), "{found:?}");
        }
        assert_eq!(eight.rows_in("up_users").await?, 10);
    }

    async fn of_many_upserts_at_once_every_one_writes_the_same_row(test: &Fixture) {
        let eight = test.with_connections(8).await?;
        eight.db.create(models![User]).await?;
        let tasks: Vec<_> = (0..8).map(|n| {
            let db = eight.db.clone();
            tokio::spawn(async move {
                for round in 0..5 {
                    let name = format!("{n} {round}");
                    let user = User::builder().email("ann@x").name(name.as_str()).upsert(&db, |u| u.email()).await?;
                    assert_eq!(user.name, name);
                }
                Ok::<_, Error>(())
            })
        }).collect();
        for task in tasks {
            task.await.expect("no panic")?;
        }
        assert_eq!(eight.rows_in("up_users").await?, 1);
    }

    async fn one_that_waits_for_anothers_insert_finds_its_row(test: &Fixture) {
        let two = test.with_connections(2).await?;
        two.db.create(models![User]).await?;
        for kept in [true, false] {
            let email = format!("{kept}@x");
            let tx = two.db.begin().await?;
            let theirs = user(&tx, &email, None).await?;
            let db = two.db.clone();
            let mine = email.clone();
            let waiting = tokio::spawn(async move {
                User::builder().email(mine).name("Mine").get_or_insert(&db, |u| u.email()).await
            });
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if kept { tx.commit().await? } else { tx.rollback().await? }
            let (found, inserted) = waiting.await.expect("no panic")?;
            assert_eq!((inserted, found.name.as_str()), (!kept, if kept { "Old" } else { "Mine" }));
            if kept {
                assert_eq!(found.id, theirs.id);
            }
        }
    }

    async fn the_futures_can_move_to_another_thread(test: &Fixture) {
        fn can_move<F: Future + Send>(future: F) {
            drop(future);
        }
        test.db.create(models![User]).await?;
        can_move(User::builder().email("a").name("b").get_or_insert(&test.db, |u| u.email()));
        can_move(User::builder().email("a").name("b").upsert(&test.db, |u| (u.email(),)));
    }
}
