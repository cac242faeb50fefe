//! Transactions: all or nothing, scopes inside them, and several at once.

use std::time::{Duration, Instant};

use cormorant::prelude::*;
use cormorant::{Begin, Error, ErrorKind, Isolation, Result};
use cormorant_conformance::{Backend, Fixture, PATIENCE, boxed, conformance, join};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "tx_accounts")]
struct Account {
    id: i64,
    cents: i64,
}

fn account(cents: i64) -> Account {
    Account { id: 0, cents }
}

async fn cents(db: &impl Executor) -> Result<Vec<i64>> {
    Account::query().order_by(|a| a.cents().asc()).select(|a| a.cents()).all(db).await
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.kind(),
    }
}

/// Runs something again for as long as its error says that it may succeed, and not for ever.
macro_rules! until_it_works {
    ($attempt:expr) => {{
        let started = Instant::now();
        loop {
            match $attempt.await {
                Err(error) if error.is_retryable() && started.elapsed() < PATIENCE => {}
                result => break result,
            }
        }
    }};
}

#[derive(Debug)]
enum ShopError {
    Closed,
    Database(Error),
}

impl From<Error> for ShopError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

conformance! {
    async fn what_a_closure_did_is_kept_or_taken_back_as_one(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let sum = test.db.transaction(async |tx| {
            Account::builder().cents(1).insert(tx).await?;
            Account::builder().cents(2).insert(tx).await?;
            Account::query().select(|a| a.cents().sum()).one(tx).await
        }).await?;
        assert_eq!(sum, Some(3), "a transaction sees its own work");
        let error = test.db.transaction(async |tx| {
            Account::builder().cents(3).insert(tx).await?;
            Err::<(), _>(Error::other("the bank is closed"))
        }).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Other, "the bank is closed"));
        assert_eq!(kind(test.db.transaction(async |tx| {
            Account::builder().cents(4).insert(tx).await?;
            Account::get(tx, 4_711).await
        }).await), ErrorKind::NotFound);
        assert_eq!(cents(&test.db).await?, [1, 2]);
    }

    async fn a_closure_may_have_an_error_of_its_own(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let closed = test.db.try_transaction(async |tx| {
            Account::builder().cents(1).insert(tx).await?;
            Err::<(), _>(ShopError::Closed)
        }).await;
        assert!(matches!(closed, Err(ShopError::Closed)));
        let missing: Result<_, ShopError> =
            test.db.try_transaction(async |tx| Ok(Account::get(tx, 1).await?.cents)).await;
        assert!(matches!(missing, Err(ShopError::Database(error)) if error.is_not_found()));
        assert_eq!(cents(&test.db).await?, Vec::<i64>::new());
    }

    async fn an_inner_error_leaves_the_outer_work(test: &Fixture) {
        test.db.create(models![Account]).await?;
        test.db.transaction(async |tx| {
            Account::builder().cents(1).insert(tx).await?;
            let inner = tx.transaction(async |inner| {
                Account::builder().cents(2).insert(inner).await?;
                inner.transaction(async |innermost| { Account::builder().cents(3).insert(innermost).await }).await?;
                Err::<(), _>(Error::other("no"))
            }).await;
            assert_eq!(kind(inner), ErrorKind::Other);
            tx.transaction(async |inner| { Account::builder().cents(4).insert(inner).await }).await?;
            let own: Result<(), ShopError> = tx.try_transaction(async |inner| {
                Account::builder().cents(5).insert(inner).await?;
                Err(ShopError::Closed)
            }).await;
            assert!(matches!(own, Err(ShopError::Closed)));
            Ok(())
        }).await?;
        assert_eq!(cents(&test.db).await?, [1, 4]);
    }

    async fn a_failed_statement_can_be_taken_back_alone(test: &Fixture) {
        test.db.create(models![Account]).await?;
        test.db.transaction(async |tx| {
            Record::insert(Account { id: 7, cents: 1 }, tx).await?;
            let again = Account { id: 7, cents: 2 };
            let twice = tx.transaction(async |inner| { Record::insert(again, inner).await }).await;
            assert_eq!(kind(twice), ErrorKind::Unique);
            Record::insert(Account { id: 8, cents: 3 }, tx).await?;
            Ok(())
        }).await?;
        assert_eq!(cents(&test.db).await?, [1, 3]);
    }

    async fn a_transaction_that_failed_on_postgresql_says_so_at_commit(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let ended = test.db.transaction(async |tx| {
            Record::insert(Account { id: 7, cents: 1 }, tx).await?;
            assert_eq!(kind(Record::insert(Account { id: 7, cents: 2 }, tx).await), ErrorKind::Unique);
            Ok(())
        }).await;
        if test.is(Backend::Postgres) {
            assert_eq!(kind(ended), ErrorKind::TransactionPoisoned);
            assert_eq!(cents(&test.db).await?, Vec::<i64>::new());
        } else {
            ended?;
            assert_eq!(cents(&test.db).await?, [1]);
        }
        assert!(test.db.transaction(async |tx| { cents(tx).await.map(|all| all.len()) }).await.is_ok());
    }

    async fn the_outer_scope_is_refused_at_once_while_an_inner_one_is_open(test: &Fixture) {
        test.db.create(models![Account]).await?;
        test.db.transaction(async |tx| {
            tx.transaction(async |inner| {
                let started = Instant::now();
                assert_eq!(kind(Account::builder().cents(1).insert(tx).await), ErrorKind::TransactionSuspended);
                assert_eq!(kind(tx.savepoint().await), ErrorKind::TransactionSuspended);
                assert!(started.elapsed() < Duration::from_secs(1), "nothing is waited for");
                Account::builder().cents(2).insert(inner).await
            }).await?;
            Account::builder().cents(3).insert(tx).await
        }).await?;
        assert_eq!(cents(&test.db).await?, [2, 3]);
    }

    async fn statements_awaited_together_run_one_after_the_other(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let tx = test.db.begin().await?;
        let inserts = (0..8).map(|n| boxed(Record::insert(account(n), &tx)));
        let records: Vec<Record<Account>> = join(inserts.collect()).await.into_iter().collect::<Result<_>>()?;
        for record in &records {
            assert_eq!(Account::get(&tx, record.id).await?.cents, record.cents, "each answer went to its question");
        }
        tx.commit().await?;
        assert_eq!(cents(&test.db).await?, (0..8).collect::<Vec<_>>());
    }

    async fn a_guard_keeps_its_work_only_by_commit(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let tx = test.db.begin().await?;
        Record::insert(account(1), &tx).await?;
        tx.commit().await?;
        let tx = test.db.begin().await?;
        Record::insert(account(2), &tx).await?;
        tx.rollback().await?;
        let tx = test.db.begin().await?;
        Record::insert(account(3), &tx).await?;
        drop(tx);
        drop(test.db.begin().await?);
        test.db.begin().await?.commit().await?;
        test.db.begin().await?.rollback().await?;
        assert_eq!(cents(&test.db).await?, [1]);
    }

    async fn a_savepoint_keeps_its_work_only_by_commit(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let tx = test.db.begin().await?;
        for (n, keep) in [(1, true), (2, false)] {
            let scope = tx.savepoint().await?;
            Record::insert(account(n), &scope).await?;
            if keep { scope.commit().await? } else { scope.rollback().await? }
        }
        let dropped = tx.savepoint().await?;
        Record::insert(account(3), &dropped).await?;
        let inside = dropped.savepoint().await?;
        Record::insert(account(4), &inside).await?;
        inside.commit().await?;
        drop(dropped);
        assert_eq!(cents(&tx).await?, [1]);
        let again = tx.savepoint().await?;
        Record::insert(account(5), &again).await?;
        again.commit().await?;
        drop(tx.savepoint().await?);
        tx.commit().await?;
        assert_eq!(cents(&test.db).await?, [1, 5]);
    }

    async fn savepoints_may_be_dropped_in_any_order(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let tx = test.db.begin().await?;
        Record::insert(account(1), &tx).await?;
        let outer = tx.savepoint().await?;
        Record::insert(account(2), &outer).await?;
        let inner = outer.savepoint().await?;
        Record::insert(account(3), &inner).await?;
        drop(outer);
        assert_eq!(kind(Record::insert(account(4), &inner).await), ErrorKind::Misuse, "what was around it is gone");
        drop(inner);
        assert_eq!(cents(&tx).await?, [1]);

        let old_outer = tx.savepoint().await?;
        let old_inner = old_outer.savepoint().await?;
        drop(old_outer);
        let outer = tx.savepoint().await?;
        let inner = outer.savepoint().await?;
        Record::insert(account(5), &inner).await?;
        assert_eq!(kind(Record::insert(account(6), &old_inner).await), ErrorKind::Misuse, "it is another one");
        drop(old_inner);
        inner.commit().await?;
        outer.commit().await?;
        tx.commit().await?;
        assert_eq!(cents(&test.db).await?, [1, 5]);
    }

    async fn nothing_runs_in_a_scope_whose_transaction_is_gone(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let tx = test.db.begin().await?;
        let scope = tx.savepoint().await?;
        drop(tx);
        assert_eq!(kind(Record::insert(account(1), &scope).await), ErrorKind::Misuse);
        let tx = test.db.begin().await?;
        let other = tx.savepoint().await?;
        assert_eq!(kind(tx.commit().await), ErrorKind::TransactionSuspended);
        assert_eq!(kind(Record::insert(account(2), &other).await), ErrorKind::Misuse);
        assert_eq!(cents(&test.db).await?, Vec::<i64>::new(), "and the connection is free");
    }

    async fn a_read_only_transaction_refuses_to_write(test: &Fixture) {
        test.db.create(models![Account]).await?;
        Record::insert(account(1), &test.db).await?;
        let reading = Begin { read_only: true, ..Begin::default() };
        let tx = test.db.begin_with(reading).await?;
        assert_eq!(cents(&tx).await?, [1]);
        assert_eq!(kind(Record::insert(account(2), &tx).await), ErrorKind::ReadOnly);
        tx.rollback().await?;
        let tx = test.db.begin_with(reading).await?;
        assert_eq!(kind(Account::query().delete(&tx).await), ErrorKind::ReadOnly);
        drop(tx);
        Record::insert(account(3), &test.db).await?;
        test.db.transaction(async |tx| { Record::insert(account(4), tx).await }).await?;
        assert_eq!(cents(&test.db).await?, [1, 3, 4], "what comes after may write");
    }

    async fn an_isolation_holds_for_its_transaction_alone(test: &Fixture) {
        let two = test.with_connections(2).await?;
        two.db.create(models![Account]).await?;
        Record::insert(account(1), &two.db).await?;
        let repeatable = Begin { isolation: Some(Isolation::RepeatableRead), read_only: true };
        let tx = two.db.begin_with(repeatable).await?;
        assert_eq!(cents(&tx).await?, [1]);
        Record::insert(account(2), &two.db).await?;
        assert_eq!(cents(&tx).await?, [1], "as it was at the first statement");
        tx.commit().await?;
        if !test.is(Backend::Sqlite) {
            let tx = two.db.begin_with(Begin { isolation: Some(Isolation::ReadCommitted), read_only: true }).await?;
            assert_eq!(cents(&tx).await?, [1, 2]);
            Record::insert(account(3), &two.db).await?;
            assert_eq!(cents(&tx).await?, [1, 2, 3], "what was committed meanwhile");
            tx.commit().await?;
        }
    }

    async fn readers_go_on_while_one_writes(test: &Fixture) {
        let three = test.with_connections(3).await?;
        three.db.create(models![Account]).await?;
        Record::insert(account(1), &three.db).await?;
        let writer = three.db.begin().await?;
        Record::insert(account(2), &writer).await?;
        let reader = three.db.begin_with(Begin { read_only: true, ..Begin::default() }).await?;
        assert_eq!((cents(&reader).await?, cents(&three.db).await?), (vec![1], vec![1]));
        writer.commit().await?;
        assert_eq!(cents(&three.db).await?, [1, 2]);
        reader.commit().await?;
    }

    async fn sql_text_cannot_end_a_transaction(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let refused = test.db.transaction(async |tx| {
            Record::insert(account(1), tx).await?;
            sql!("COMMIT").execute(tx).await
        }).await;
        assert_eq!(kind(refused), ErrorKind::Misuse);
        assert_eq!(kind(sql!("begin").execute(&test.db).await), ErrorKind::Misuse);
        assert_eq!(cents(&test.db).await?, Vec::<i64>::new());
    }

    async fn what_was_not_rolled_back_is_said_so(test: &Fixture) {
        test.db.create(models![Account]).await?;
        for nested in [false, true] {
            let ended = test.db.transaction(async |tx| {
                Record::insert(account(1), tx).await?;
                let fails = async |tx: &Transaction| sql!("CREATE TABLE tx_accounts (id integer)").execute(tx).await;
                if nested { tx.transaction(fails).await } else { fails(tx).await }
            }).await;
            let error = ended.unwrap_err();
            if test.is(Backend::MariaDb) {
                // The statement committed what was before it, and failed.
                assert_eq!(error.kind(), ErrorKind::NotRolledBack, "{error}");
                assert!(error.to_string().contains("had committed it"), "{error}");
                assert!(error.to_string().contains("already exists"), "what the closure said: {error}");
            } else {
                assert_ne!(error.kind(), ErrorKind::NotRolledBack, "{error}");
            }
        }
        let left = if test.is(Backend::MariaDb) { vec![1, 1] } else { vec![] };
        assert_eq!(cents(&test.db).await?, left);
        let own: Result<(), ShopError> = test.db.try_transaction(async |tx| {
            sql!("CREATE TABLE tx_accounts (id integer)").execute(tx).await.unwrap_err();
            Err(ShopError::Closed)
        }).await;
        match own.unwrap_err() {
            ShopError::Closed => assert!(!test.is(Backend::MariaDb)),
            ShopError::Database(error) => assert_eq!(error.kind(), ErrorKind::NotRolledBack),
        }
    }

    async fn transactions_that_cross_can_be_run_again(test: &Fixture) {
        let two = test.with_connections(2).await?;
        two.db.create(models![Account]).await?;
        Account::insert_many(&two.db, [Account { id: 1, cents: 0 }, Account { id: 2, cents: 0 }]).await?;
        let transfers = [(1, 2), (2, 1)].map(|(from, to)| {
            let db = two.db.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    until_it_works!(db.transaction(async |tx| {
                        Account::filter(|a| a.id().eq(from)).update(tx, |a| a.cents().set(a.cents() - 1)).await?;
                        tokio::task::yield_now().await;
                        Account::filter(|a| a.id().eq(to)).update(tx, |a| a.cents().set(a.cents() + 2)).await
                    }))?;
                }
                Ok::<_, Error>(())
            })
        });
        for transfer in transfers {
            transfer.await.expect("no panic")?;
        }
        assert_eq!(cents(&two.db).await?, [10, 10]);
    }

    async fn no_update_is_lost(test: &Fixture) {
        let eight = test.with_connections(8).await?;
        eight.db.create(models![Account]).await?;
        Record::insert(Account { id: 1, cents: 0 }, &eight.db).await?;
        let tasks: Vec<_> = (0..8).map(|_| {
            let db = eight.db.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    until_it_works!(add_one(&db))?;
                }
                Ok::<_, Error>(())
            })
        }).collect();
        for task in tasks {
            task.await.expect("no panic")?;
        }
        assert_eq!(cents(&eight.db).await?, [400]);
    }

    async fn every_future_can_move_to_another_thread(test: &Fixture) {
        test.db.create(models![Account]).await?;
        let db = test.db.clone();
        let moved = tokio::spawn(async move {
            db.transaction(async |tx| {
                let mut record = Account::builder().cents(1).insert(tx).await?;
                tx.transaction(async |inner| { record.cents = 2; record.save(inner).await }).await?;
                Ok(record)
            }).await
        });
        let mut record = moved.await.expect("no panic")?;
        can_move(record.save(&test.db));
        can_move(record.refresh(&test.db));
        can_move(record.delete(&test.db));
        can_move(Record::insert(account(1), &test.db));
        can_move(Account::get(&test.db, 1));
        can_move(Account::find(&test.db, 1));
        can_move(Account::get_many(&test.db, [1]));
        can_move(Account::insert_many(&test.db, [account(1)]));
        can_move(Account::query().all(&test.db));
        can_move(Account::query().first(&test.db));
        can_move(Account::query().last(&test.db));
        can_move(Account::query().one(&test.db));
        can_move(Account::query().optional(&test.db));
        can_move(Account::query().count(&test.db));
        can_move(Account::query().exists(&test.db));
        can_move(Account::query().explain(&test.db));
        can_move(Account::query().select(|a| (a.cents(), a)).all(&test.db));
        can_move(Account::query().update(&test.db, |a| a.cents().set(1)));
        can_move(Account::query().delete(&test.db));
        can_move(sql!("SELECT 1").all::<i64>(&test.db));
        can_move(sql!("SELECT 1").one::<i64>(&test.db));
        can_move(sql!("SELECT 1").optional::<i64>(&test.db));
        can_move(sql!("SELECT 1").execute(&test.db));
        can_move(test.db.create(models![Account]));
        can_move(test.db.drop(models![Account]));
        can_move(test.db.create_all());
        can_move(test.db.drop_all());
        can_move(Database::connect("sqlite::memory:"));
        can_move(test.db.begin());
        can_move(async { test.db.begin().await?.commit().await });
        can_move(async { test.db.begin().await?.savepoint().await?.rollback().await });
    }
}

fn can_move<F: Future + Send>(future: F) {
    drop(future);
}

async fn add_one(db: &Database) -> Result<()> {
    let tx = db.begin_with(Begin { isolation: Some(Isolation::Serializable), read_only: false }).await?;
    let mut counter = Account::get(&tx, 1).await?;
    tokio::task::yield_now().await;
    counter.cents += 1;
    counter.save(&tx).await?;
    tx.commit().await
}

/// What only SQLite has: one writer at a time, and a database with one connection.
mod sqlite {
    use super::*;

    async fn patient(url: String, connections: usize, patience: Duration) -> Result<Fixture> {
        Fixture::at(Backend::Sqlite, url, |options| options.max_connections(connections).acquire_timeout(patience))
            .await
    }

    #[test]
    fn the_right_to_write_is_waited_for_and_its_holder_named() {
        Fixture::run(Backend::Sqlite, "write_lock", async |test| {
            let file = test.with_connections(1).await?;
            file.db.create(models![Account]).await?;
            let patience = Duration::from_millis(200);
            let three = patient(file.url.clone(), 3, patience).await?;
            let writer = three.db.begin().await?;
            Record::insert(account(1), &writer).await?;

            let started = Instant::now();
            let error = Record::insert(account(2), &three.db).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockTimeout);
            assert!(error.to_string().contains("a transaction for at least 0."), "{error}");
            assert!(started.elapsed() >= patience && started.elapsed() < patience * 5, "{:?}", started.elapsed());

            let db = three.db.clone();
            let waiting = tokio::spawn(async move { Record::insert(account(3), &db).await });
            tokio::time::sleep(patience / 4).await;
            writer.commit().await?;
            waiting.await.expect("no panic")?;
            assert_eq!(cents(&three.db).await?, [1, 3]);
            Ok(())
        });
    }

    #[test]
    fn the_database_inside_its_own_transaction_is_an_error_and_no_deadlock() {
        Fixture::run(Backend::Sqlite, "self_deadlock", async |_| {
            let patience = Duration::from_millis(200);
            let one = patient("sqlite::memory:".to_owned(), 1, patience).await?;
            one.db.create(models![Account]).await?;
            let started = Instant::now();
            let inside = one.db.transaction(async |_tx| Account::query().count(&one.db).await).await;
            let error = inside.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PoolTimeout);
            assert!(error.to_string().contains("a transaction for at least 0."), "{error}");
            assert!(error.to_string().contains("use `tx`"), "{error}");
            assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
            assert_eq!(cents(&one.db).await?, Vec::<i64>::new());
            Ok(())
        });
    }
}
