//! Plain code: `.wait()` from every kind of thread.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cormorant::prelude::*;
use cormorant::{ErrorKind, Options, Result};
use cormorant_conformance::{Backend, PATIENCE, conformance};
use tokio::runtime::{Builder, Runtime};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "wait_marks")]
struct Mark {
    id: i64,
    n: i64,
}

/// What a program does: it writes, it reads, and it does both in a transaction.
fn works(db: &Database, n: i64) -> Result<()> {
    let mut mark = Mark::builder().n(n).insert(db).wait()?;
    mark.n += 1;
    mark.save(db).wait()?;
    assert_eq!(Mark::get(db, mark.id).wait()?.n, n + 1);
    db.transaction(async |tx| {
        let mut mark = Mark::get(tx, mark.id).await?;
        mark.n += 1;
        mark.save(tx).await
    })
    .wait()?;
    let tx = db.begin().wait()?;
    mark.refresh(&tx).wait()?;
    assert_eq!(mark.n, n + 2);
    mark.delete(&tx).wait()?;
    tx.commit().wait()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A place to stand outside of the test's own runtime.
fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// Work that could wait for ever: then the test ends without it.
fn in_time(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let (done, when_done) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    when_done.recv_timeout(PATIENCE).expect("it ends")
}

/// Waits in a transaction that it began without.
async fn task(db: Database) -> Result<()> {
    let tx = db.begin().await?;
    for n in 1..=20 {
        Record::insert(Mark { id: 0, n }, &tx).await?;
        assert_eq!(Mark::query().count(&tx).wait()?, n as u64);
        tokio::task::yield_now().await;
    }
    tx.rollback().wait()
}

conformance! {
    async fn a_plain_thread_waits(test: &Fixture) {
        let url = test.url.clone();
        elsewhere(|| {
            let db = Database::connect(url).wait()?;
            db.create(models![Mark]).wait()?;
            works(&db, 1)
        })?;
    }

    async fn many_plain_threads_wait_at_once(test: &Fixture) {
        let three = test.with_connections(3).await?;
        three.db.create(models![Mark]).await?;
        let done = AtomicI64::new(0);
        thread::scope(|scope| {
            for n in 0..12 {
                let (db, done) = (three.db.clone(), &done);
                scope.spawn(move || {
                    for turn in 0..5 {
                        works(&db, n * 10 + turn).unwrap();
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 60);
        assert_eq!(Mark::query().count(&three.db).await?, 0);
    }

    async fn a_blocking_task_of_a_runtime_waits(test: &Fixture) {
        test.db.create(models![Mark]).await?;
        let db = test.db.clone();
        tokio::task::spawn_blocking(move || works(&db, 1)).await.unwrap()?;
    }

    async fn a_worker_of_a_runtime_waits(test: &Fixture) {
        test.db.create(models![Mark]).await?;
        let db = test.db.clone();
        tokio::spawn(async move { works(&db, 1) }).await.unwrap()?;
        works(&test.db, 2)?;
        assert_eq!(Mark::query().count(&test.db).await?, 0, "and goes on with await");
    }

    async fn the_thread_of_a_runtime_with_one_waits_for_what_it_opened_so(test: &Fixture) {
        let url = test.url.clone();
        elsewhere(|| current_thread().block_on(async {
            let db = Database::connect(&url).wait()?;
            db.create(models![Mark]).wait()?;
            works(&db, 1)?;
            assert_eq!(Mark::query().count(&db).await?, 0, "await works beside it");
            works(&db, 2)
        }))?;
    }

    async fn the_thread_of_a_runtime_with_one_cannot_wait_for_itself(test: &Fixture) {
        let url = test.url.clone();
        elsewhere(|| current_thread().block_on(async {
            let db = Database::connect(&url).await?;
            db.create(models![Mark]).await?;
            let tx = db.begin().await?;
            Record::insert(Mark { id: 0, n: 1 }, &tx).await?;
            let counted = Mark::query().count(&tx).wait();
            if test.is(Backend::Sqlite) {
                assert_eq!(counted?, 1);
            } else {
                let error = counted.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Misuse);
                assert!(error.to_string().contains("spawn_blocking"), "{error}");
            }
            assert_eq!(Mark::query().count(&tx).await?, 1, "the transaction goes on");
            tx.rollback().await?;
            // By itself a statement is not tied to that connection: it gets one that can be waited for.
            works(&db, 1)
        }))?;
    }

    async fn a_task_waits_in_its_own_transaction(test: &Fixture) {
        let two = test.with_connections(2).await?;
        two.db.create(models![Mark]).await?;
        for workers in [1, 2] {
            let url = two.url.clone();
            in_time(move || {
                let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap();
                runtime.block_on(async { tokio::spawn(task(Database::connect(url).await?)).await.unwrap() })
            })?;
        }
        // The tasks of a `LocalSet` are no workers: what they wait for is done by those.
        let url = two.url.clone();
        in_time(move || {
            multi_thread().block_on(tokio::task::LocalSet::new().run_until(async {
                tokio::task::spawn_local(task(Database::connect(url).await?)).await.unwrap()
            }))
        })?;
    }

    async fn a_task_waits_for_a_connection_that_another_has(test: &Fixture) {
        let url = test.with_connections(1).await?.url;
        in_time(move || {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let db = Database::connect_with(Options::parse(&url)?.max_connections(1)).await?;
                db.create(models![Mark]).await?;
                let held = db.begin().await?;
                Mark::builder().n(1).insert(&held).await?;
                let waits = tokio::spawn(async move { Mark::query().count(&db).wait() });
                let holds = tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    held.commit().await
                });
                holds.await.unwrap()?;
                assert_eq!(waits.await.unwrap()?, 1);
                Ok(())
            })
        })?;
    }

    async fn a_database_outlives_the_runtime_it_was_opened_on(test: &Fixture) {
        let url = if test.is(Backend::Sqlite) { test.with_connections(2).await?.url } else { test.url.clone() };
        elsewhere(|| {
            let first = multi_thread();
            let db = first.block_on(async {
                let db = Database::connect(&url).await?;
                db.create(models![Mark]).await?;
                Mark::builder().n(1).insert(&db).await?;
                Ok::<_, cormorant::Error>(db)
            })?;
            drop(first);
            for runtime in [multi_thread(), current_thread()] {
                runtime.block_on(async {
                    Mark::builder().n(2).insert(&db).await?;
                    db.transaction(async |tx| { Mark::builder().n(3).insert(tx).await }).await
                })?;
            }
            works(&db, 4)?;
            assert_eq!(Mark::query().count(&db).wait()?, 5);
            Ok::<_, cormorant::Error>(())
        })?;
    }

    async fn a_transaction_whose_runtime_is_gone_is_rolled_back(test: &Fixture) {
        let two = test.with_connections(2).await?;
        two.db.create(models![Mark]).await?;
        let db = two.db.clone();
        elsewhere(|| {
            let first = multi_thread();
            let tx = first.block_on(async {
                let tx = db.begin().await?;
                Mark::builder().n(1).insert(&tx).await?;
                Ok::<_, cormorant::Error>(tx)
            })?;
            // Not in the background: while its threads end they still serve for a moment.
            first.shutdown_timeout(Duration::from_secs(10));
            if !test.is(Backend::Sqlite) {
                assert!(Mark::builder().n(2).insert(&tx).wait().is_err(), "nobody serves its connection any more");
            }
            drop(tx);
            Ok::<_, cormorant::Error>(())
        })?;
        two.until("it is still there", async || Ok(Mark::query().count(&two.db).await? == 0)).await?;
        Mark::builder().n(3).insert(&two.db).await?;
    }
}
