//! The pool: as many connections as it may have and no more, used again, first come first served, and an error that
//! says who has them when none becomes free.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result, Sql, UncheckedSql};
use cormorant_conformance::{Backend, boxed, conformance, join, poll_times};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "pool_marks")]
struct Mark {
    id: i64,
    n: i64,
}

fn mark(n: i64) -> Mark {
    Mark { id: 0, n }
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
        let two = test.with_patience(2, patience).await?;
        two.db.create(models![Mark]).await?;
        let held = (two.db.begin().await?, two.db.begin().await?);
        let started = Instant::now();
        let error = Mark::query().count(&two.db).await.unwrap_err();
        let took = started.elapsed();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout);
        assert_eq!(error.to_string().matches("a transaction for at least 0.").count(), 2, "{error}");
        for part in ["all 2 are held", "max_connections"] {
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(took >= patience && took < Duration::from_secs(5), "{took:?}");
        drop(held.0);
        assert_eq!(Mark::query().count(&two.db).await?, 0);
        drop(held.1);
    }

    async fn those_who_wait_are_served_in_order(test: &Fixture) {
        let one = test.with_connections(1).await?;
        one.db.create(models![Mark]).await?;
        let held = one.db.begin().await?;
        let order = Mutex::new(Vec::new());
        let waits = |n| {
            let (db, order) = (&one.db, &order);
            async move {
                let tx = db.begin().await?;
                order.lock().unwrap().push(n);
                Mark::query().count(&tx).await?;
                tx.rollback().await
            }
        };
        let mut waiting: Vec<_> = (0..10).map(|n| boxed(waits(n))).collect();
        // Each is in the queue before the next.
        for future in &mut waiting {
            assert!(poll_times(future, 1).await.is_none());
        }
        held.rollback().await?;
        // The last is asked first whether it has its turn, and does not have it.
        waiting.reverse();
        join(waiting).await.into_iter().collect::<Result<()>>()?;
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
        const LEFT: &str = "SELECT COUNT(*) FROM left_behind";
        const LOCKS: &str = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
        const TIMEOUT: &str = "SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'";
        const HELD: &str = "SELECT IS_USED_LOCK('left_behind') <=> CONNECTION_ID()";
        // What changes it, what is asked then, and the answer where it was left.
        let changes: &[(&str, &str, i64)] = match test.backend {
            Backend::Sqlite => &[
                ("PRAGMA cache_size = 77", "SELECT cache_size FROM pragma_cache_size", 77),
                ("CREATE TEMP TABLE left_behind AS SELECT 1", LEFT, 1),
                ("create /* a */ temporary view left_behind AS SELECT 1", LEFT, 1),
            ],
            Backend::Postgres => &[
                ("SET statement_timeout = 77000", TIMEOUT, 77_000),
                ("SELECT set_config('statement_timeout', '77000', false)", TIMEOUT, 77_000),
                ("SELECT set_config('statement_timeout', '77000', 1 = 2), upper(true::text)", TIMEOUT, 77_000),
                ("CREATE LOCAL TEMPORARY TABLE left_behind AS SELECT 1", LEFT, 1),
                ("WITH one AS (SELECT 1 AS n) SELECT n INTO TEMP left_behind FROM one", LEFT, 1),
                ("SELECT pg_advisory_lock(77)", LOCKS, 1),
                ("SELECT pg_try_advisory_lock_shared (77)", LOCKS, 1),
            ],
            Backend::MariaDb => &[
                ("SET SESSION lock_wait_timeout = 77", "SELECT @@lock_wait_timeout", 77),
                ("CREATE OR REPLACE TEMPORARY TABLE left_behind SELECT 1", LEFT, 1),
                ("DO GET_LOCK('left_behind', 0)", HELD, 1),
                ("SELECT get_lock('left_behind', 0)", HELD, 1),
            ],
        };
        let one = test.with_connections(1).await?;
        for (change, ask, left) in changes {
            one.execute(change).await?;
            let found = Sql::unchecked(UncheckedSql::vouch_for(*ask)).one::<i64>(&one.db).await;
            assert_ne!(found.ok(), Some(*left), "{change}");
        }
    }

    async fn what_changes_no_session_leaves_the_connection_to_the_next(test: &Fixture) {
        if test.is(Backend::Sqlite) {
            return Ok(());
        }
        let one = test.with_connections(1).await?;
        one.execute("CREATE TABLE marks_of (temp integer)").await?;
        let unchanged: &[&str] = match test.backend {
            Backend::Postgres => &[
                "SELECT temp FROM marks_of",
                "INSERT INTO marks_of (temp) VALUES (1)",
                "SELECT set_config('app.user', 'it''s', true), set_config('app.of', lower('A'), TRUE )",
                "SELECT pg_advisory_xact_lock(77)",
            ],
            _ => &["SELECT temp FROM marks_of", "INSERT INTO marks_of (temp) VALUES (1)"],
        };
        let before = connection(&one.db, test.backend).await?;
        for sql in unchanged {
            one.execute(sql).await?;
            assert_eq!(connection(&one.db, test.backend).await?, before, "{sql}");
        }
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
