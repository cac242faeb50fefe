//! Foreign keys of several columns.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_orders")]
struct Order {
    id: i64,
    name: String,
    lines: HasMany<Line>,
}

/// A part of its key is a foreign key itself; it points at rows of its own kind, and is linked with others.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_lines")]
struct Line {
    #[model(key)]
    order: ForeignKey<Order>,
    #[model(key, max_length = 8)]
    code: String,
    title: String,
    #[model(default = 0)]
    price: i64,
    #[model(references(order_id, code))]
    parent: Option<ForeignKey<Line>>,
    children: HasMany<Line>,
    #[model(via = line)]
    shipments: HasMany<Shipment>,
    #[model(via = moved)]
    arrivals: HasMany<Shipment>,
    label: HasOne<Label>,
    steps: HasMany<Step>,
    tags: ManyToMany<Tag>,
    #[model(inverse = buddies_of)]
    buddies: ManyToMany<Line>,
    #[model(inverse = buddies)]
    buddies_of: ManyToMany<Line>,
    #[model(through = Pairing, via = one)]
    pairs: ManyToMany<Line>,
}

/// A link with data of its own: its key is two foreign keys, of two columns each.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_pairings")]
struct Pairing {
    #[model(key, references(order_id, code))]
    one: ForeignKey<Line>,
    #[model(key, references(order_id, code))]
    other: ForeignKey<Line>,
    #[model(db_default = "1")]
    weight: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_shipments")]
struct Shipment {
    id: i64,
    #[model(references(order_id, code), on_delete = cascade)]
    line: ForeignKey<Line>,
    #[model(references(order_id = "to_order", code = "to_code"), index = false, on_delete = set_null)]
    moved: Option<ForeignKey<Line>>,
    weight: i64,
}

/// The foreign key is the key.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_labels")]
struct Label {
    #[model(key, references(order_id, code))]
    line: OneToOne<Line>,
    text: String,
}

/// The foreign key is a part of the key.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_steps")]
struct Step {
    #[model(key, references(order_id, code))]
    line: ForeignKey<Line>,
    #[model(key)]
    number: i32,
    done: bool,
    notes: HasMany<Note>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_notes", unique(step, kind))]
struct Note {
    id: i64,
    #[model(references(line_order_id, line_code, number))]
    step: ForeignKey<Step>,
    kind: i64,
    text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_tags")]
struct Tag {
    id: i64,
    name: String,
    lines: ManyToMany<Line>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_shelves")]
struct Shelf {
    #[model(key, column = "room-no")]
    room: i64,
    #[model(key, column = "2nd place")]
    place: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_cases", rename_all = "PascalCase")]
struct Case {
    id: i64,
    #[model(references("room-no", "2nd place"))]
    shelf: ForeignKey<Shelf>,
    #[model(references("room-no", "2nd place" = "at"))]
    behind: Option<ForeignKey<Shelf>>,
}

/// Two orders with the same codes, which a careless comparison of one column would mix up.
async fn seed(test: &Fixture) -> Result<()> {
    let db = &test.db;
    db.create(models![Order, Line, Shipment, Label, Step, Note, Tag, Pairing]).await?;
    for name in ["first", "second", "empty"] {
        Order::builder().name(name).insert(db).await?;
    }
    for (order, code, title, price, parent) in [
        (1, "a", "1a", 10, None),
        (1, "b", "1b", 20, Some((1, "a"))),
        (2, "a", "2a", 30, Some((1, "a"))),
        (2, "b", "2b", 40, Some((2, "a"))),
    ] {
        let parent = parent.map(|(order, code): (i64, &str)| ForeignKey::to((order, code.to_owned())));
        Line::builder().order(order).code(code).title(title).price(price).parent(parent).insert(db).await?;
    }
    for (order, code, moved, weight) in
        [(1, "a", None, 1), (1, "a", Some((2, "b")), 2), (1, "a", Some((1, "b")), 3), (2, "a", Some((2, "b")), 4)]
    {
        let moved = moved.map(|(order, code): (i64, &str)| ForeignKey::to((order, code.to_owned())));
        Shipment::builder().line((order, code.to_owned())).moved(moved).weight(weight).insert(db).await?;
    }
    Label::builder().line((1, "b".to_owned())).text("fragile").insert(db).await?;
    for (order, number) in [(1, 1), (1, 2), (2, 1)] {
        Step::builder().line((order, "a".to_owned())).number(number).done(number == 1).insert(db).await?;
    }
    for (number, kind) in [(1, 7), (1, 8), (2, 7)] {
        Note::builder().step(((1, "a".to_owned()), number)).kind(kind).text("n").insert(db).await?;
    }
    test.statements();
    Ok(())
}

fn titles(lines: &[Record<Line>]) -> Vec<&str> {
    lines.iter().map(|line| line.title.as_str()).collect()
}

fn line(order: i64, code: &str) -> ForeignKey<Line> {
    ForeignKey::to((order, code.to_owned()))
}

conformance! {
    async fn columns_and_constraints_have_names_by_rule(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        // What was created is as the models say, foreign keys and indexes included.
        db.create(models![Order, Line, Shipment, Label, Step, Note, Tag, Pairing]).await?;
        test.statements();
        sql!("SELECT order_id, code, parent_order_id, parent_code FROM co_lines").execute(db).await?;
        sql!("SELECT id, line_order_id, line_code, to_order, to_code FROM co_shipments").execute(db).await?;
        sql!("SELECT line_order_id, line_code, text FROM co_labels").execute(db).await?;
        sql!("SELECT step_line_order_id, step_line_code, step_number FROM co_notes").execute(db).await?;
        sql!("SELECT line_order_id, line_code, tag_id FROM co_lines_co_tags").execute(db).await?;
        sql!("SELECT from_line_order_id, to_line_code FROM co_lines_co_lines").execute(db).await?;
        db.drop(models![Order, Line, Shipment, Label, Step, Note, Tag, Pairing]).await?;
    }

    async fn what_differs_of_a_table_is_told(test: &Fixture) {
        let db = &test.db;
        db.create(models![Order, Line, Tag, Pairing]).await?;
        sql!(
            "CREATE TABLE co_shipments (id integer PRIMARY KEY, line_order_id bigint NOT NULL, line_code varchar(8), \
             to_order bigint, weight bigint NOT NULL)"
        )
        .execute(db)
        .await?;
        let told = db.create(models![Order, Line, Shipment, Tag, Pairing]).await.unwrap_err().to_string();
        for line in [
            "co_shipments.line_code is NULL, the model says NOT NULL",
            "co_shipments.to_code is missing",
            "co_shipments: the foreign key over (line_order_id, line_code) is missing",
            "co_shipments: there is no index over (line_order_id, line_code)",
        ] {
            assert!(told.contains(line), "{line} is not in: {told}");
        }
        assert!(!told.contains("no index over (to_order, to_code)"), "{told}");
    }

    async fn a_row_is_written_and_read(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let target = Line::get(db, (2, "b".to_owned())).await?;
        let mut shipment = Shipment::builder().line(&target).moved(&target).weight(9).insert(db).await?;
        assert_eq!(shipment.line.key(), Some(&(2, "b".to_owned())));
        assert_eq!(format!("{:?}", shipment.line), r#"Line((2, "b"))"#);
        assert_eq!(*Shipment::get(db, shipment.id).await?, *shipment);
        shipment.save(db).await?;
        test.statements();
        shipment.save(db).await?;
        assert_eq!(test.statements().len(), 0, "nothing has changed");
        shipment.line = line(1, "a");
        shipment.weight = 8;
        shipment.save(db).await?;
        let sent = test.statements();
        assert!(sent.len() == 1 && sent[0].contains("line_order_id") && sent[0].contains("line_code"), "{sent:?}");
        assert!(!sent[0].contains("to_order"), "what did not change is not written: {sent:?}");
        shipment.moved = None;
        shipment.save(db).await?;
        let read = Shipment::get(db, shipment.id).await?;
        assert_eq!((*read).clone(), (*shipment).clone());
        assert_eq!((read.line.clone(), read.moved.clone()), (line(1, "a"), None));
        sql!("UPDATE co_shipments SET line_code = 'b', weight = 7 WHERE id = {shipment.id}").execute(db).await?;
        shipment.refresh(db).await?;
        assert_eq!((shipment.line.clone(), shipment.moved.clone(), shipment.weight), (line(1, "b"), None, 7));
        let many = Shipment::insert_many(
            db,
            [(1, "a"), (2, "b")].map(|(order, code)| Shipment::builder().line(line(order, code)).weight(0)),
        );
        let many = many.await?;
        assert_eq!(*Shipment::get(db, many[1].id).await?, *many[1]);
    }

    async fn faults_name_the_field(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let missing = Shipment::builder().line(line(1, "nope")).weight(1).insert(db).await.unwrap_err();
        assert_eq!((missing.kind(), missing.field()), (ErrorKind::ForeignKey, Some("line")), "{missing}");
        assert_eq!(missing.constraint(), Some("fk_co_shipments_line_order_id_line_code"));
        let unsaved = Record::new(Line::builder().order(1).code("new").title("new").build());
        let refused = Shipment::builder().line(&unsaved).weight(1).insert(db).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Validation, "{refused}");
        assert_eq!(refused.faults().len(), 1, "once, and not for each column: {refused}");
        assert!(refused.to_string().contains("line: points at a row that is not saved yet"), "{refused}");
        let long = Shipment::builder().line(line(1, "123456789")).weight(1).insert(db).await.unwrap_err();
        assert_eq!(long.kind(), ErrorKind::Validation, "{long}");
        assert!(long.to_string().contains("9 characters, at most 8 are allowed"), "{long}");
        let twice = Label::builder().line(line(1, "b")).text("again").insert(db).await.unwrap_err();
        assert_eq!((twice.kind(), twice.field()), (ErrorKind::Unique, Some("line")), "{twice}");
        let twice = Note::builder().step(((1, "a".to_owned()), 1)).kind(7).text("x").insert(db).await.unwrap_err();
        assert_eq!((twice.kind(), twice.field()), (ErrorKind::Unique, Some("step, kind")), "{twice}");
        // Others may write one half of it: no key is made up of the other.
        sql!("UPDATE co_shipments SET to_order = 1, to_code = NULL WHERE id = 1").execute(db).await?;
        let half = Shipment::get(db, 1).await.unwrap_err();
        assert_eq!(half.kind(), ErrorKind::Decode);
        assert!(half.to_string().contains("Shipment.moved") && half.to_string().contains("NULL in some"), "{half}");
        sql!("UPDATE co_shipments SET to_order = NULL, to_code = 'a' WHERE id = 1").execute(db).await?;
        assert_eq!(Shipment::get(db, 1).await.unwrap_err().kind(), ErrorKind::Decode);
    }

    async fn paths_follow_it(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let ids = async |query: cormorant::Query<Shipment, Shipment>| {
            query.order_by(|s| s.id().asc()).select(|s| s.id()).all(db).await
        };
        // Its columns hold the key: no join.
        assert_eq!(ids(Shipment::filter(|s| s.line().order().id().eq(2))).await?, [4]);
        assert_eq!(ids(Shipment::filter(|s| s.line().code().eq("a") & s.moved().code().eq("b"))).await?, [2, 3, 4]);
        assert_eq!(ids(Shipment::filter(|s| s.line().eq((1, "a".to_owned())))).await?, [1, 2, 3]);
        assert_eq!(ids(Shipment::filter(|s| s.moved().ne((2, "b".to_owned())))).await?, [1, 3]);
        assert_eq!(ids(Shipment::filter(|s| !s.moved().eq((2, "b".to_owned())))).await?, [1, 3]);
        assert_eq!(ids(Shipment::filter(|s| s.moved().is_null())).await?, [1]);
        assert_eq!(ids(Shipment::filter(|s| s.moved().is_not_null())).await?, [2, 3, 4]);
        let keys = || [(2, "a".to_owned()), (1, "b".to_owned()), (9, "a".to_owned())];
        assert_eq!(ids(Shipment::filter(|s| s.line().is_in(keys()))).await?, [4]);
        assert_eq!(ids(Shipment::filter(|s| !s.moved().is_in(keys()))).await?, [1, 2, 4]);
        assert_eq!(ids(Shipment::filter(|s| s.line().is_in(Vec::<(i64, String)>::new()))).await?, [0; 0]);
        let sent = test.statements();
        assert!(sent.iter().all(|sql| !sql.contains("JOIN")), "{sent:?}");
        // A row that is not saved is none.
        let unsaved = Record::new(Line::builder().order(1).code("a").title("new").build());
        assert_eq!(ids(Shipment::filter(|s| s.line().eq(&unsaved))).await?, [0; 0]);
        assert_eq!(ids(Shipment::filter(|s| s.line().ne(&unsaved))).await?, [1, 2, 3, 4]);
        assert_eq!(ids(Shipment::filter(|s| s.line().is_in([&unsaved]))).await?, [0; 0]);
        let saved = Line::get(db, (1, "a".to_owned())).await?;
        assert_eq!(ids(Shipment::filter(|s| s.line().eq(&saved))).await?, [1, 2, 3]);
        test.statements();
        assert_eq!(ids(Shipment::filter(|s| s.line().title().eq("2a"))).await?, [4]);
        assert_eq!(ids(Shipment::filter(|s| s.line().order().name().eq("second"))).await?, [4]);
        assert_eq!(ids(Shipment::filter(|s| s.moved().parent().title().eq("2a"))).await?, [2, 4]);
        let sent = test.statements();
        assert_eq!(sent.iter().map(|sql| sql.matches("JOIN").count()).collect::<Vec<_>>(), [1, 2, 2], "{sent:?}");
        let rows: Vec<(i64, Option<String>, Option<String>)> = Shipment::query()
            .order_by(|s| s.id().asc())
            .select(|s| (s.id(), s.moved().title(), s.moved().label().text()))
            .all(db)
            .await?;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(rows, [
            (1, None, None),
            (2, text("2b"), None),
            (3, text("1b"), text("fragile")),
            (4, text("2b"), None),
        ]);
        let both: Vec<(Record<Shipment>, Option<Record<Line>>)> =
            Shipment::query().order_by(|s| s.id().asc()).select(|s| (s, s.moved())).all(db).await?;
        assert!(both[0].1.is_none() && both[1].1.as_ref().is_some_and(|line| line.title == "2b"));
        // Three columns, behind a key that is a foreign key itself.
        let notes = Note::filter(|n| n.step().line().code().eq("a") & n.step().number().eq(1));
        assert_eq!(notes.count(db).await?, 2);
        assert!(!test.statements().last().is_some_and(|sql| sql.contains("JOIN")));
        assert_eq!(Note::filter(|n| n.step().line().title().eq("1a") & n.step().done().eq(true)).count(db).await?, 2);
        assert_eq!(Note::filter(|n| n.step().eq(((1, "a".to_owned()), 2))).count(db).await?, 1);
        let steps = [((1, "a".to_owned()), 2), ((2, "a".to_owned()), 1)];
        assert_eq!(Note::filter(|n| n.step().is_in(steps.clone())).count(db).await?, 1);
        assert_eq!(Step::get_many(db, steps).await?.len(), 2);
        assert_eq!(Line::get_many(db, keys()).await?.iter().map(|l| l.title.as_str()).collect::<Vec<_>>(), ["1b", "2a"]);
    }

    async fn an_update_by_query_sets_it(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let target = Line::get(db, (2, "b".to_owned())).await?;
        let updated = Shipment::filter(|s| s.line().eq((1, "a".to_owned())))
            .update(db, |s| (s.line().set(&target), s.moved().set(None), s.weight().set(s.weight() + 1)))
            .await?;
        assert_eq!(updated, 3);
        for shipment in Shipment::filter(|s| s.id().lt(4)).all(db).await? {
            assert_eq!((&shipment.line, &shipment.moved), (&line(2, "b"), &None));
            assert_eq!(shipment.weight, shipment.id + 1);
        }
        Shipment::filter(|s| s.id().eq(1)).update(db, |s| s.moved().set((1, "b".to_owned()))).await?;
        assert_eq!(Shipment::get(db, 1).await?.moved, Some(line(1, "b")));
        let keys = [(2, "b".to_owned())];
        assert_eq!(Shipment::filter(|s| s.line().is_in(keys)).delete(db).await?, 3);
        assert_eq!(Shipment::query().count(db).await?, 1);
    }

    async fn a_query_asks_about_rows_that_point_here(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let named = async |query: cormorant::Query<Line, Line>| {
            query.order_by(|l| (l.order().id().asc(), l.code().asc())).select(|l| l.title()).all(db).await
        };
        assert_eq!(named(Line::filter(|l| l.shipments().any(|s| s.weight().ge(3)))).await?, ["1a", "2a"]);
        assert_eq!(named(Line::filter(|l| l.shipments().none(|s| s.weight().lt(4)))).await?, ["1b", "2a", "2b"]);
        assert_eq!(named(Line::filter(|l| l.arrivals().count().eq(2))).await?, ["2b"]);
        assert_eq!(named(Line::filter(|l| l.arrivals().all(|s| s.weight().gt(2)))).await?, ["1a", "1b", "2a"]);
        assert_eq!(named(Line::filter(|l| l.children().any(|c| c.title().eq("2a")))).await?, ["1a"]);
        assert_eq!(named(Line::filter(|l| l.label().is_null())).await?, ["1a", "2a", "2b"]);
        assert_eq!(named(Line::filter(|l| l.label().text().eq("fragile"))).await?, ["1b"]);
        assert_eq!(named(Line::filter(|l| l.steps().any(|s| s.notes().any(|n| n.kind().eq(8))))).await?, ["1a"]);
        let same = Line::filter(|l| l.arrivals().any(|s| s.line().order().id().eq(l.order().id().outer())));
        assert_eq!(named(same).await?, ["1b", "2b"]);
        let figures: Vec<(String, i64, Option<i64>, Option<i64>)> = Line::query()
            .order_by(|l| (l.order().id().asc(), l.code().asc()))
            .select(|l| (l.title(), l.shipments().count(), l.shipments().sum(|s| s.weight()), l.arrivals().max(|s| s.weight())))
            .all(db)
            .await?;
        let row = |title: &str, count, sum, max| (title.to_owned(), count, sum, max);
        assert_eq!(figures, [
            row("1a", 3, Some(6), None),
            row("1b", 0, None, Some(3)),
            row("2a", 1, Some(4), None),
            row("2b", 0, None, Some(4)),
        ]);
        let orders = Order::filter(|o| o.lines().any(|l| l.shipments().count().gt(2))).select(|o| o.name()).all(db).await?;
        assert_eq!(orders, ["first"]);
    }

    async fn included_rows_are_there(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let shipments = Shipment::query()
            .include(|s| s.line().order())
            .include(|s| s.moved().parent())
            .order_by(|s| s.id().asc())
            .all(db)
            .await?;
        assert_eq!(test.statements().len(), 5, "shipments, lines, orders, those moved to, their parents");
        let names: Vec<_> = shipments.iter().map(|s| s.line.get().unwrap().order.get().unwrap().name.as_str()).collect();
        assert_eq!(names, ["first", "first", "first", "second"]);
        let moved: Vec<Option<(&str, &str)>> = shipments
            .iter()
            .map(|s| {
                let moved = s.moved.as_ref()?.get().unwrap();
                Some((moved.title.as_str(), moved.parent.as_ref()?.get().unwrap().title.as_str()))
            })
            .collect();
        assert_eq!(moved, [None, Some(("2b", "2a")), Some(("1b", "1a")), Some(("2b", "2a"))]);

        let lines = Line::query()
            .order_by(|l| (l.order().id().asc(), l.code().asc()))
            .include(|l| l.shipments().order_by(|s| s.weight().desc()).limit(2))
            .include(|l| l.arrivals().filter(|s| s.weight().gt(2)))
            .include(|l| l.label())
            .include(|l| l.children().include(|c| c.children()))
            .include(|l| l.steps().limit(1).include(|s| s.notes()))
            .all(db)
            .await?;
        assert_eq!(test.statements().len(), 8);
        let of = |read: fn(&Line) -> Vec<i64>| lines.iter().map(|line| read(line)).collect::<Vec<_>>();
        assert_eq!(of(|l| l.shipments.get().unwrap().iter().map(|s| s.weight).collect()), [vec![3, 2], vec![], vec![4], vec![]]);
        assert_eq!(of(|l| l.arrivals.get().unwrap().iter().map(|s| s.weight).collect()), [vec![], vec![3], vec![], vec![4]]);
        assert_eq!(of(|l| l.steps.get().unwrap().iter().map(|s| i64::from(s.number)).collect()), [vec![1], vec![], vec![1], vec![]]);
        assert_eq!(of(|l| l.steps.get().unwrap().iter().map(|s| s.notes.get().unwrap().len() as i64).collect()), [vec![2], vec![], vec![0], vec![]]);
        let labels: Vec<_> = lines.iter().map(|l| l.label.get().unwrap().map(|label| label.text.as_str())).collect();
        assert_eq!(labels, [None, Some("fragile"), None, None]);
        let mut children: Vec<_> = lines[0].children.get()?.iter().map(|c| (c.title.as_str(), c.children.get().unwrap().len())).collect();
        children.sort_unstable();
        assert_eq!(children, [("1b", 0), ("2a", 1)]);
        assert_eq!(titles(lines[2].children.get()?), ["2b"]);

        let mut all = Shipment::query().order_by(|s| s.id().asc()).all(db).await?;
        assert_eq!(
            all[0].line.get().unwrap_err().to_string(),
            "Shipment.line is not loaded: add `.include(|s| s.line())` to the query, or call `shipment.load(&db, |s| s.line())`"
        );
        assert!(all[1].moved.as_ref().unwrap().get().unwrap_err().to_string().starts_with("Shipment.moved is not loaded"));
        test.statements();
        load_all(&mut all, db, |s| s.line()).await?;
        all[2].load(db, |s| s.moved()).await?;
        assert_eq!(test.statements().len(), 2);
        assert_eq!((all[3].line.get()?.title.as_str(), all[2].moved.as_ref().unwrap().get()?.title.as_str()), ("2a", "1b"));
        assert!(!all[2].is_changed());
    }

    async fn verbs_change_rows_that_point_here(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let b = Line::filter(|l| l.title().eq("2b")).include(|l| l.arrivals()).one(db).await?;
        let a = Line::filter(|l| l.title().eq("2a")).one(db).await?;
        let ids = async |line: &Line| line.arrivals().query().order_by(|s| s.id().asc()).select(|s| s.id()).all(db).await;
        assert_eq!(ids(&b).await?, [2, 4]);
        test.statements();
        b.arrivals().add(db, [1]).await?;
        assert_eq!(test.statements().len(), 1);
        assert!(!b.arrivals.is_loaded());
        assert_eq!((ids(&b).await?, ids(&a).await?), (vec![1, 2, 4], vec![]));
        b.arrivals().remove(db, [4, 3]).await?; // the one of 3 is another's
        assert_eq!((ids(&b).await?, Shipment::get(db, 3).await?.moved.clone()), (vec![1, 2], Some(line(1, "b"))));
        test.statements();
        b.arrivals().set(db, [2, 3]).await?;
        assert_eq!(test.statements().len(), 2);
        assert_eq!(ids(&b).await?, [2, 3]);
        let new = b.arrivals().create(db, |s| s.line(&a).weight(5)).await?;
        assert_eq!((new.moved.clone(), new.line.clone()), (Some(line(2, "b")), line(2, "a")));
        assert_eq!(a.shipments().create(db, |s| s.weight(6)).await?.line, line(2, "a"));
        assert_eq!((b.arrivals().count(db).await?, a.shipments().count(db).await?), (3, 3));
        assert_eq!(a.shipments().filter(|s| s.weight().gt(4)).all(db).await?.len(), 2);
        b.arrivals().clear(db).await?;
        assert_eq!(ids(&b).await?, [0; 0]);
        assert_eq!(a.shipments().clear(db).await.unwrap_err().kind(), ErrorKind::Misuse);
        assert!(b.arrivals().add(db, [1, 99]).await.unwrap_err().is_stale());
        let unsaved = Record::new(Line::builder().order(ForeignKey::from(&Record::new(Order::builder().name("x").build()))).code("x").title("x").build());
        let refused = unsaved.arrivals().add(db, [1]).await.unwrap_err();
        assert!(refused.to_string().contains("the Line is not saved yet: insert it first"), "{refused}");
        // Rows whose own key has several columns.
        let root = Line::filter(|l| l.title().eq("1a")).one(db).await?;
        let children = async || root.children().query().order_by(|l| l.title().asc()).select(|l| l.title()).all(db).await;
        assert_eq!(children().await?, ["1b", "2a"]);
        root.children().add(db, [&b]).await?;
        root.children().remove(db, [(1, "b".to_owned())]).await?;
        assert_eq!(children().await?, ["2a", "2b"]);
        root.children().set(db, [(1, "b".to_owned()), (2, "b".to_owned())]).await?;
        assert_eq!(children().await?, ["1b", "2b"]);
        assert!(root.children().add(db, [(9, "b".to_owned())]).await.unwrap_err().is_stale());
        let child = root.children().create(db, |l| l.order(1).code("c").title("1c")).await?;
        assert_eq!(child.parent, Some(line(1, "a")));
    }

    async fn links_hold_keys_of_several_columns(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let a = Line::filter(|l| l.title().eq("1a")).one(db).await?;
        let b = Line::filter(|l| l.title().eq("2a")).one(db).await?;
        let red = a.tags().create(db, Tag::builder().name("red")).await?;
        let blue = Tag::builder().name("blue").insert(db).await?;
        test.statements();
        b.tags().add(db, [&red, &blue]).await?;
        blue.lines().add(db, [(1, "b".to_owned()), (2, "b".to_owned()), (1, "b".to_owned())]).await?;
        assert_eq!(test.statements().len(), 2);
        let names = async |tag: &Tag| tag.lines().query().order_by(|l| l.title().asc()).select(|l| l.title()).all(db).await;
        assert_eq!((names(&red).await?, names(&blue).await?), (vec!["1a".to_owned(), "2a".to_owned()], vec!["1b".to_owned(), "2a".to_owned(), "2b".to_owned()]));
        blue.lines().remove(db, [(1, "b".to_owned()), (2, "c".to_owned())]).await?;
        assert_eq!(names(&blue).await?, ["2a", "2b"]);
        test.statements();
        blue.lines().set(db, [(1, "a".to_owned()), (2, "b".to_owned())]).await?;
        assert_eq!(test.statements().len(), 3, "SELECT, DELETE, INSERT");
        assert_eq!(names(&blue).await?, ["1a", "2b"]);
        let lines = Line::filter(|l| l.tags().any(|t| t.name().eq("blue"))).order_by(|l| l.title().asc());
        let lines = lines.include(|l| l.tags().order_by(|t| t.name().asc()).include(|t| t.lines().limit(1))).all(db).await?;
        assert_eq!(titles(&lines), ["1a", "2b"]);
        let tags: Vec<Vec<(&str, Vec<&str>)>> = lines.iter().map(|l| {
            l.tags.get().unwrap().iter().map(|t| (t.name.as_str(), titles(t.lines.get().unwrap()))).collect()
        }).collect();
        assert_eq!(tags, [vec![("blue", vec!["1a"]), ("red", vec!["1a"])], vec![("blue", vec!["1a"])]]);
        assert_eq!(Tag::query().order_by(|t| t.id().asc()).select(|t| t.lines().sum(|l| l.price())).all(db).await?, [Some(40), Some(50)]);
        let missing = blue.lines().add(db, [(9, "z".to_owned())]).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::ForeignKey, "{missing}");
        // With itself.
        a.buddies().add(db, [&b]).await?;
        assert_eq!(titles(&b.buddies_of().all(db).await?), ["1a"]);
        assert_eq!(b.buddies().count(db).await?, 0);
        a.buddies().clear(db).await?;
        assert_eq!(b.buddies_of().count(db).await?, 0);
    }

    async fn links_with_data_hold_keys_of_several_columns(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let a = Line::filter(|l| l.title().eq("1a")).one(db).await?;
        let keys = [(1, "b".to_owned()), (2, "b".to_owned())];
        a.pairs().add(db, keys.clone()).await?;
        let link = a.pairs().link(db, |l| l.other((2, "a".to_owned())).weight(5)).await?;
        assert_eq!(link.one, line(1, "a"));
        let lines = Line::filter(|l| l.pairs().any(|p| p.title().eq("2a"))).include(|l| l.pairs().order_by(|p| p.title().desc()).limit(2));
        let lines = lines.all(db).await?;
        assert_eq!((titles(&lines), titles(lines[0].pairs.get()?)), (vec!["1a"], vec!["2b", "2a"]));
        a.pairs().remove(db, keys).await?;
        assert_eq!(titles(&a.pairs().all(db).await?), ["2a"]);
        let key = ((1, "a".to_owned()), (2, "a".to_owned()));
        assert_eq!(Pairing::get(db, key.clone()).await?.weight, 5);
        assert_eq!(Pairing::get_many(db, [key]).await?.len(), 1);
        a.pairs().set(db, [(2, "b".to_owned())]).await?;
        assert_eq!(Pairing::filter(|p| p.one().eq(&a)).select(|p| p.other().title()).all(db).await?, ["2b"]);
    }

    async fn columns_follow_the_names_of_the_key(test: &Fixture) {
        let db = &test.db;
        db.create(models![Shelf, Case]).await?;
        sql!("INSERT INTO co_shelves VALUES ({1}, {2})").execute(db).await?;
        let case = Case::builder().shelf((1, 2)).behind((1, 2)).insert(db).await?;
        let (shelf, no) = (test.quoted("ShelfRoomNo"), test.quoted("Shelf2ndPlace"));
        let (behind, place) = (test.quoted("BehindRoomNo"), test.quoted("at"));
        let sql = format!("SELECT {shelf}, {no}, {behind}, {place} FROM co_cases");
        let sql = cormorant::Sql::unchecked(cormorant::UncheckedSql::vouch_for(sql));
        assert_eq!(sql.all::<(i64, i64, i64, i64)>(db).await?, [(1, 2, 1, 2)]);
        assert_eq!(Case::query().include(|c| c.shelf()).one(db).await?.shelf.get()?.place, 2);
        assert_eq!(Case::filter(|c| c.behind().place().eq(2)).one(db).await?.id, case.id);
    }

    async fn a_row_is_found_by_it(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let note = |text: &str| Note::builder().step(((1, "a".to_owned()), 1)).kind(7).text(text);
        let columns = |n: PathOf<Note>| (n.step().line().order().id(), n.step().line().code(), n.step().number(), n.kind());
        let (found, inserted) = note("other").get_or_insert(db, columns).await?;
        assert_eq!((found.id, inserted, found.text.as_str()), (1, false, "n"));
        let written = note("other").upsert(db, columns).await?;
        assert_eq!((written.id, written.text.as_str(), written.step.key()), (1, "other", Some(&((1, "a".to_owned()), 1))));
        let new = note("new").step(((2, "a".to_owned()), 1)).upsert(db, columns).await?;
        assert_eq!(new.step.key(), Some(&((2, "a".to_owned()), 1)));
    }
}

/// Of every kind of value, as lists of keys carry them.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_times")]
struct Times {
    #[model(key)]
    id: Uuid,
    #[model(key)]
    day: Date,
    #[model(key)]
    at: Timestamp,
    #[model(key)]
    planned: DateTime,
    marks: HasMany<TimesMark>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_times_marks")]
struct TimesMark {
    id: i64,
    #[model(references(id, day, at, planned))]
    of: ForeignKey<Times>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_odds")]
struct Odd {
    #[model(key)]
    flag: bool,
    #[model(key, precision = 8, scale = 3)]
    price: Decimal,
    #[model(key)]
    clock: Time,
    #[model(key, max_length = 20)]
    text: String,
    marks: HasMany<OddMark>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "co_odd_marks")]
struct OddMark {
    id: i64,
    #[model(references(flag, price, clock, text))]
    of: Option<ForeignKey<Odd>>,
}

/// Texts that a careless list takes for each other, or for syntax.
const TEXTS: [&str; 12] = ["a", "A", "ä", "a ", "", "b c", "'q'", "%_", "z\\z", "\"j\",\"k\"", "null", "[1]\n\t\u{1}"];

conformance! {
    async fn keys_of_every_type_are_followed(test: &Fixture) {
        let db = &test.db;
        db.create(models![Times, TimesMark, Odd, OddMark]).await?;
        let day = |n: i8| Date::new(2024, 2, n).unwrap();
        for n in 1..5_i8 {
            let planned = day(n).at(1, 2, 3, 4_000);
            let at: Timestamp = format!("2024-02-0{n}T23:02:03.000004Z").parse().unwrap();
            let id = Uuid::from_u128(u128::MAX / n as u128);
            let times = Times::builder().id(id).day(day(n)).at(at).planned(planned).insert(db).await?;
            for _ in 0..n {
                TimesMark::builder().of(&times).insert(db).await?;
            }
        }
        for (n, text) in (0..).zip(TEXTS) {
            let clock = Time::new(n, 0, 0, i32::from(n) * 1_000).unwrap();
            let price = Decimal::new(i64::from(n) * 7 + 1, 3);
            let odd = Odd::builder().flag(n % 2 == 0).price(price).clock(clock).text(text).insert(db).await?;
            OddMark::builder().of(&odd).insert(db).await?;
        }
        OddMark::builder().insert(db).await?;
        let times = Times::query().include(|t| t.marks().include(|m| m.of())).order_by(|t| t.day().asc()).all(db).await?;
        assert_eq!(times.iter().map(|t| t.marks.get().unwrap().len()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        for times in &times {
            assert!(times.marks.get()?.iter().all(|mark| mark.of.get().unwrap().id == times.id));
        }
        let odds = Odd::query().include(|o| o.marks()).all(db).await?;
        assert_eq!(odds.iter().map(|o| o.marks.get().unwrap().len()).collect::<Vec<_>>(), [1; TEXTS.len()]);
        let marks = OddMark::query().include(|m| m.of()).order_by(|m| m.id().asc()).all(db).await?;
        let texts: Vec<_> = marks.iter().map(|m| m.of.as_ref().map(|of| of.get().unwrap().text.as_str())).collect();
        assert_eq!(texts, TEXTS.iter().map(|text| Some(*text)).chain([None]).collect::<Vec<_>>());
        assert_eq!(OddMark::filter(|m| m.of().is_in(&odds)).count(db).await?, TEXTS.len() as u64);
    }
}

/// What is large, and how it is found.
mod large {
    use super::*;

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "co_cells")]
    struct Cell {
        #[model(key)]
        x: i64,
        #[model(key)]
        y: i64,
        marks: HasMany<Mark>,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "co_marks")]
    struct Mark {
        id: i64,
        #[model(references(x, y))]
        cell: ForeignKey<Cell>,
    }

    const CELLS: i64 = 30_000;

    conformance! {
        async fn many_keys_are_found_by_an_index(test: &Fixture) {
            let db = &test.db;
            db.create(models![Cell, Mark]).await?;
            let cell = |n| Cell { x: n / 100, y: n % 100, marks: HasMany::default() };
            Cell::insert_many(db, (0..CELLS).map(cell)).await?;
            let mark = |n: i64| Mark { id: n + 1, cell: ForeignKey::to((n % 300, n / 300)) };
            Mark::insert_many(db, (0..CELLS).map(mark)).await?;
            if test.is(Backend::Postgres) {
                sql!("ANALYZE").execute(db).await?;
            }
            test.statements();
            let marks = Mark::query().include(|m| m.cell()).all(db).await?;
            assert_eq!(test.statements().len(), 2);
            assert!(marks.iter().all(|mark| mark.cell.is_loaded()));
            let cells = Cell::query().include(|c| c.marks()).all(db).await?;
            assert_eq!(test.statements().len(), 2);
            assert!(cells.iter().all(|cell| cell.marks.get().unwrap().len() == 1));
            let three = [(7, 1), (8, 2), (9, 3)];
            for (what, plan) in [
                ("is_in", Mark::filter(|m| m.cell().is_in(three)).explain(db).await?),
                ("eq", Mark::filter(|m| m.cell().eq((7, 1))).explain(db).await?),
                ("any", Cell::filter(|c| c.eq((7, 1)) & c.marks().any(|m| m.id().gt(3))).explain(db).await?),
                ("count", Mark::filter(|m| m.id().lt(9) & m.cell().marks().count().eq(1)).explain(db).await?),
            ] {
                assert!(plan.contains("ix_co_marks_cell_x_cell_y"), "{what}: {plan}");
            }
        }
    }
}
