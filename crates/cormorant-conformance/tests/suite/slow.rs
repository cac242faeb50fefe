//! Statements that take long: who is warned, and who has to wait.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cormorant::prelude::*;
use cormorant::{ErrorKind, Options, Sql, UncheckedSql};
use cormorant_conformance::{Backend, Fixture, conformance};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as Recorded};
use tracing::{Event, Metadata, Subscriber};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "slow_notes")]
struct Note {
    id: i64,
    text: String,
    data: Option<Vec<u8>>,
    #[model(precision = 5, scale = 2)]
    price: Option<Decimal>,
}

/// What was said, a line per field.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "cormorant"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Recorded<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.lock().unwrap().push(format!("{field}: {value:?}"));
    }
}

/// A statement that takes a while, and binds a value.
fn slow(backend: Backend) -> Sql {
    let value = "s3cret";
    match backend {
        Backend::Sqlite => sql!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) \
             SELECT {value} FROM n WHERE i = 300000"
        ),
        Backend::Postgres => sql!("SELECT {value}::text FROM pg_sleep(0.05)"),
        Backend::MariaDb => sql!("SELECT {value} FROM (SELECT SLEEP(0.05)) AS s"),
    }
}

/// A statement that would never end by itself in the time of a test.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";

async fn on_a_thread(test: &Fixture) -> cormorant::Result<Fixture> {
    Fixture::at(test.backend, "sqlite::memory:?offload=thread".to_owned(), |options| options).await
}

conformance! {
    async fn a_slow_statement_is_warned_about_and_shows_no_value(test: &Fixture) {
        let log = Log::default();
        let db = Fixture::at(test.backend, test.url.clone(), |o| o.slow_statement(Duration::from_millis(2))).await?.db;
        let patient = Fixture::at(test.backend, test.url.clone(), |o| o.slow_statement(Duration::from_secs(60))).await?.db;
        let guard = tracing::subscriber::set_default(log.clone());
        let _: String = slow(test.backend).one(&patient).await?;
        assert_eq!(*log.0.lock().unwrap(), [""; 0], "not as long as that");
        let _: String = slow(test.backend).one(&db).await?;
        drop(guard);
        let lines = log.0.lock().unwrap().join("\n");
        assert!(lines.contains("message: slow statement"), "{lines}");
        assert!(lines.contains("db.query.text: \"WITH RECURSIVE") || lines.contains("db.query.text: \"SELECT"), "{lines}");
        assert!(lines.contains("seconds: 0."), "{lines}");
        assert!(!lines.contains("s3cret"), "{lines}");
    }

    async fn an_observer_learns_how_long_a_statement_took(test: &Fixture) {
        let longest = Arc::new(Mutex::new(Duration::ZERO));
        let seen = Arc::clone(&longest);
        let options = Options::parse(&test.url)?.on_statement(move |event| {
            let mut longest = seen.lock().unwrap();
            *longest = event.elapsed.max(*longest);
        });
        let db = Database::connect_with(options).await?;
        let before = Instant::now();
        let _: String = slow(test.backend).one(&db).await?;
        let whole = before.elapsed();
        let longest = *longest.lock().unwrap();
        assert!(longest > Duration::from_millis(2) && longest <= whole, "{longest:?} of {whole:?}");
    }

    async fn on_a_thread_of_its_own_a_statement_keeps_no_task_waiting(test: &Fixture) {
        if !test.is(Backend::Sqlite) {
            return Ok(());
        }
        // One thread for every task: a statement that ran on it would be the only thing that runs.
        let ticks = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(async {
                        let db = on_a_thread(test).await?.db;
                        let endless = Sql::unchecked(UncheckedSql::vouch_for(ENDLESS));
                        let mut ticks = 0;
                        let counting = async {
                            while ticks < 20 {
                                tokio::time::sleep(Duration::from_millis(1)).await;
                                ticks += 1;
                            }
                        };
                        tokio::select! {
                            _ = endless.one::<i64>(&db) => panic!("it has no end"),
                            () = counting => {}
                        }
                        // Given up, it was stopped: its connection is the only one, and is free again.
                        let one: i64 = sql!("SELECT 1").one(&db).await?;
                        Ok::<i64, cormorant::Error>(ticks + one)
                    })
                })
                .join()
                .unwrap()
        })?;
        assert_eq!(ticks, 21);
    }

    async fn on_a_thread_of_its_own_everything_is_as_without(test: &Fixture) {
        if !test.is(Backend::Sqlite) {
            return Ok(());
        }
        let db = &on_a_thread(test).await?.db;
        db.create(models![Note]).await?;
        let note = Note { id: 0, text: "ä".into(), data: Some(vec![0, 255]), price: Some(dec!(9.90)) };
        let notes = (0..3000).map(|_| note.clone());
        Note::insert_many(db, notes).await?;
        let all = Note::query().order_by(|n| n.id().asc()).all(db).await?;
        assert_eq!(all.len(), 3000, "several chunks");
        assert!(all.iter().zip(1..).all(|(found, id)| **found == Note { id, ..note.clone() }));
        let error = Note::builder().id(1).text("twice").insert(db).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Unique, Some("id")));
        // A transaction that is dropped is rolled back before the next statement.
        let tx = db.begin().await?;
        Note::query().delete(&tx).await?;
        drop(tx);
        assert_eq!(Note::query().count(db).await?, 3000);
        // A decoding error in the first chunk of many leaves the connection to the next.
        let error = sql!("SELECT 'text' FROM slow_notes").all::<i64>(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(Note::query().count(db).await?, 3000);
        // Plain code too.
        let db = db.clone();
        let count = std::thread::spawn(move || Note::query().count(&db).wait()).join().unwrap()?;
        assert_eq!(count, 3000);
    }
}
