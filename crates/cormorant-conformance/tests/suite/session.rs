//! The Unit of Work: what a session keeps, writes and takes back.

use std::time::Duration;

use cormorant::prelude::*;
use cormorant::{ErrorKind, ObjectState, Result};
use cormorant_conformance::{Backend, Fixture, conformance, poll_times};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_users")]
struct User {
    id: i64,
    #[model(max_length = 20)]
    name: String,
    age: i32,
    notes: HasMany<Note>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_notes")]
struct Note {
    id: i64,
    #[model(on_delete = cascade)]
    user: Option<ForeignKey<User>>,
    #[model(unique, max_length = 20)]
    slug: String,
    tags: ManyToMany<Tag>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_tags")]
struct Tag {
    id: i64,
    name: String,
    notes: ManyToMany<Note>,
}

/// A key that the program gives, and one to which rows of the same table point.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_places")]
struct Place {
    #[model(key, max_length = 10)]
    code: String,
    inside: Option<ForeignKey<Place>>,
    #[model(on_delete = set_null)]
    keeper: Option<ForeignKey<User>>,
}

/// Two that point at each other.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_firms")]
struct Firm {
    id: i64,
    boss: Option<ForeignKey<Worker>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_workers")]
struct Worker {
    id: i64,
    firm: ForeignKey<Firm>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_hens")]
struct Hen {
    id: i64,
    egg: ForeignKey<Egg>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_eggs")]
struct Egg {
    id: i64,
    hen: ForeignKey<Hen>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_pages")]
struct Page {
    id: i64,
    text: String,
    #[model(version)]
    version: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_orders")]
struct Order {
    id: i64,
    #[model(delete_orphans)]
    items: HasMany<Item>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_items")]
struct Item {
    id: i64,
    order: ForeignKey<Order>,
}

/// A key of two columns, rows that point at it, and links with it.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_lines")]
struct Line {
    #[model(key)]
    order: i64,
    #[model(key)]
    number: i32,
    title: String,
    parcels: HasMany<Parcel>,
    tags: ManyToMany<LineTag>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_line_tags")]
struct LineTag {
    id: i64,
    lines: ManyToMany<Line>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "ses_parcels")]
struct Parcel {
    id: i64,
    #[model(references(order, number))]
    line: Option<ForeignKey<Line>>,
}

async fn tables(test: &Fixture) -> Result<Session> {
    test.db.create(models![User, Note, Tag, Place, Firm, Worker]).await?;
    test.statements();
    Ok(test.db.session())
}

fn user(name: &str) -> User {
    User { id: 0, name: name.into(), age: 1, notes: HasMany::default() }
}

fn note(slug: &str) -> Note {
    Note { id: 0, user: None, slug: slug.into(), tags: ManyToMany::default() }
}

fn tag(name: &str) -> Tag {
    Tag { id: 0, name: name.into(), notes: ManyToMany::default() }
}

/// The statements since the last call, by their first words.
fn verbs(test: &Fixture) -> Vec<String> {
    test.statements().iter().map(|sql| sql.split(' ').next().unwrap_or_default().to_owned()).collect()
}

async fn slugs(test: &Fixture) -> Result<Vec<String>> {
    Note::query().select(|n| n.slug()).order_by(|n| n.id().asc()).all(&test.db).await
}

conformance! {
    async fn what_is_added_is_inserted_changed_and_deleted(test: &Fixture) {
        let mut session = tables(test).await?;
        let john = session.add(User::builder().name("John").age(30));
        assert_eq!(session.state(john), ObjectState::New);
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"]);
        assert_ne!(session[john].id, 0);
        assert_eq!(session.state(john), ObjectState::Clean);

        session[john].age += 1;
        assert_eq!(session.state(john), ObjectState::Changed);
        session.commit().await?;
        let sent = test.statements();
        assert!(sent.len() == 1 && sent[0].contains("age") && !sent[0].contains("name"), "{sent:?}");
        session[john].age += 0;
        session.commit().await?;
        assert_eq!(test.statements(), Vec::<String>::new(), "borrowed, but not changed");

        let found = session.get::<User>(session[john].id).await?;
        assert_eq!(found, john, "one row is one object");
        assert_eq!(test.statements(), Vec::<String>::new());

        session.delete(john);
        assert_eq!(session.state(john), ObjectState::Deleted);
        let key = session[john].id;
        assert_eq!(session.find::<User>(key).await?, None, "before the flush too");
        session.commit().await?;
        assert_eq!(verbs(test), ["DELETE"]);
        assert_eq!(session[john].name, "John", "it can be read still");
        assert_eq!(session.find::<User>(key).await?, None);
    }

    async fn queries_find_what_was_not_written_yet(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        let found = session.all(User::filter(|u| u.name().eq("Ann"))).await?;
        assert_eq!(found, [ann]);
        assert_eq!(verbs(test), ["INSERT", "SELECT"]);
        session[ann].age = 5;
        session.autoflush(false);
        let found = session.one(User::filter(|u| u.age().eq(1))).await?;
        assert_eq!((found, session[ann].age), (ann, 5), "what was read does not overwrite what was changed");
        session.rollback().await?;
        assert_eq!(User::query().count(&test.db).await?, 0);
    }

    async fn many_are_written_in_few_statements(test: &Fixture) {
        let mut session = tables(test).await?;
        for n in 0..3 {
            let parent = session.add(user(&format!("u{n}")));
            for m in 0..4 {
                session.add(Note { user: Some(parent.into()), ..note(&format!("n{n}{m}")) });
            }
        }
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"; 2]);
        let notes = session.all(Note::query()).await?;
        assert_eq!(notes.len(), 12);
        verbs(test);
        for note in &notes {
            let slug = format!("{}x", session[*note].slug);
            session[*note].slug = slug;
        }
        session.commit().await?;
        assert_eq!(verbs(test), ["UPDATE"]);
        let users = session.all(User::query()).await?;
        verbs(test);
        notes.iter().for_each(|note| session.delete(*note));
        users.iter().for_each(|user| session.delete(*user));
        session.commit().await?;
        assert_eq!(verbs(test), ["DELETE"; 2]);
        assert_eq!(User::query().count(&test.db).await?, 0);
    }

    async fn the_order_of_adding_does_not_matter(test: &Fixture) {
        let mut session = tables(test).await?;
        let leaf = session.add(Place { code: "leaf".into(), inside: None, keeper: None });
        let root = session.add(Place { code: "root".into(), inside: None, keeper: None });
        let keeper = session.add(user("Ann"));
        session[leaf].inside = Some(root.into());
        session[root].keeper = Some(keeper.into());
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"; 3], "the keeper, the root, the leaf");
        let found = Place::get(&test.db, "leaf").await?;
        assert_eq!(found.inside.as_ref().and_then(ForeignKey::key).map(String::as_str), Some("root"));
        session.delete(root);
        session.delete(leaf);
        session.commit().await?;
        assert_eq!(Place::query().count(&test.db).await?, 0);
    }

    async fn a_key_that_the_program_gave_is_a_parent_without_its_handle(test: &Fixture) {
        let mut session = tables(test).await?;
        for (code, inside) in [("c", Some("b")), ("b", Some("a")), ("a", None)] {
            session.add(Place { code: code.into(), inside: inside.map(Into::into), keeper: None });
        }
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"; 3]);
    }

    async fn a_circle_is_broken_where_it_can_be_and_refused_elsewhere(test: &Fixture) {
        let mut session = tables(test).await?;
        let firm = session.add(Firm { id: 0, boss: None });
        let boss = session.add(Worker { id: 0, firm: firm.into() });
        session[firm].boss = Some(boss.into());
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT", "INSERT", "UPDATE"]);
        let found = Firm::query().one(&test.db).await?;
        assert_eq!(found.boss.as_ref().and_then(ForeignKey::key), Some(&session[boss].id));
        verbs(test);
        session.delete(firm);
        session.delete(boss);
        session.commit().await?;
        assert_eq!(verbs(test), ["UPDATE", "DELETE", "DELETE"]);

        let hen = session.add(Hen { id: 0, egg: ForeignKey::to(0) });
        let egg = session.add(Egg { id: 0, hen: hen.into() });
        session[hen].egg = egg.into();
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse);
        assert!(error.to_string().contains("Hen.egg -> Egg.hen"), "{error}");
        assert_eq!(test.statements(), Vec::<String>::new());
        session.rollback().await?;
    }

    async fn rollback_takes_back_what_was_done_in_memory_too(test: &Fixture) {
        let mut session = tables(test).await?;
        let (ann, bob) = (session.add(user("Ann")), session.add(user("Bob")));
        session.commit().await?;
        let eve = session.add(user("Eve"));
        session[ann].name = "Anna".into();
        session.delete(bob);
        session.flush().await?;
        session[ann].name = "Annabel".into();
        assert_ne!(session[eve].id, 0);
        session.rollback().await?;
        assert_eq!(session[ann].name, "Ann");
        assert_eq!((session.state(ann), session.state(bob)), (ObjectState::Clean, ObjectState::Clean));
        assert_eq!((session.state(eve), session[eve].id), (ObjectState::Detached, 0), "its key was the database's");
        let mut names: Vec<String> = User::query().select(|u| u.name()).all(&test.db).await?;
        names.sort();
        assert_eq!(names, ["Ann", "Bob"]);
        test.statements();
        assert_eq!(session.get::<User>(session[bob].id).await?, bob, "deleted and back");
        assert_eq!(test.statements(), Vec::<String>::new());
    }

    async fn after_a_failed_flush_only_rollback_helps(test: &Fixture) {
        let mut session = tables(test).await?;
        let first = session.add(note("same"));
        session.commit().await?;
        let second = session.add(note("same"));
        let error = session.flush().await.unwrap_err();
        assert!(error.is_unique() && error.to_string().contains("Note.slug"), "{error}");
        let again = session.flush().await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::TransactionPoisoned);
        assert!(again.to_string().contains("rollback"), "{again}");
        assert_eq!(session.all(Note::query()).await.unwrap_err().kind(), ErrorKind::TransactionPoisoned);
        session.rollback().await?;
        assert_eq!(session.state(second), ObjectState::Detached);
        assert_eq!(session.all(Note::query()).await?, [first]);
    }

    async fn savepoints(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        let outer = session.savepoint().await?;
        session[ann].name = "Anna".into();
        let inner = session.savepoint().await?;
        let bob = session.add(user("Bob"));
        session.flush().await?;
        session.rollback_to(inner).await?;
        assert_eq!((session.state(bob), session[ann].name.as_str()), (ObjectState::Detached, "Anna"));
        assert_eq!(session.rollback_to(inner).await.unwrap_err().kind(), ErrorKind::Misuse, "it has ended");
        let kept = session.savepoint().await?;
        session[ann].age = 7;
        session.release(kept).await?;
        session.rollback_to(outer).await?;
        assert_eq!((session[ann].name.as_str(), session[ann].age), ("Ann", 1));
        session.add(note("a"));
        session.flush().await?;
        let before = session.savepoint().await?;
        session.add(note("a"));
        assert!(session.flush().await.unwrap_err().is_unique());
        session.rollback_to(before).await?;
        session.add(note("b"));
        session.commit().await?;
        assert_eq!(slugs(test).await?, ["a", "b"]);
        assert_eq!(User::query().one(&test.db).await?.name, "Ann");
    }

    async fn unique_values_move(test: &Fixture) {
        let mut session = tables(test).await?;
        let (a, b, c) = (session.add(note("a")), session.add(note("b")), session.add(note("c")));
        session.commit().await?;
        // Deleted, and added again.
        session.delete(c);
        let c = session.add(note("c"));
        session.commit().await?;
        assert_eq!(slugs(test).await?, ["a", "b", "c"]);
        // Exchanged.
        session[a].slug = "b".into();
        session[b].slug = "a".into();
        session.commit().await?;
        assert_eq!(slugs(test).await?, ["b", "a", "c"]);
        // Handed on along a row, to a new one.
        session[c].slug = "d".into();
        session[a].slug = "c".into();
        session[b].slug = "b".into();
        session.add(note("a"));
        session.commit().await?;
        assert_eq!(slugs(test).await?, ["c", "b", "d", "a"]);
        // Round in a circle of three.
        session[a].slug = "d".into();
        session[b].slug = "c".into();
        session[c].slug = "b".into();
        session.commit().await?;
        assert_eq!(slugs(test).await?, ["d", "c", "b", "a"]);
        session[a].slug = "e".into();
        session.rollback().await?;
        assert_eq!(session[a].slug, "d");
    }

    async fn a_key_that_is_deleted_and_added_is_one_update(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        let old = session.add(Place { code: "x".into(), inside: None, keeper: None });
        session.commit().await?;
        verbs(test);
        session.delete(old);
        let new = session.add(Place { code: "x".into(), inside: None, keeper: Some(ann.into()) });
        session.commit().await?;
        assert_eq!(verbs(test), ["UPDATE"]);
        assert_eq!((session.state(old), session.state(new)), (ObjectState::Deleted, ObjectState::Clean));
        assert_eq!(session.get::<Place>("x").await?, new);
        session[new].keeper = None;
        session.rollback().await?;
        assert_eq!(session[new].keeper.as_ref().and_then(ForeignKey::key), Some(&session[ann].id));
    }

    async fn children_move_and_follow_their_parent(test: &Fixture) {
        let mut session = tables(test).await?;
        let (ann, bob) = (session.add(user("Ann")), session.add(user("Bob")));
        let one = session.add(Note { user: Some(ann.into()), ..note("1") });
        let two = session.add(note("2"));
        session.link(ann, |u| u.notes(), two).await?;
        assert_eq!(session.related(ann, |u| u.notes()).await?, [one, two]);
        session.commit().await?;
        verbs(test);
        // By the child, and by the parent.
        session[one].user = Some(bob.into());
        assert_eq!(session.related(ann, |u| u.notes()).await?, [two]);
        assert_eq!(session.related(bob, |u| u.notes()).await?, [one]);
        session.link(bob, |u| u.notes(), two).await?;
        assert_eq!(session.related(two, |n| n.user()).await?, [bob]);
        session.unlink(bob, |u| u.notes(), one).await?;
        assert_eq!(session.related(bob, |u| u.notes()).await?, [two]);
        assert_eq!(test.statements(), Vec::<String>::new(), "all of it in memory");
        session.commit().await?;
        assert_eq!(verbs(test), ["UPDATE"]);
        assert_eq!(Note::filter(|n| n.user().is_null()).one(&test.db).await?.slug, "1");
        // The database deletes the children, and the session knows.
        verbs(test);
        session.delete(bob);
        session.commit().await?;
        assert_eq!(verbs(test), ["DELETE"]);
        assert_eq!(session.state(two), ObjectState::Deleted);
        assert_eq!(session.state(one), ObjectState::Clean);
        assert_eq!(slugs(test).await?, ["1"]);
    }

    async fn links_from_both_sides(test: &Fixture) {
        let mut session = tables(test).await?;
        let (a, b) = (session.add(note("a")), session.add(note("b")));
        let (x, y, z) = (session.add(tag("x")), session.add(tag("y")), session.add(tag("z")));
        session.set(a, |n| n.tags(), [x, y]).await?;
        session.link(y, |t| t.notes(), b).await?;
        session.link(y, |t| t.notes(), b).await?;
        assert_eq!(session.related(y, |t| t.notes()).await?, [a, b]);
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"; 3], "linked twice, written once");
        assert_eq!(test.rows_in("ses_notes_ses_tags").await?, 3);
        verbs(test);
        session.set(a, |n| n.tags(), [y, z]).await?;
        assert_eq!(session.related(x, |t| t.notes()).await?, []);
        session.commit().await?;
        assert_eq!(verbs(test), ["DELETE", "INSERT"]);
        let mut other = test.db.session();
        let key = session[a].id;
        let a2 = other.get::<Note>(key).await?;
        let tags = other.related(a2, |n| n.tags()).await?;
        let mut names: Vec<&str> = tags.iter().map(|tag| other[*tag].name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["y", "z"]);
        // What is linked is known now, and from the other side too.
        verbs(test);
        assert_eq!(other.related(a2, |n| n.tags()).await?.len(), 2);
        assert_eq!(test.statements(), Vec::<String>::new());
        other.unlink(a2, |n| n.tags(), tags[0]).await?;
        other.rollback().await?;
        assert_eq!(other.related(a2, |n| n.tags()).await?.len(), 2);
    }

    async fn orphans_are_deleted_and_what_moves_is_none(test: &Fixture) {
        test.db.create(models![Order, Item]).await?;
        let mut session = test.db.session();
        let (one, other) = (session.add(Order::builder()), session.add(Order::builder()));
        let items: Vec<_> = (0..4).map(|_| session.add(Item::builder().order(one))).collect();
        assert_eq!(session.related(one, |o| o.items()).await?, items);
        session.commit().await?;
        verbs(test);
        let new = session.add(Item::builder().order(other));
        session.set(one, |o| o.items(), [items[0], new]).await?;
        assert_eq!(test.statements(), Vec::<String>::new());
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT", "DELETE"]);
        assert_eq!(session.state(items[1]), ObjectState::Deleted);
        session.unlink(one, |o| o.items(), items[0]).await?;
        session.link(other, |o| o.items(), items[0]).await?;
        session.commit().await?;
        assert_eq!(verbs(test), ["UPDATE"], "it moved");
        assert_eq!(session.related(other, |o| o.items()).await?, [items[0]]);
        session.unlink(one, |o| o.items(), new).await?;
        session.rollback().await?;
        assert_eq!(session.state(new), ObjectState::Clean);
        assert_eq!(test.rows_in("ses_items").await?, 2);
    }

    async fn versions_are_counted_and_compared(test: &Fixture) {
        test.db.create(models![Page]).await?;
        let mut session = test.db.session();
        let page = |n: i32| Page::builder().text(n.to_string());
        let pages: Vec<_> = (0..3).map(|n| session.add(page(n))).collect();
        session.commit().await?;
        assert_eq!(session[pages[0]].version, 1);
        verbs(test);
        pages.iter().for_each(|page| session[*page].text.push('!'));
        session.commit().await?;
        assert_eq!(verbs(test), ["UPDATE"], "each compared, in one statement");
        assert_eq!(session[pages[2]].version, 2);

        // As records: the second writer is told.
        let key = session[pages[0]].id;
        let (mut one, mut other) = (Page::get(&test.db, key).await?, Page::get(&test.db, key).await?);
        one.text = "one".into();
        one.save(&test.db).await?;
        other.text = "other".into();
        let error = other.save(&test.db).await.unwrap_err();
        assert!(error.is_stale() && error.to_string().contains("changed"), "{error}");
        assert_eq!(other.version, 2, "as it was read");
        assert!(other.delete(&test.db).await.unwrap_err().is_stale());
        assert!(Page::update_many(&test.db, [&mut other]).await.unwrap_err().is_stale());
        assert_eq!(other.version, 2);
        other.refresh(&test.db).await?;
        assert_eq!((other.version, other.text.as_str()), (3, "one"));
        other.text = "again".into();
        Page::update_many(&test.db, [&mut other]).await?;
        assert_eq!(Page::get(&test.db, key).await?.version, 4);

        // As objects: what was read before is stale.
        session[pages[0]].text = "late".into();
        session[pages[1]].text = "late".into();
        assert!(session.commit().await.unwrap_err().is_stale());
        session.rollback().await?;
        assert_eq!(session[pages[1]].version, 2);
        session.delete(pages[0]);
        assert!(session.commit().await.unwrap_err().is_stale());
        session.rollback().await?;
        session.refresh(pages[0]).await?;
        pages.iter().for_each(|page| session.delete(*page));
        session.commit().await?;
        assert_eq!(test.rows_in("ses_pages").await?, 0);
    }

    async fn keys_of_several_columns(test: &Fixture) {
        test.db.create(models![Line, LineTag, Parcel]).await?;
        let mut session = test.db.session();
        let line = |number| Line {
            order: 7,
            number,
            title: format!("{number}"),
            parcels: HasMany::default(),
            tags: ManyToMany::default(),
        };
        let (one, two) = (session.add(line(1)), session.add(line(2)));
        let (a, b) = (session.add(Parcel { id: 0, line: Some(two.into()) }), session.add(Parcel { id: 0, line: None }));
        let tag = session.add(LineTag { id: 0, lines: ManyToMany::default() });
        session.set(tag, |t| t.lines(), [one, two]).await?;
        test.statements();
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"; 4]);
        let mut other = test.db.session();
        let lines = other.all(Line::query().include(|l| l.parcels()).include(|l| l.tags())).await?;
        assert_eq!(verbs(test), ["SELECT"; 3]);
        let two2 = other.get::<Line>((7, 2)).await?;
        assert_eq!(other.related(two2, |l| l.parcels()).await?.len(), 1);
        assert_eq!(other.related(lines[0], |l| l.tags()).await?.len(), 1);
        assert_eq!(test.statements(), Vec::<String>::new());
        session.link(one, |l| l.parcels(), a).await?;
        session.link(one, |l| l.parcels(), b).await?;
        session.unlink(tag, |t| t.lines(), two).await?;
        session[one].title = "x".into();
        session[two].title = "y".into();
        session.commit().await?;
        assert_eq!(verbs(test), ["UPDATE", "UPDATE", "DELETE"]);
        assert_eq!(Parcel::filter(|p| p.line().title().eq("x")).count(&test.db).await?, 2);
        assert_eq!(test.rows_in("ses_line_tags_ses_lines").await?, 1);
        session.delete(a);
        session.delete(b);
        session.delete(one);
        session.delete(two);
        session.commit().await?;
        assert_eq!(test.rows_in("ses_lines").await?, 0);
    }

    async fn a_parent_that_is_deleted_with_a_child_just_added(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        session.commit().await?;
        let child = session.add(Note { user: Some(ann.into()), ..note("a") });
        session.delete(ann);
        session.commit().await?;
        assert_eq!(session.state(child), ObjectState::Detached, "it would have gone with its parent");
        assert_eq!(test.rows_in("ses_notes").await?, 0);
        assert_eq!(test.rows_in("ses_users").await?, 0);
    }

    async fn a_new_object_that_points_at_one_without_a_row_is_refused(test: &Fixture) {
        let mut session = tables(test).await?;
        for _ in 0..2 {
            let ann = session.add(user("Ann"));
            session.rollback().await?;
            let child = session.add(Note { user: Some(ann.into()), ..note("a") });
            assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Misuse);
            assert_eq!(session.state(child), ObjectState::New);
            session.rollback().await?;

            // Whatever was deleted before, or is now.
            let (bob, cid) = (session.add(user("Bob")), session.add(user("Cid")));
            session.commit().await?;
            session.delete(bob);
            session.commit().await?;
            session.delete(cid);
            let child = session.add(Note { user: Some(bob.into()), ..note("a") });
            assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Misuse);
            assert_eq!(session.state(child), ObjectState::New);
            session.rollback().await?;
        }
        // It goes with one that is deleted before both were written.
        let ann = session.add(user("Ann"));
        let child = session.add(Note { user: Some(ann.into()), ..note("a") });
        session.delete(ann);
        session.commit().await?;
        assert_eq!((session.state(child), test.rows_in("ses_notes").await?), (ObjectState::Detached, 0));
    }

    async fn what_was_inserted_and_forgotten_is_not_there_after_a_rollback(test: &Fixture) {
        let mut session = tables(test).await?;
        let bob = session.add(user("Bob"));
        session.commit().await?;
        let ann = session.add(user("Ann"));
        session.flush().await?;
        let savepoint = session.savepoint().await?;
        session.forget(ann)?;
        let key = session[bob].id;
        let ann = session.one(User::filter(|u| u.name().eq("Ann"))).await?;
        let cid = session.add(user("Cid"));
        session.flush().await?;
        session.forget(cid)?;
        let cid = session.one(User::filter(|u| u.name().eq("Cid"))).await?;
        session.rollback_to(savepoint).await?;
        assert_eq!([session.state(ann), session.state(cid)], [ObjectState::Clean, ObjectState::Detached]);
        session.delete(ann);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!([session.state(ann), session.state(cid)], [ObjectState::Detached; 2]);
        assert_eq!(session.get::<User>(key).await?, bob);
        let new = session.add(user("Dan"));
        session.commit().await?;
        let found = session.all(User::query()).await?;
        assert_eq!(found, [bob, new]);
    }

    async fn an_object_whose_row_somebody_deleted_leaves_its_key_to_a_new_one(test: &Fixture) {
        let mut session = tables(test).await?;
        let place = |code: &str| Place { code: code.into(), inside: None, keeper: None };
        let old = session.add(place("p"));
        session.commit().await?;
        Place::query().delete(&test.db).await?;
        let new = session.add(place("p"));
        session.flush().await?;
        assert_eq!([session.state(old), session.state(new)], [ObjectState::Deleted, ObjectState::Clean]);
        session.rollback().await?;
        assert_eq!([session.state(old), session.state(new)], [ObjectState::Clean, ObjectState::Detached]);
    }

    async fn what_a_query_includes_is_here_afterwards(test: &Fixture) {
        let mut session = tables(test).await?;
        for n in 0..3 {
            let parent = session.add(user(&format!("u{n}")));
            let child = session.add(Note { user: Some(parent.into()), ..note(&format!("n{n}")) });
            let tag = session.add(tag("t"));
            session.link(child, |n| n.tags(), tag).await?;
        }
        session.commit().await?;
        let mut other = test.db.session();
        test.statements();
        let users = other.all(User::query().include(|u| u.notes().include(|n| n.tags()))).await?;
        assert_eq!(verbs(test), ["SELECT"; 3]);
        for user in users {
            let notes = other.related(user, |u| u.notes()).await?;
            assert_eq!(notes.len(), 1);
            assert_eq!(other.related(notes[0], |n| n.tags()).await?.len(), 1);
            assert_eq!(other.related(notes[0], |n| n.user()).await?, [user]);
        }
        assert_eq!(test.statements(), Vec::<String>::new());
        let notes = test.db.session().all(Note::query().include(|n| n.user())).await?;
        assert_eq!((notes.len(), verbs(test).len()), (3, 2));
    }

    async fn a_stale_row_is_an_error(test: &Fixture) {
        let mut session = tables(test).await?;
        let (ann, bob) = (session.add(user("Ann")), session.add(user("Bob")));
        session.commit().await?;
        let key = session[ann].id;
        User::filter(|u| u.id().eq(key)).delete(&test.db).await?;
        session[ann].age = 9;
        session[bob].age = 9;
        let error = session.commit().await.unwrap_err();
        assert!(error.is_stale(), "{error}");
        session.rollback().await?;
        assert_eq!(session[bob].age, 1);
        assert!(session.refresh(ann).await.unwrap_err().is_stale());
    }

    async fn what_others_wrote_is_taken_over_when_asked_for(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        session.commit().await?;
        User::query().update(&test.db, |u| u.age().set(50)).await?;
        session.all(User::query()).await?;
        assert_eq!(session[ann].age, 1, "what is here is not read over");
        session.expire_all();
        session.all(User::query()).await?;
        assert_eq!(session[ann].age, 50);
        User::query().update(&test.db, |u| u.age().set(51)).await?;
        session[ann].name = "lost".into();
        session.refresh(ann).await?;
        assert_eq!((session[ann].age, session[ann].name.as_str()), (51, "Ann"));
    }

    async fn handles_know_their_session(test: &Fixture) {
        let mut session = tables(test).await?;
        let mut other = test.db.session();
        let ann = session.add(user("Ann"));
        other.add(user("Bob"));
        assert!(other.try_get(ann).unwrap_err().to_string().contains("another session"));
        session.commit().await?;
        let entity = session.forget(ann)?;
        assert_eq!(entity.name, "Ann");
        assert!(session.try_get(ann).unwrap_err().to_string().contains("forgotten"));
        let again = session.get::<User>(entity.id).await?;
        assert_ne!(again, ann);
        assert!(session.try_get(ann).is_err(), "the place may be another object's");
        session[again].age = 3;
        assert_eq!(session.forget(again).unwrap_err().kind(), ErrorKind::Misuse);
        let note = other.add(Note { user: Some(again.into()), ..note("n") });
        let error = other.flush().await.unwrap_err();
        assert!(error.to_string().contains("another session"), "{error}");
        other.delete(note);
        other.rollback().await?;
    }

    async fn everything_invalid_is_told_before_anything_is_sent(test: &Fixture) {
        let mut session = tables(test).await?;
        session.add(user("Ann"));
        session.add(user("a name that is longer than it may be"));
        let error = session.flush().await.unwrap_err();
        assert!(error.is_validation(), "{error}");
        assert_eq!(test.statements(), Vec::<String>::new());
        assert_eq!(session.all(User::query()).await.unwrap_err().kind(), ErrorKind::Validation);
    }

    async fn objects_from_elsewhere_are_merged(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        session.commit().await?;
        let key = session[ann].id;
        let mut other = test.db.session();
        verbs(test);
        let merged = other.merge(User { id: key, age: 9, ..user("Ann") }).await?;
        assert_eq!(verbs(test), ["SELECT"]);
        other.commit().await?;
        let sent = test.statements();
        assert!(sent.len() == 1 && sent[0].contains("age") && !sent[0].contains("name"), "{sent:?}");
        // It is here now; a second one is not there, a third has no key.
        let three = [User { id: key, age: 10, ..user("Ann") }, User { id: 999, ..user("Bob") }, user("Eve")];
        let three = other.merge_all(three).await?;
        assert_eq!((three[0], verbs(test)), (merged, vec!["SELECT".to_owned()]));
        other.commit().await?;
        assert_eq!(User::query().count(&test.db).await?, 3);
        assert_eq!(User::get(&test.db, 999).await?.name, "Bob");
        session.refresh_all([ann]).await?;
        assert_eq!(session[ann].age, 10);
    }

    async fn writes_by_query_run_in_the_session(test: &Fixture) {
        let mut session = tables(test).await?;
        let (ann, bob) = (session.add(user("Ann")), session.add(user("Bob")));
        let note = session.add(Note { user: Some(bob.into()), ..note("n") });
        session.commit().await?;
        session[ann].age = 3;
        assert_eq!(session.update_all(User::filter(|u| u.age().ge(1)), |u| u.age().set(u.age() + 1)).await?, 2);
        let users = session.all(User::query().order_by(|u| u.id().asc())).await?;
        assert_eq!(users.iter().map(|user| session[*user].age).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(session.delete_all(User::filter(|u| u.name().eq("Bob"))).await?, 1);
        let key = session[bob].id;
        assert_eq!(session.find::<User>(key).await?, None);
        assert_eq!(session.state(bob), ObjectState::Deleted);
        let key = session[note].id;
        assert_eq!(session.find::<Note>(key).await?, None, "the database deleted it");
        let count: i64 = sql!("SELECT COUNT(*) FROM ses_users").one(session.begin().await?).await?;
        assert_eq!(count, 1);
        session.rollback().await?;
        assert_eq!(User::query().count(&test.db).await?, 2);
    }

    async fn hooks_run_around_a_flush(test: &Fixture) {
        let mut session = tables(test).await?;
        session.before_flush(|session| {
            for user in session.objects::<User>(ObjectState::New) {
                session[user].age = 77;
            }
            if session.objects::<Tag>(ObjectState::New).is_empty() { Ok(()) } else { Err(cormorant::Error::other("no tags")) }
        });
        session.after_flush(|session| {
            assert!(session.objects::<User>(ObjectState::New).is_empty());
            Ok(())
        });
        let ann = session.add(user("Ann"));
        session.commit().await?;
        assert_eq!(session[ann].age, 77);
        let bad = session.add(tag("t"));
        test.statements();
        assert_eq!(session.flush().await.unwrap_err().to_string(), "no tags");
        assert_eq!(test.statements(), Vec::<String>::new());
        assert_eq!(session.detach(bad)?.name, "t");
        session.commit().await?;
    }

    async fn a_part_of_the_work_is_kept_whole_or_not(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        let failed = session
            .transaction(async |session| {
                session[ann].age = 2;
                session.add(note("n"));
                session.flush().await?;
                session.add(note("n"));
                session.flush().await
            })
            .await;
        assert!(failed.unwrap_err().is_unique());
        assert_eq!(session[ann].age, 1);
        let kept = session.transaction(async |session| Ok(session.add(note("kept")))).await?;
        session.commit().await?;
        assert_eq!(session.state(kept), ObjectState::Clean);
        assert_eq!(slugs(test).await?, ["kept"]);
    }

    async fn a_dropped_flush_wants_a_rollback(test: &Fixture) {
        let mut session = tables(test).await?;
        let ann = session.add(user("Ann"));
        session.commit().await?;
        session[ann].age = 2;
        drop(session.commit());
        session[ann].age = 3;
        session.commit().await?;
        assert_eq!(User::query().one(&test.db).await?.age, 3, "one that was never polled did nothing");
        if !test.is(Backend::Sqlite) {
            session[ann].age = 4;
            // A server may have answered before the first poll comes to its end.
            while poll_times(session.flush(), 1).await.is_some() {
                session[ann].age += 1;
            }
            let error = session.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TransactionPoisoned, "{error}");
            session.rollback().await?;
            assert_eq!((session[ann].age, User::query().one(&test.db).await?.age), (3, 3));
        }
    }

    async fn a_session_borrows_several_objects(test: &Fixture) {
        let mut session = tables(test).await?;
        let (ann, bob, n) = (session.add(user("Ann")), session.add(user("Bob")), session.add(note("n")));
        let [a, b] = session.get_disjoint_mut([ann, bob]);
        std::mem::swap(&mut a.name, &mut b.name);
        let (user, note) = session.pair_mut(ann, n);
        note.slug.clone_from(&user.name);
        assert_eq!((session[ann].name.as_str(), session[n].slug.as_str()), ("Bob", "Bob"));
    }

    async fn a_session_on_one_connection_never_hangs(test: &Fixture) {
        test.db.create(models![User]).await?;
        let one = test.with_patience(1, Duration::from_millis(300)).await?;
        one.db.create(models![User]).await?;
        let mut session = one.db.session();
        session.add(user("Ann"));
        session.flush().await?;
        let error = User::query().count(&one.db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PoolTimeout);
        assert!(error.to_string().contains("session"), "{error}");
        session.commit().await?;
        assert_eq!(User::query().count(&one.db).await?, 1);
        let tx = one.db.begin().await?;
        User::query().count(&tx).await?;
        session.add(user("Bob"));
        assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::PoolTimeout);
        tx.rollback().await?;
        session.commit().await?;
        assert_eq!(User::query().count(&one.db).await?, 2);
    }
}

/// A session is used from any thread.
#[test]
fn a_session_is_send() {
    fn is_send<T: Send>() {}
    is_send::<Session>();
}
