//! What users store, and what opens the database, shows nowhere: not in an error, not in a log, not in `Debug`.

use cormorant::prelude::*;
use cormorant::{Error, ErrorKind, Options, Result};
use cormorant_conformance::{Backend, Fixture, conformance};

const CANARY: &str = "c4n4ry-value";
/// A number that nothing else holds.
const NUMBER: i64 = 8_675_309_421;

#[derive(Model, Clone, Debug)]
#[model(table = "secret_owners")]
struct Owner {
    #[model(key, max_length = 24)]
    name: String,
}

#[derive(Model, Clone, Debug)]
#[model(table = "secret_notes", unique(code, place))]
struct Note {
    id: i64,
    #[model(max_length = 24, unique)]
    text: String,
    #[model(max_length = 24)]
    code: String,
    #[model(max_length = 24)]
    place: String,
    #[model(check = "size < 10000000000")]
    size: i64,
    owner: Option<ForeignKey<Owner>>,
    #[model(secret, max_length = 12)]
    pin: Option<String>,
    #[model(secret, precision = 5, scale = 2)]
    amount: Option<Decimal>,
    #[model(secret)]
    large: Option<u64>,
}

fn note() -> Note {
    Note {
        id: 0,
        text: CANARY.into(),
        code: CANARY.into(),
        place: CANARY.into(),
        size: NUMBER,
        owner: None,
        pin: None,
        amount: None,
        large: None,
    }
}

#[derive(Model, Clone, Debug)]
#[model(table = "secret_keys")]
struct Keyed {
    #[model(key, secret, generated = false)]
    number: i64,
    text: String,
}

/// The same table, as a program sees it whose models are wrong.
#[derive(Model, Clone, Debug)]
#[model(table = "secret_notes")]
struct Wrong {
    id: i64,
    #[model(column = "text")]
    number: i64,
}

/// Neither form of an error holds a value.
fn is_silent(error: &Error) {
    let mut shown = format!("{error} {error:?} {error:#?} {:?} {:?}", error.faults(), error.columns());
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        shown.push_str(&format!("{inner} {inner:?}"));
        source = inner.source();
    }
    assert!(!shown.contains("c4n4ry") && !shown.contains(&NUMBER.to_string()), "{shown}");
}

fn silent<T>(result: Result<T>) -> ErrorKind {
    let Err(error) = result else { panic!("an error was expected") };
    is_silent(&error);
    error.kind()
}

conformance! {
    async fn no_error_of_a_constraint_shows_a_value(test: &Fixture) {
        let db = &test.db;
        db.create(models![Owner, Note]).await?;
        Owner::builder().name(CANARY).insert(db).await?;
        let mut kept = Record::insert(Note { owner: Some(ForeignKey::to(CANARY.into())), ..note() }, db).await?;

        assert_eq!(silent(Record::insert(note(), db).await), ErrorKind::Unique);
        assert_eq!(silent(Record::insert(Note { text: "other".into(), ..note() }, db).await), ErrorKind::Unique);
        assert_eq!(silent(Owner::builder().name(CANARY).insert(db).await), ErrorKind::Unique);
        let missing = Some(ForeignKey::to(format!("{CANARY}!")));
        let other = Note { text: "x".into(), code: "y".into(), ..note() };
        let orphan = Note { owner: missing.clone(), ..other.clone() };
        assert_eq!(silent(Record::insert(orphan, db).await), ErrorKind::ForeignKey);
        assert_eq!(silent(Record::insert(Note { size: NUMBER * 10, ..other }, db).await), ErrorKind::Check);
        assert_eq!(silent(Owner::get(db, CANARY).await?.delete(db).await), ErrorKind::ForeignKey);
        kept.owner = missing;
        assert_eq!(silent(kept.save(db).await), ErrorKind::ForeignKey);
        let by_hand = sql!("INSERT INTO secret_owners (name) VALUES ({CANARY})");
        assert_eq!(silent(by_hand.execute(db).await), ErrorKind::Unique);
    }

    async fn no_error_of_reading_shows_a_value(test: &Fixture) {
        let db = &test.db;
        db.create(models![Owner, Note]).await?;
        Record::insert(note(), db).await?;
        assert_eq!(silent(Wrong::query().all(db).await), ErrorKind::Decode);
        assert_eq!(silent(sql!("SELECT text FROM secret_notes").one::<i64>(db).await), ErrorKind::Decode);
        assert_eq!(silent(sql!("SELECT size FROM secret_notes").one::<i32>(db).await), ErrorKind::Decode);
        assert_eq!(silent(sql!("SELECT size FROM secret_notes").one::<String>(db).await), ErrorKind::Decode);
        assert_eq!(silent(Note::filter(|n| n.text().eq(format!("{CANARY}!"))).one(db).await), ErrorKind::NotFound);
        assert_eq!(silent(Owner::get(db, CANARY).await), ErrorKind::NotFound);
        // The database's own words about a value that it cannot turn into another type.
        if !test.is(Backend::Sqlite) {
            let cast = sql!("SELECT CAST(text AS DATE) AS d FROM secret_notes WHERE text = {CANARY}");
            let cast = cast.one::<Date>(db).await;
            is_silent(&cast.unwrap_err());
        }
    }

    async fn no_error_of_a_row_that_is_gone_shows_its_key(test: &Fixture) {
        let db = &test.db;
        db.create(models![Owner, Keyed]).await?;
        let mut owner = Owner::builder().name(CANARY).insert(db).await?;
        let mut keyed = Record::insert(Keyed { number: NUMBER, text: "x".into() }, db).await?;
        Owner::query().delete(db).await?;
        Keyed::query().delete(db).await?;
        assert_eq!(silent(owner.refresh(db).await), ErrorKind::Stale);
        assert_eq!(silent(owner.delete(db).await), ErrorKind::Stale);
        keyed.text = "y".into();
        assert_eq!(silent(keyed.save(db).await), ErrorKind::Stale);
        assert_eq!(silent(keyed.delete(db).await), ErrorKind::Stale);
    }

    async fn validation_shows_lengths_and_numbers_of_plain_fields_only(test: &Fixture) {
        test.db.create(models![Owner, Note]).await?;
        let long = "x".repeat(10) + &"c4n4ry".repeat(5);
        let error = Record::insert(
            Note {
                text: long.clone(),
                pin: Some(long),
                amount: Some(dec!(98765.4321)),
                large: Some(u64::MAX - 4_242),
                ..note()
            },
            &test.db,
        )
        .await
        .unwrap_err();
        assert!(error.is_validation());
        is_silent(&error);
        let fields: Vec<&str> = error.faults().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["text", "pin", "amount", "large"]);
        let shown = format!("{error} {error:?}");
        assert!(error.faults()[0].message.contains("40 characters"), "{shown}");
        for secret in &error.faults()[1..] {
            for hint in ["40", "98765", "9876", "4321", "1844674407370954", "7373"] {
                assert!(!secret.message.contains(hint), "{}: {}", secret.field, secret.message);
            }
        }
        assert_eq!(test.rows_in("secret_notes").await?, 0);
    }

    async fn no_statement_in_a_log_shows_a_value(test: &Fixture) {
        let db = &test.db;
        db.create(models![Owner, Note]).await?;
        test.statements();
        let mut record = Record::insert(note(), db).await?;
        record.text = format!("{CANARY}2");
        record.save(db).await?;
        Note::filter(|n| n.text().contains(CANARY) & n.size().eq(NUMBER)).all(db).await?;
        Note::filter(|n| n.text().is_in([CANARY])).update(db, |n| (n.code().set(CANARY), n.size().set(NUMBER))).await?;
        sql!("SELECT {CANARY}, {NUMBER}").one::<(String, i64)>(db).await?;
        record.delete(db).await?;
        let log = test.statements().join("\n");
        assert_eq!(log.lines().count(), 6, "{log}");
        assert!(!log.contains("c4n4ry") && !log.contains(&NUMBER.to_string()), "{log}");
    }

    async fn debug_shows_no_value(test: &Fixture) {
        let db = &test.db;
        db.create(models![Owner, Note]).await?;
        let tx = db.begin().await?;
        Record::insert(note(), &tx).await?;
        let query = Note::filter(|n| n.text().eq(CANARY) & n.size().eq(NUMBER));
        query.clone().all(&tx).await?;
        let shown = format!("{db:?} {tx:?} {query:?} {test:?}");
        assert!(!shown.contains("c4n4ry") && !shown.contains(&NUMBER.to_string()), "{shown}");
        tx.rollback().await?;
    }

    async fn debug_of_sql_shows_no_value(test: &Fixture) {
        let statement = sql!("SELECT {CANARY}, {NUMBER}");
        let shown = format!("{statement:?}");
        assert!(!shown.contains("c4n4ry") && !shown.contains(&NUMBER.to_string()), "{shown}");
        statement.one::<(String, i64)>(&test.db).await?;
    }

    async fn the_password_shows_nowhere(test: &Fixture) {
        let password = "c4n4ry-password";
        let Some((scheme, rest)) = test.url.split_once("://") else { return Ok(()) };
        let (account, place) = rest.rsplit_once('@').unwrap_or(("root", rest));
        let user = account.split(':').next().unwrap_or(account);
        let url = format!("{scheme}://{user}:{password}@{place}");
        let nowhere = |shown: String| assert!(!shown.contains("c4n4ry"), "{shown}");

        nowhere(format!("{:?}", Options::parse(&url)?));
        // A server that trusts everyone lets it in; one that does not says no without saying what was wrong.
        match Fixture::at(test.backend, url.clone(), |options| options).await {
            Ok(fixture) => {
                let _: i64 = sql!("SELECT 1").one(&fixture.db).await?;
                let tx = fixture.db.begin().await?;
                nowhere(format!("{fixture:?} {:?} {tx:?}", fixture.db));
            }
            Err(error) => is_silent(&error),
        }
        let (host, database) = place.rsplit_once('/').unwrap_or((place, ""));
        for wrong in [
            format!("{scheme}://nobody:{password}@{host}/{database}_gone"),
            format!("{scheme}://{user}:{password}@127.0.0.1:1/{database}"),
            format!("{scheme}://{user}:{password}@no.such.host.invalid/{database}?connect_timeout=2"),
            format!("{scheme}://{user}:{password}@{host}"),
            format!("{scheme}://{user}:{password}@{host}/{database}?password={password}"),
            format!("{scheme}://{user}:1/x?{password}@{host}/{database}"),
            format!("{scheme}://{user}:{password}%zz@{host}/{database}"),
            format!("{scheme}s://{user}:{password}@{host}/{database}"),
            format!("{password}@{host}/{database}"),
        ] {
            match Database::connect(&wrong).await {
                Ok(db) => nowhere(format!("{db:?}")),
                Err(error) => nowhere(format!("{error} {error:?}")),
            }
        }
    }
}
