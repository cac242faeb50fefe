//! Queries for one row while every connection is taken: PostgreSQL answers several on one connection.

use std::time::Duration;

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Backend, Fixture, boxed, conformance, join, poll_and_leave, poll_times};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "side_notes")]
struct Note {
    id: i64,
    text: String,
}

/// Of another table, whose rows can be kept from being read.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "side_locked")]
struct Locked {
    id: i64,
}

const NOTES: i64 = 40;

async fn create(test: &Fixture) -> Result<()> {
    test.db.create(models![Note, Locked]).await?;
    Note::insert_many(&test.db, (1..=NOTES).map(|id| Note { id, text: format!("note {id}") })).await?;
    Locked::insert_many(&test.db, [Locked { id: 1 }]).await?;
    Ok(())
}

/// One connection, which is waited for only so long.
async fn prepared(test: &Fixture) -> Result<Fixture> {
    create(test).await?;
    let one = Fixture::at(test.backend, test.url.clone(), |options| {
        options.max_connections(1).acquire_timeout(Duration::from_millis(300))
    })
    .await?;
    Note::get(&one.db, 1).await?; // prepares them
    Locked::get(&one.db, 1).await?;
    Ok(one)
}

/// Keeps everybody from reading a table until it is dropped.
async fn lock(test: &Fixture) -> Result<Transaction> {
    let tx = test.db.begin().await?;
    sql!("LOCK TABLE side_locked IN ACCESS EXCLUSIVE MODE").execute(&tx).await?;
    Ok(tx)
}

conformance! {
    async fn many_at_once_on_one_connection_get_their_own_rows(test: &Fixture) {
        let one = test.with_connections(1).await?;
        create(&one).await?;
        for _ in 0..20 {
            let asked = (1..=NOTES + 5).map(|id| boxed(Note::find(&one.db, id))).collect();
            for (found, id) in join(asked).await.into_iter().zip(1..) {
                assert_eq!(found?.map(|note| note.text.clone()), (id <= NOTES).then(|| format!("note {id}")));
            }
        }
        let mut note = Note::get(&one.db, 7).await?;
        note.text = "seven".to_owned();
        note.save(&one.db).await?;
    }
}

/// What only PostgreSQL does.
fn on_postgres(name: &str, test: impl AsyncFnOnce(&Fixture) -> Result<()>) {
    Fixture::run(Backend::Postgres, name, test);
}

#[test]
fn who_comes_second_goes_with_the_first() {
    on_postgres("who_comes_second_goes_with_the_first", async |test| {
        let one = prepared(test).await?;
        let tx = lock(test).await?;
        let slow = boxed(async { Locked::get(&one.db, 1).await.map(|locked| locked.id) });
        let beside = boxed(async { Note::get(&one.db, 2).await.map(|note| note.id) });
        let unlock = boxed(async {
            // Longer than anyone would wait for a connection.
            tokio::time::sleep(Duration::from_millis(500)).await;
            tx.rollback().await.map(|()| 0)
        });
        let ids = join(vec![slow, beside, unlock]).await.into_iter().collect::<Result<Vec<_>>>()?;
        assert_eq!(ids, [1, 2, 0]);
        Ok(())
    });
}

#[test]
fn nobody_goes_behind_what_takes_long() {
    on_postgres("nobody_goes_behind_what_takes_long", async |test| {
        let one = prepared(test).await?;
        let tx = lock(test).await?;
        let slow = boxed(async { Locked::get(&one.db, 1).await.map(|locked| locked.id) });
        let late = boxed(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let refused = Note::get(&one.db, 2).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::PoolTimeout, "{refused}");
            tx.rollback().await.map(|()| 0)
        });
        join(vec![slow, late]).await.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(())
    });
}

#[test]
fn who_waits_for_a_connection_of_its_own_is_not_passed_over() {
    on_postgres("who_waits_for_a_connection_of_its_own_is_not_passed_over", async |test| {
        let one = prepared(test).await?;
        let tx = lock(test).await?;
        let refused = |result: Result<i64>| {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::PoolTimeout);
            Ok(0)
        };
        let slow = boxed(async { Locked::get(&one.db, 1).await.map(|locked| locked.id) });
        let writes = boxed(async { refused(Note::builder().text("x").insert(&one.db).await.map(|note| note.id)) });
        let behind = boxed(async { refused(Note::get(&one.db, 2).await.map(|note| note.id)) });
        let unlock = boxed(async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            tx.rollback().await.map(|()| 0)
        });
        join(vec![slow, writes, behind, unlock]).await.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(())
    });
}

#[test]
fn a_query_given_up_does_not_keep_those_behind_it() {
    on_postgres("a_query_given_up_does_not_keep_those_behind_it", async |test| {
        let one = prepared(test).await?;
        let tx = lock(test).await?;
        let given_up = boxed(async {
            assert!(poll_times(Locked::get(&one.db, 1), 2).await.is_none(), "it is locked");
            Ok(0)
        });
        let behind = boxed(async { Note::get(&one.db, 2).await.map(|note| note.id) });
        let ids = join(vec![given_up, behind]).await.into_iter().collect::<Result<Vec<_>>>()?;
        assert_eq!(ids, [0, 2], "while the table is still locked");
        drop(tx);
        assert_eq!(Locked::get(&one.db, 1).await?.id, 1);
        Ok(())
    });
}

#[test]
fn a_query_stopped_instead_of_the_one_given_up_runs_again() {
    on_postgres("a_query_stopped_instead_of_the_one_given_up_runs_again", async |test| {
        let one = prepared(test).await?;
        let tx = lock(test).await?;
        let given_up = boxed(async {
            // Answered but not read: by the time the server is asked to stop, it is at the next one.
            let lies = Duration::from_millis(20);
            // On a busy machine it may be there at once: then it is asked again.
            while poll_and_leave(Note::get(&one.db, 1), 1, lies).await.is_some() {}
            tokio::time::sleep(Duration::from_millis(100)).await;
            tx.rollback().await.map(|()| 0)
        });
        let blocked = boxed(async { Locked::get(&one.db, 1).await.map(|locked| locked.id) });
        let ids = join(vec![given_up, blocked]).await.into_iter().collect::<Result<Vec<_>>>()?;
        assert_eq!(ids, [0, 1]);
        Ok(())
    });
}

#[test]
fn queries_given_up_at_any_time_harm_no_other() {
    on_postgres("queries_given_up_at_any_time_harm_no_other", async |test| {
        let one = prepared(test).await?;
        for round in 0..60 {
            let asked = (1..=12).map(|id: i64| {
                let db = &one.db;
                boxed(async move {
                    match (id + round) % 4 {
                        0 => poll_times(Note::get(db, id), (round % 5) as usize + 1).await,
                        _ => Some(Note::get(db, id).await),
                    }
                })
            });
            for (found, id) in join(asked.collect()).await.into_iter().zip(1..) {
                if let Some(found) = found {
                    assert_eq!(found?.id, id);
                }
            }
        }
        Note::query().update(&one.db, |note| note.text().set("the last")).await?;
        Ok(())
    });
}
