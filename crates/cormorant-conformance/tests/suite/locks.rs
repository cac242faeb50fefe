//! Locked reads.

use std::time::{Duration, Instant};

use cormorant::prelude::*;
use cormorant::{Begin, Error, ErrorKind, Result};
use cormorant_conformance::{Backend, PATIENCE, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "lock_owners")]
struct Owner {
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug)]
#[model(table = "lock_jobs")]
struct Job {
    id: i64,
    owner: Option<ForeignKey<Owner>>,
    runs: i64,
}

async fn jobs(db: &Database, count: i64) -> Result<()> {
    db.create(models![Owner, Job]).await?;
    Job::insert_many(db, (0..count).map(|_| Job::builder().runs(0))).await?;
    Ok(())
}

/// The statement that was sent, without what it reads.
fn ending(statements: &[String]) -> &str {
    let [statement] = statements else { panic!("one statement: {statements:?}") };
    assert!(statement.starts_with("SELECT"), "{statement}");
    statement.split_once(" FROM ").expect("a FROM").1
}

conformance! {
    async fn a_locked_read_is_one_select(test: &Fixture) {
        jobs(&test.db, 1).await?;
        for (lock, postgres, mariadb) in [
            (Lock::Update.into(), " FOR UPDATE", " FOR UPDATE"),
            (Lock::Share.into(), " FOR SHARE", " LOCK IN SHARE MODE"),
            (Lock::Update.nowait(), " FOR UPDATE NOWAIT", " FOR UPDATE NOWAIT"),
            (Lock::Share.skip_locked(), " FOR SHARE SKIP LOCKED", " LOCK IN SHARE MODE SKIP LOCKED"),
        ] {
            test.statements();
            let tx = test.db.begin().await?;
            assert_eq!(Job::query().lock(lock).filter(|j| j.runs().eq(0)).all(&tx).await?.len(), 1);
            tx.commit().await?;
            let statements = test.statements();
            let end = ending(&statements);
            match test.backend {
                Backend::Sqlite => assert!(end.ends_with("= ?1"), "{end}"),
                Backend::Postgres => assert!(end.ends_with(&format!("= $1{postgres}")), "{end}"),
                Backend::MariaDb => assert!(end.ends_with(&format!("= ?{mariadb}")), "{end}"),
            }
        }
    }

    async fn the_last_lock_asked_for_holds(test: &Fixture) {
        jobs(&test.db, 1).await?;
        test.statements();
        test.db.transaction(async |tx| {
            let query = Job::query().lock(Lock::Share).limit(3).lock(Lock::Update).select(|j| j.runs());
            query.first(tx).await
        }).await?;
        let statements = test.statements();
        assert_eq!(ending(&statements).ends_with(" FOR UPDATE"), !test.is(Backend::Sqlite), "{statements:?}");
        assert!(!statements[0].contains("SHARE"), "{statements:?}");
    }

    async fn a_lock_outside_a_transaction_is_refused(test: &Fixture) {
        jobs(&test.db, 1).await?;
        test.statements();
        let locked = || Job::query().lock(Lock::Update);
        for error in [
            locked().all(&test.db).await.unwrap_err(),
            locked().first(&test.db).await.unwrap_err(),
            locked().one(&test.db).await.unwrap_err(),
            locked().select(|j| j.runs()).all(&test.db).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.model()), (ErrorKind::Misuse, Some("Job")), "{error}");
            assert!(error.to_string().contains("db.transaction(async |tx| …)"), "{error}");
        }
        assert_eq!(test.statements(), Vec::<String>::new());
    }

    async fn what_is_no_row_cannot_be_locked(test: &Fixture) {
        jobs(&test.db, 1).await?;
        test.statements();
        test.db.transaction(async |tx| {
            let locked = || Job::query().lock(Lock::Update);
            let groups = locked().group_by(|j| j.runs()).select(|j| (j.runs(), count()));
            for (error, why) in [
                (groups.all(tx).await.unwrap_err(), "a group"),
                (locked().distinct().all(tx).await.unwrap_err(), "distinct"),
                (locked().select(|j| j.runs().sum()).all(tx).await.unwrap_err(), "an aggregate"),
                (locked().count(tx).await.unwrap_err(), "a number or a yes"),
                (locked().exists(tx).await.unwrap_err(), "a number or a yes"),
                (locked().update(tx, |j| j.runs().set(1)).await.unwrap_err(), "by themselves"),
                (locked().delete(tx).await.unwrap_err(), "by themselves"),
            ] {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                assert!(error.to_string().contains(why), "{error}");
                assert!(error.to_string().contains("lock the rows first"), "{error}");
            }
            Ok(())
        }).await?;
        assert_eq!(test.statements(), Vec::<String>::new());
    }

    async fn a_transaction_that_only_reads_locks_nothing(test: &Fixture) {
        jobs(&test.db, 1).await?;
        test.statements();
        let tx = test.db.begin_with(Begin { isolation: None, read_only: true }).await?;
        let error = Job::query().lock(Lock::Update).all(&tx).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert_eq!(Job::query().count(&tx).await?, 1, "the transaction goes on");
        assert_eq!(test.statements().len(), 1);
    }

    async fn nowait_fails_at_once(test: &Fixture) {
        let two = test.with_connections(2).await?;
        jobs(&two.db, 1).await?;
        for lock in [Lock::Update, Lock::Share] {
            let first = two.db.begin().await?;
            Job::query().lock(Lock::Update).one(&first).await?;
            let second = two.db.begin().await?;
            let started = Instant::now();
            let error = Job::query().lock(lock.nowait()).all(&second).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
            assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
            second.rollback().await?;
            first.commit().await?;
            let after = two.db.begin().await?;
            Job::query().lock(lock.nowait()).one(&after).await?;
        }
    }

    async fn a_locked_row_is_waited_for_and_no_count_is_lost(test: &Fixture) {
        let four = test.with_connections(4).await?;
        jobs(&four.db, 1).await?;
        let tasks: Vec<_> = (0..4).map(|_| {
            let db = four.db.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    db.transaction(async |tx| {
                        let mut job = Job::query().lock(Lock::Update).one(tx).await?;
                        tokio::task::yield_now().await;
                        job.runs += 1;
                        job.save(tx).await
                    }).await?;
                }
                Ok::<_, Error>(())
            })
        }).collect();
        for task in tasks {
            task.await.expect("no panic")?;
        }
        assert_eq!(Job::query().one(&four.db).await?.runs, 80);
    }

    async fn locked_rows_are_skipped(test: &Fixture) {
        if test.is(Backend::Sqlite) {
            // Who writes, writes alone: there is nothing to skip.
            return Ok(());
        }
        let two = test.with_connections(2).await?;
        jobs(&two.db, 3).await?;
        let next = || Job::query().order_by(|j| j.id().asc()).lock(Lock::Update.skip_locked());
        let (first, second) = (two.db.begin().await?, two.db.begin().await?);
        let mine = next().first(&first).await?.expect("a job");
        let started = Instant::now();
        let theirs = next().first(&second).await?.expect("another job");
        assert_eq!(theirs.id, mine.id + 1);
        assert_eq!(next().all(&second).await?.len(), 2, "one's own locks are no obstacle");
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }

    async fn workers_of_a_queue_do_every_job_once(test: &Fixture) {
        let four = test.with_connections(4).await?;
        jobs(&four.db, 40).await?;
        let workers: Vec<_> = (0..4).map(|_| {
            let db = four.db.clone();
            tokio::spawn(async move {
                let started = Instant::now();
                loop {
                    let left = db.transaction(async |tx| {
                        let next = Job::filter(|j| j.runs().eq(0)).lock(Lock::Update.skip_locked()).first(tx).await?;
                        let Some(mut job) = next else { return Ok(false) };
                        tokio::task::yield_now().await;
                        job.runs += 1;
                        job.save(tx).await?;
                        Ok(true)
                    }).await;
                    match left {
                        Ok(true) => {}
                        Ok(false) => return Ok(()),
                        Err(error) if error.is_retryable() && started.elapsed() < PATIENCE => {}
                        Err(error) => return Err(error),
                    }
                }
            })
        }).collect();
        for worker in workers {
            worker.await.expect("no panic")?;
        }
        assert_eq!(Job::filter(|j| j.runs().eq(1)).count(&four.db).await?, 40);
    }

    async fn several_share_a_lock(test: &Fixture) {
        if test.is(Backend::Sqlite) {
            return Ok(());
        }
        let three = test.with_connections(3).await?;
        jobs(&three.db, 1).await?;
        let (first, second, third) = (three.db.begin().await?, three.db.begin().await?, three.db.begin().await?);
        Job::query().lock(Lock::Share).one(&first).await?;
        Job::query().lock(Lock::Share.nowait()).one(&second).await?;
        let error = Job::query().lock(Lock::Update.nowait()).one(&third).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
    }

    async fn joined_rows_stay_free_where_that_can_be_said(test: &Fixture) {
        let two = test.with_connections(2).await?;
        jobs(&two.db, 1).await?;
        let ann = Owner::builder().name("Ann").insert(&two.db).await?;
        Job::builder().owner(&ann).runs(7).insert(&two.db).await?;
        two.statements();
        let tx = two.db.begin().await?;
        let query = Job::filter(|j| j.owner().name().eq("Ann") | j.owner().name().is_null());
        let found = query.order_by(|j| j.id().asc()).lock(Lock::Update).select(|j| (j, j.owner())).all(&tx).await?;
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].1.as_ref().expect("an owner").name, "Ann");
        let statements = two.statements();
        let end = ending(&statements);
        match test.backend {
            Backend::Sqlite => assert!(!end.contains("FOR"), "{end}"),
            Backend::Postgres => assert!(end.ends_with(" FOR UPDATE OF t0"), "{end}"),
            Backend::MariaDb => assert!(end.ends_with(" FOR UPDATE"), "{end}"),
        }
        let other = two.db.begin().await?;
        let free = Owner::query().lock(Lock::Update.nowait()).one(&other).await;
        assert_eq!(free.is_ok(), test.is(Backend::Postgres));
    }

    async fn a_nested_scope_locks_as_well(test: &Fixture) {
        jobs(&test.db, 1).await?;
        test.db.transaction(async |tx| {
            tx.transaction(async |inner| Job::query().lock(Lock::Update.nowait()).one(inner).await).await?;
            Job::query().lock(Lock::Update.nowait()).one(tx).await
        }).await?;
    }

    async fn a_session_takes_over_what_it_locks(test: &Fixture) {
        jobs(&test.db, 2).await?;
        let mut session = test.db.session();
        let query = || Job::query().order_by(|j| j.id().asc());
        let here = session.all(query()).await?;
        Job::query().update(&test.db, |j| j.runs().set(5)).await?;
        session.autoflush(false);
        session[here[1]].runs = 9;
        assert_eq!(session.all(query().lock(Lock::Update)).await?, here);
        let runs = |session: &Session| (session[here[0]].runs, session[here[1]].runs);
        assert_eq!(runs(&session), (5, 9), "one that was changed here stays so");
        session[here[0]].runs += 1;
        session.commit().await?;
        assert_eq!(Job::filter(|j| j.runs().is_in([6, 9])).count(&test.db).await?, 2);
    }
}

/// On SQLite a locked read takes the right to write.
mod sqlite {
    use super::*;
    use cormorant_conformance::Fixture;

    #[test]
    fn nobody_writes_beside_a_locked_read() {
        Fixture::run(Backend::Sqlite, "lock_sqlite", async |test| {
            let file = test.with_connections(1).await?;
            jobs(&file.db, 1).await?;
            let patience = Duration::from_millis(200);
            let two = Fixture::at(Backend::Sqlite, file.url.clone(), |options| {
                options.max_connections(2).acquire_timeout(patience)
            })
            .await?;
            let reader = two.db.begin().await?;
            Job::query().lock(Lock::Share).one(&reader).await?;
            let error = Job::builder().runs(1).insert(&two.db).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockTimeout, "{error}");
            reader.commit().await?;
            Job::builder().runs(1).insert(&two.db).await?;
            Ok(())
        });
    }
}
