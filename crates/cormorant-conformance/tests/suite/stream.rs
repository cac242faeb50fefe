//! Rows one after the other, as they come.

use cormorant::prelude::*;
use cormorant::{ErrorKind, ObjectState, Result};
use cormorant_conformance::{Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "str_readings")]
struct Reading {
    id: i64,
    name: String,
    owner: Option<ForeignKey<Reading>>,
}

/// More than one chunk, and not a whole number of them.
const ROWS: i64 = 3_001;

async fn filled(test: &Fixture) -> Result<()> {
    test.db.create(models![Reading]).await?;
    let row = |n: i64| Reading { id: 0, name: format!("r{n}"), owner: None };
    Reading::insert_many(&test.db, (0..ROWS).map(row)).await?;
    test.statements();
    Ok(())
}

conformance! {
    async fn every_row_comes_once_in_order(test: &Fixture) {
        filled(test).await?;
        let mut rows = Reading::query().order_by(|r| r.id().asc()).stream(&test.db);
        let mut n = 0;
        while let Some(row) = rows.next().await? {
            assert_eq!(row.name, format!("r{n}"));
            n += 1;
        }
        assert_eq!((n, rows.next().await?), (ROWS, None), "it stays at its end");
        assert_eq!(test.statements().len(), 1);
        let mut names = Reading::filter(|r| r.name().eq("none")).select(|r| r.name()).stream(&test.db);
        assert_eq!(names.next().await?, None);
    }

    async fn one_that_is_dropped_early_leaves_the_connection_usable(test: &Fixture) {
        filled(test).await?;
        for taken in [0, 1, 300] {
            let mut rows = Reading::query().stream(&test.db);
            for _ in 0..taken {
                assert!(rows.next().await?.is_some());
            }
            drop(rows);
            assert_eq!(Reading::query().count(&test.db).await?, ROWS as u64);
        }
    }

    async fn in_a_transaction_it_sees_what_the_transaction_wrote(test: &Fixture) {
        filled(test).await?;
        let tx = test.db.begin().await?;
        Reading::query().delete(&tx).await?;
        Record::insert(Reading { id: 0, name: "new".into(), owner: None }, &tx).await?;
        let mut rows = Reading::query().stream(&tx);
        assert_eq!(rows.next().await?.map(|row| row.name.clone()), Some("new".to_owned()));
        assert_eq!(rows.next().await?, None);
        drop(rows);
        tx.rollback().await?;
        assert_eq!(Reading::query().count(&test.db).await?, ROWS as u64, "the stream's end was not the transaction's");
    }

    async fn what_is_wrong_comes_behind_the_rows_before_it(test: &Fixture) {
        filled(test).await?;
        let mut rows = Reading::query().include(|r| r.owner()).stream(&test.db);
        let error = rows.next().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Misuse && error.to_string().contains("load_all"), "{error}");
        assert_eq!(rows.next().await?, None);
        test.execute("DROP TABLE str_readings").await?;
        let mut rows = Reading::query().stream(&test.db);
        let error = rows.next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch, "{error}");
        assert_eq!(rows.next().await?, None);
    }

    async fn through_a_session_that_forgets(test: &Fixture) {
        filled(test).await?;
        let mut session = test.db.session();
        let first = session.first(Reading::query()).await?.unwrap();
        session[first].name = "changed".into();
        let mut rows = session.stream(Reading::query().order_by(|r| r.id().asc())).await?;
        let again = rows.next(&mut session).await?;
        assert_eq!((again, session[first].name.as_str()), (Some(first), "changed"), "one row is one object");
        let mut n = 1;
        while let Some(row) = rows.next(&mut session).await? {
            assert_eq!(session[row].name, format!("r{n}"));
            session.forget(row)?;
            n += 1;
        }
        assert_eq!(n, ROWS);
        assert_eq!(session.objects::<Reading>(ObjectState::Clean), [first]);
        session.commit().await?;
        assert_eq!(Reading::filter(|r| r.name().eq("changed")).count(&test.db).await?, 1);
    }
}
