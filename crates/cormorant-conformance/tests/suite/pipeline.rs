//! How often PostgreSQL is waited for: what does not need an answer is sent before it comes.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Backend, Fixture};

use crate::detour::Detour;

#[derive(Model, Clone, Debug)]
#[model(table = "pipe_houses")]
struct House {
    id: i64,
    #[model(unique)]
    name: String,
}

#[derive(Model, Clone, Debug)]
#[model(table = "pipe_people")]
struct Person {
    id: i64,
    name: String,
    age: i32,
    house: ForeignKey<House>,
}

#[derive(Model, Clone, Debug)]
#[model(table = "pipe_tags")]
struct Tag {
    id: i64,
    name: String,
}

/// A database behind a slow way, whose statements are all prepared.
fn slow(name: &str, test: impl AsyncFnOnce(&Detour) -> Result<()>) {
    Fixture::run(Backend::Postgres, name, async |fixture| {
        fixture.db.create(models![House, Person, Tag]).await?;
        let detour = Detour::to(fixture).await?;
        let mut session = detour.fixture.db.session();
        let handles = fill(&mut session);
        session.commit().await?;
        change(&mut session, &handles);
        session.commit().await?;
        delete(&mut session, handles);
        session.commit().await?;
        House::query().count(&detour.fixture.db).await?;
        detour.trips();
        test(&detour).await
    });
}

type Handles = (Handle<House>, [Handle<Person>; 2], Handle<Tag>);

fn fill(session: &mut Session) -> Handles {
    let house = session.add(House { id: 0, name: "Rookery".into() });
    let tag = session.add(Tag { id: 0, name: "black".into() });
    let person = |name: &str| Person { id: 0, name: name.into(), age: 1, house: ForeignKey::from(house) };
    let people = ["Ada", "Bob"].map(|name| session.add(person(name)));
    (house, people, tag)
}

/// Different columns of one table, and of others: four statements.
fn change(session: &mut Session, (house, [one, other], tag): &Handles) {
    session[*house].name.push('!');
    session[*one].age += 1;
    session[*other].name.push('!');
    session[*tag].name.push('!');
}

fn delete(session: &mut Session, (house, people, tag): Handles) {
    people.into_iter().for_each(|person| session.delete(person));
    session.delete(house);
    session.delete(tag);
}

#[test]
fn begin_goes_with_the_first_statement() {
    slow("begin_goes_with_the_first_statement", async |detour| {
        detour.fixture.db.transaction(async |tx| House::query().count(tx).await.map(drop)).await?;
        assert_eq!(detour.trips(), 2, "BEGIN with SELECT, and COMMIT");
        let tx = detour.fixture.db.begin().await?;
        tx.commit().await?;
        assert_eq!(detour.trips(), 0, "nothing was begun");
        Ok(())
    });
}

#[test]
fn begin_goes_with_a_savepoint() {
    slow("begin_goes_with_a_savepoint", async |detour| {
        let tx = detour.fixture.db.begin().await?;
        let scope = tx.savepoint().await?;
        assert_eq!(detour.trips(), 1);
        House::query().count(&scope).await?;
        scope.commit().await?;
        tx.commit().await?;
        assert_eq!(detour.trips(), 3);
        Ok(())
    });
}

#[test]
fn a_first_statement_that_fails_has_begun_the_transaction() {
    slow("a_first_statement_that_fails_has_begun_the_transaction", async |detour| {
        let tx = detour.fixture.db.begin().await?;
        for _ in 0..2 {
            let failed = sql!("SELECT 1 / (SELECT 0)").execute(&tx).await;
            assert!(failed.is_err());
        }
        let poisoned = House::query().count(&tx).await.unwrap_err();
        assert_eq!(poisoned.kind(), ErrorKind::TransactionPoisoned);
        assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::TransactionPoisoned);
        House::query().count(&detour.fixture.db).await?;
        Ok(())
    });
}

#[test]
fn a_flush_waits_once_for_each_level() {
    slow("a_flush_waits_once_for_each_level", async |detour| {
        let mut session = detour.fixture.db.session();
        let handles = fill(&mut session);
        session.commit().await?;
        assert_eq!(detour.trips(), 3, "houses and tags, people, COMMIT");
        change(&mut session, &handles);
        session.commit().await?;
        assert_eq!(detour.trips(), 2, "four updates, COMMIT");
        delete(&mut session, handles);
        session.commit().await?;
        assert_eq!(detour.trips(), 2, "three deletes, COMMIT");
        Ok(())
    });
}

#[test]
fn the_first_of_several_that_fails_is_told() {
    slow("the_first_of_several_that_fails_is_told", async |detour| {
        let db = &detour.fixture.db;
        let mut session = db.session();
        let handles = fill(&mut session);
        let (house, people, tag) = handles;
        House::insert_many(db, [House { id: 0, name: "taken".into() }]).await?;
        session.commit().await?;
        change(&mut session, &handles);
        session[house].name = "taken".into();
        let failed = session.commit().await.unwrap_err();
        assert_eq!((failed.kind(), failed.model()), (ErrorKind::Unique, Some("House")), "{failed}");
        session.rollback().await?;
        assert_eq!((&*session[house].name, session[people[0]].age, &*session[tag].name), ("Rookery", 1, "black"));

        change(&mut session, &handles);
        Person::query().filter(|p| p.id().eq(session[people[0]].id)).delete(db).await?;
        let failed = session.commit().await.unwrap_err();
        assert_eq!((failed.kind(), failed.model()), (ErrorKind::Stale, Some("Person")), "{failed}");
        session.rollback().await?;
        assert_eq!(House::query().filter(|h| h.name().eq("Rookery")).count(db).await?, 1);
        Ok(())
    });
}
