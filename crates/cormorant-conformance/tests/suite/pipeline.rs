//! How often PostgreSQL is waited for: what does not need an answer is sent before it comes. And what is told, on every
//! database, when one of many statements fails.

use cormorant::prelude::*;
use cormorant::{ErrorKind, ObjectState, Result};
use cormorant_conformance::{Backend, Fixture, conformance};

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

#[derive(Model, Clone, Debug)]
#[model(table = "pipe_shelves")]
struct Shelf {
    id: i64,
    #[model(unique, max_length = 20)]
    name: String,
}

#[derive(Model, Clone, Debug)]
#[model(table = "pipe_books")]
struct Book {
    id: i64,
    title: String,
    pages: u64,
    shelf: ForeignKey<Shelf>,
    #[model(version)]
    version: i64,
}

#[derive(Model, Clone, Debug)]
#[model(table = "pipe_decks")]
struct Deck {
    id: i64,
}

/// Goes with its deck, and with the card above it.
#[derive(Model, Clone, Debug)]
#[model(table = "pipe_cards")]
struct Card {
    id: i64,
    #[model(on_delete = cascade)]
    deck: Option<ForeignKey<Deck>>,
    #[model(on_delete = cascade)]
    above: Option<ForeignKey<Card>>,
    #[model(version)]
    version: i64,
}

/// Two shelves, and two books on the first.
async fn shelves(test: &Fixture) -> Result<(Session, [Handle<Shelf>; 2], [Handle<Book>; 2])> {
    test.db.create(models![Shelf, Book]).await?;
    let mut session = test.db.session();
    let shelves = ["left", "right"].map(|name| session.add(Shelf { id: 0, name: name.into() }));
    let books = ["one", "two"]
        .map(|title| session.add(Book { id: 0, title: title.into(), pages: 1, shelf: shelves[0].into(), version: 0 }));
    session.commit().await?;
    Ok((session, shelves, books))
}

conformance! {
    async fn a_row_that_is_left_is_told_before_what_it_keeps(test: &Fixture) {
        let (mut session, shelves, books) = shelves(test).await?;
        let key = session[books[0]].id;
        sql!("UPDATE pipe_books SET version = version + 7 WHERE id = {key}").execute(&test.db).await?;
        let place = session.savepoint().await?;
        books.into_iter().for_each(|book| session.delete(book));
        session.delete(shelves[0]);
        // The shelf cannot go while a book is there, which somebody has changed.
        let failed = session.flush().await.unwrap_err();
        assert_eq!((failed.kind(), failed.model()), (ErrorKind::Stale, Some("Book")), "{failed}");
        session.rollback_to(place).await?;
        assert_eq!(books.map(|book| session.state(book)), [ObjectState::Clean; 2]);
        assert_eq!(session.state(shelves[0]), ObjectState::Clean);
        session.delete(books[1]);
        session[shelves[1]].name.push('!');
        session.commit().await?;
        assert_eq!(Book::query().select(|b| b.id()).all(&test.db).await?, [key]);
        assert_eq!(Shelf::query().filter(|s| s.name().eq("right!")).count(&test.db).await?, 1);
    }

    async fn a_row_that_was_changed_is_told_before_what_fails_behind_it(test: &Fixture) {
        let (mut session, _, books) = shelves(test).await?;
        let key = session[books[0]].id;
        sql!("UPDATE pipe_books SET version = version + 7 WHERE id = {key}").execute(&test.db).await?;
        let place = session.savepoint().await?;
        session[books[0]].title.push('!');
        session[books[1]].shelf = ForeignKey::to(-1);
        let failed = session.flush().await.unwrap_err();
        assert_eq!((failed.kind(), failed.model()), (ErrorKind::Stale, Some("Book")), "{failed}");
        session.rollback_to(place).await?;
        let [one, two] = books.map(|book| (&*session[book].title, session[book].version));
        assert_eq!([one, two], [("one", 0), ("two", 0)]);
        session[books[1]].title.push('!');
        session.commit().await?;
        assert_eq!(session[books[1]].version, 1);

        // The same of records.
        let mut records = Book::query().order_by(|b| b.id().asc()).all(&test.db).await?;
        sql!("UPDATE pipe_books SET version = version + 7 WHERE id = {key}").execute(&test.db).await?;
        records[0].title.push('?');
        records[1].shelf = ForeignKey::to(-1);
        let failed = Book::update_many(&test.db, &mut records).await.unwrap_err();
        assert_eq!((failed.kind(), failed.model()), (ErrorKind::Stale, Some("Book")), "{failed}");
        assert_eq!(Book::query().filter(|b| b.title().eq("one")).count(&test.db).await?, 1);
    }

    async fn a_row_is_looked_for_before_others_go(test: &Fixture) {
        test.db.create(models![Deck, Card]).await?;
        let mut session = test.db.session();
        let deck = session.add(Deck { id: 0 });
        let card = |deck: Option<Handle<Deck>>, above: Option<Handle<Card>>| Card {
            id: 0,
            deck: deck.map(Into::into),
            above: above.map(Into::into),
            version: 0,
        };
        let top = session.add(card(None, None));
        let middle = session.add(card(None, Some(top)));
        let bottom = session.add(card(Some(deck), Some(middle)));
        session.commit().await?;
        let (deck, [top, middle, bottom]) = (session[deck].id, [top, middle, bottom].map(|card| session[card].id));

        // As far as this session can know, the lowest card may go with the first.
        let mut session = test.db.session();
        let deck = session.get::<Deck>(deck).await?;
        let cards = session.all(Card::filter(|c| c.id().is_in([top, bottom]))).await?;
        // It does not any more, and has been changed; it would go with the deck.
        sql!("UPDATE pipe_cards SET above_id = NULL WHERE id = {middle}").execute(&test.db).await?;
        sql!("UPDATE pipe_cards SET version = version + 7 WHERE id = {bottom}").execute(&test.db).await?;
        cards.into_iter().for_each(|card| session.delete(card));
        session.delete(deck);
        let failed = session.commit().await.unwrap_err();
        assert_eq!((failed.kind(), failed.model()), (ErrorKind::Stale, Some("Card")), "{failed}");
        session.rollback().await?;
        assert_eq!(Card::query().count(&test.db).await?, 3);
    }

    async fn a_transaction_of_which_nothing_was_sent_leaves_nothing_open(test: &Fixture) {
        let one = &test.with_connections(1).await?;
        one.db.create(models![Shelf, Book]).await?;
        let other = one.beside(1).await?;
        for (rows, commits) in [(1, true), (2, false)] {
            let tx = one.db.begin().await?;
            let never_sent = Book::query().filter(|b| b.pages().eq(u64::MAX)).count(&tx).await;
            assert_eq!(never_sent.unwrap_err().kind(), ErrorKind::Encode);
            match commits {
                true => tx.commit().await?,
                false => tx.rollback().await?,
            }
            Shelf::insert_many(&one.db, [Shelf { id: 0, name: rows.to_string() }]).await?;
            assert_eq!(Shelf::query().count(&other.db).await?, rows);
        }
    }
}

#[test]
fn a_flush_whose_plans_changed_succeeds_again() {
    Fixture::run(Backend::Postgres, "a_flush_whose_plans_changed_succeeds_again", async |test| {
        let one = test.with_connections(1).await?;
        one.db.create(models![House, Person, Tag]).await?;
        let mut session = one.db.session();
        fill(&mut session);
        session.commit().await?;
        for table in ["houses", "tags"] {
            test.execute(&format!("ALTER TABLE pipe_{table} ALTER id TYPE integer")).await?;
        }
        test.execute("UPDATE pipe_houses SET name = 'another'").await?;
        fill(&mut session);
        let changed = session.commit().await.unwrap_err();
        assert_eq!(changed.kind(), ErrorKind::PreparedPlanChanged, "{changed}");
        session.rollback().await?;
        fill(&mut session);
        session.commit().await?;
        assert_eq!(House::query().count(&test.db).await?, 2);
        Ok(())
    });
}
