//! The pool: as many connections as it may have and no more, used again, first come first served, and an error that
//! says who has them when none becomes free.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Backend, Fixture, conformance, poll_times};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "pool_marks")]
struct Mark {
    id: i64,
    n: i64,
}

fn mark(n: i64) -> Mark {
    Mark { id: 0, n }
}

/// A pool of its own that waits only so long.
async fn impatient(test: &Fixture, connections: usize, patience: Duration) -> Result<Fixture> {
    let url = test.with_connections(1).await?.url;
    Fixture::at(test.backend, url, |options| options.max_connections(connections).acquire_timeout(patience)).await
}

/// The server's number of the connection that a statement ran on. SQLite's have none.
async fn connection(on: &impl Executor, backend: Backend) -> Result<i64> {
    match backend {
        Backend::Sqlite => Ok(0),
        Backend::Postgres => sql!("SELECT pg_backend_pid()").one(on).await,
        Backend::MariaDb => sql!("SELECT CONNECTION_ID()").one(on).await,
    }
}

conformance! {
    async fn when_none_becomes_free_the_error_says_who_has_them(test: &Fixture) {
        let patience = Duration::from_millis(300);
        let two = impatient(test, 2, patience).await?;
        two.db.create(models![Mark]).await?;
        let held = (two.db.begin().await?, two.db.begin().await?);
        let started = Instant::now();
        let error = Mark::query().count(&two.db).await.unwrap_err();
        let took = started.elapsed();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout);
        assert_eq!(error.to_string().matches("a transaction for 0.").count(), 2, "{error}");
        for part in ["all 2 are held", "max_connections"] {
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(took >= patience && took <= patience.mul_f64(1.2) + Duration::from_millis(50), "{took:?}");
        drop(held.0);
        assert_eq!(Mark::query().count(&two.db).await?, 0);
        drop(held.1);
    }

    async fn those_who_wait_are_served_in_order(test: &Fixture) {
        let one = test.with_connections(1).await?;
        one.db.create(models![Mark]).await?;
        let held = one.db.begin().await?;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for n in 0..10 {
            let (db, order) = (one.db.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let tx = db.begin().await?;
                order.lock().unwrap().push(n);
                Mark::query().count(&tx).await?;
                tx.rollback().await
            }));
            // Each is in the queue before the next.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        held.rollback().await?;
        for task in tasks {
            task.await.unwrap()?;
        }
        assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
    }

    async fn a_free_connection_is_had_while_another_waits_to_be_fetched(test: &Fixture) {
        let two = test.with_connections(2).await?;
        two.db.create(models![Mark]).await?;
        let (a, b) = (two.db.begin().await?, two.db.begin().await?);
        let mut waits = Box::pin(two.db.begin());
        assert!(poll_times(&mut waits, 1).await.is_none());
        a.rollback().await?;
        b.rollback().await?;
        let started = Instant::now();
        assert_eq!(Mark::query().count(&two.db).await?, 0);
        assert!(started.elapsed() < Duration::from_secs(3), "one is promised, the other is free");
        waits.await?.rollback().await?;
    }

    async fn connections_are_used_again(test: &Fixture) {
        if test.is(Backend::Sqlite) {
            return Ok(());
        }
        let three = test.with_connections(3).await?;
        three.db.create(models![Mark]).await?;
        let mut used = BTreeSet::new();
        for n in 0..20 {
            used.insert(connection(&three.db, test.backend).await?);
            let tx = three.db.begin().await?;
            used.insert(connection(&tx, test.backend).await?);
            Record::insert(mark(n), &tx).await?;
            if n % 2 == 0 { tx.commit().await? } else { tx.rollback().await? }
            // An error of a statement is no fault of the connection.
            assert!(sql!("SELECT nothing FROM nowhere").all::<i64>(&three.db).await.is_err());
        }
        assert_eq!(used.len(), 1, "one after the other needs one");
        assert_eq!(Mark::query().count(&three.db).await?, 10);
    }

    async fn many_tasks_share_few_connections(test: &Fixture) {
        let three = test.with_connections(3).await?;
        let outside = three.beside(1).await?;
        three.db.create(models![Mark]).await?;
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let at_once = Arc::new((AtomicI64::new(0), AtomicI64::new(0)));
        let backend = test.backend;
        let tasks: Vec<_> = (0..200).map(|n| {
            let (db, seen, at_once) = (three.db.clone(), Arc::clone(&seen), Arc::clone(&at_once));
            tokio::spawn(async move {
                db.transaction(async |tx| {
                    let now = at_once.0.fetch_add(1, Ordering::SeqCst) + 1;
                    at_once.1.fetch_max(now, Ordering::SeqCst);
                    let connection = connection(tx, backend).await?;
                    seen.lock().unwrap().insert(connection);
                    let written = Record::insert(mark(n), tx).await;
                    at_once.0.fetch_sub(1, Ordering::SeqCst);
                    written
                }).await?;
                Mark::filter(|m| m.n().eq(n)).one(&db).await.map(|mark| mark.n)
            })
        }).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap()?, n as i64, "each got its own row");
        }
        assert_eq!(Mark::query().count(&three.db).await?, 200);
        assert!(at_once.1.load(Ordering::SeqCst) <= 3, "no more transactions than connections");
        assert!(seen.lock().unwrap().len() <= 3, "{seen:?}");
        // The test's own fixture has one more.
        assert!(test.is(Backend::Sqlite) || outside.other_connections().await? <= 3 + 1);
    }

    async fn connections_that_were_killed_are_replaced(test: &Fixture) {
        if test.is(Backend::Sqlite) {
            return Ok(());
        }
        let three = test.with_connections(3).await?;
        three.db.create(models![Mark]).await?;
        for _ in 0..3 {
            let all = (three.db.begin().await?, three.db.begin().await?, three.db.begin().await?);
            Mark::query().count(&all.0).await?;
            Mark::query().count(&all.1).await?;
            Mark::query().count(&all.2).await?;
            all.0.rollback().await?;
            all.1.rollback().await?;
            all.2.rollback().await?;
            test.kill_others().await?;
            assert_eq!(Mark::query().count(&three.db).await?, 0, "a read does not notice");
            three.db.transaction(async |tx| { Mark::query().count(tx).await }).await?;
        }
    }

    async fn what_changes_a_session_is_not_left_to_the_next(test: &Fixture) {
        let (change, ask, expected) = match test.backend {
            // A database in memory has one connection and would be gone with it.
            Backend::Sqlite => ("PRAGMA cache_size = 77", "SELECT cache_size FROM pragma_cache_size", 77),
            Backend::Postgres => {
                let ask = "SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'";
                ("SET statement_timeout = 77000", ask, 77_000)
            }
            Backend::MariaDb => ("SET SESSION lock_wait_timeout = 77", "SELECT @@lock_wait_timeout", 77),
        };
        let one = test.with_connections(1).await?;
        one.execute(change).await?;
        let left: i64 = cormorant::Sql::unchecked(cormorant::UncheckedSql::vouch_for(ask)).one(&one.db).await?;
        assert_ne!(left, expected);
    }

    async fn one_connection_is_enough_for_everything(test: &Fixture) {
        let one = test.with_connections(1).await?;
        one.db.create(models![Mark]).await?;
        let tasks: Vec<_> = (0..20).map(|n| {
            let db = one.db.clone();
            tokio::spawn(async move {
                db.transaction(async |tx| {
                    let mut record = Record::insert(mark(n), tx).await?;
                    tx.transaction(async |inner| { record.n += 100; record.save(inner).await }).await
                }).await
            })
        }).collect();
        for task in tasks {
            task.await.unwrap()?;
        }
        assert_eq!(Mark::filter(|m| m.n().ge(100)).count(&one.db).await?, 20);
    }
}
