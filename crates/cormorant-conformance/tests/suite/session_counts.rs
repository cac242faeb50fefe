//! How many statements a unit of work takes: never more than the column "ours" of the table in the design's
//! `statement-counts.md`. The numbers in comments are its lines.

use cormorant::prelude::*;
use cormorant::{ErrorKind, ObjectState, Result};
use cormorant_conformance::{Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_parents")]
struct Parent {
    id: i64,
    name: String,
    #[model(default = "")]
    note: String,
    rank: Option<i64>,
    children: HasMany<Child>,
    guests: HasMany<Guest>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_children")]
struct Child {
    id: i64,
    #[model(on_delete = cascade)]
    parent: ForeignKey<Parent>,
    name: String,
}

/// Who stays when the parent goes.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_guests")]
struct Guest {
    id: i64,
    #[model(on_delete = set_null)]
    parent: Option<ForeignKey<Parent>>,
    name: String,
}

/// Keys that the program gives.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_tickets")]
struct Ticket {
    #[model(key, max_length = 20)]
    code: String,
    seats: HasMany<Seat>,
    note: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_seats")]
struct Seat {
    #[model(key, max_length = 20)]
    code: String,
    ticket: ForeignKey<Ticket>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_orders")]
struct Order {
    id: i64,
    name: String,
    #[model(db_default = "40 + 2")]
    number: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_students")]
struct Student {
    id: i64,
    name: String,
    courses: ManyToMany<Course>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_courses")]
struct Course {
    id: i64,
    name: String,
    students: ManyToMany<Student>,
}

/// The links of those two, as rows of their own.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_courses_sc_students")]
struct Enrolment {
    #[model(key)]
    course_id: i64,
    #[model(key)]
    student_id: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_nodes")]
struct Node {
    id: i64,
    #[model(on_delete = cascade)]
    up: Option<ForeignKey<Node>>,
    down: HasMany<Node>,
}

/// Two that point at each other.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_firms")]
struct Firm {
    id: i64,
    boss: Option<ForeignKey<Worker>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_workers")]
struct Worker {
    id: i64,
    firm: ForeignKey<Firm>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_slugs")]
struct Slug {
    id: i64,
    #[model(unique, max_length = 20)]
    slug: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_pages")]
struct Page {
    id: i64,
    text: String,
    #[model(version)]
    version: i64,
}

/// Its cups are its own.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_boxes")]
struct Crate {
    id: i64,
    #[model(delete_orphans)]
    cups: HasMany<Cup>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sc_cups")]
struct Cup {
    id: i64,
    owner: ForeignKey<Crate>,
}

/// The statements sent since the last look are so many at most, and some: a ceiling over nothing holds anything.
macro_rules! at_most {
    ($test:expr, $count:expr) => {{
        let sent = $test.statements();
        let shown = sent.get(..30).unwrap_or(&sent).join("\n");
        assert!(!sent.is_empty() && sent.len() <= $count, "{} statements, {} at most:\n{shown}", sent.len(), $count);
    }};
}

/// Nothing was sent since the last look.
macro_rules! nothing {
    ($test:expr) => {
        assert_eq!($test.statements(), Vec::<String>::new())
    };
}

fn parent(name: &str) -> Parent {
    let (children, guests) = Default::default();
    Parent { id: 0, name: name.into(), note: String::new(), rank: None, children, guests }
}

fn child(parent: impl Into<ForeignKey<Parent>>, name: &str) -> Child {
    Child { id: 0, parent: parent.into(), name: name.into() }
}

async fn tables(test: &Fixture) -> Result<Session> {
    test.db.create(models![Parent, Child, Guest, Order, Student, Course, Node, Firm, Worker]).await?;
    test.statements();
    Ok(test.db.session())
}

/// Parents with children, in the database; nothing is loaded.
async fn families(test: &Fixture, parents: usize, children: usize) -> Result<Session> {
    let mut session = tables(test).await?;
    for n in 0..parents {
        let parent = session.add(parent(&format!("p{n}")));
        for m in 0..children {
            session.add(child(parent, &format!("c{n}{m}")));
            session.add(Guest { id: 0, parent: Some(parent.into()), name: format!("g{n}{m}") });
        }
    }
    session.commit().await?;
    test.statements();
    Ok(test.db.session())
}

/// Three students and three courses with seven links, and the first of each; nothing else is loaded.
async fn school(test: &Fixture) -> Result<Session> {
    let mut session = tables(test).await?;
    seed(&mut session).await?;
    session.commit().await?;
    test.statements();
    Ok(test.db.session())
}

async fn seed(session: &mut Session) -> Result<()> {
    let students: Vec<_> = (0..3).map(|n| session.add(Student::builder().name(format!("s{n}")))).collect();
    let courses: Vec<_> = (0..3).map(|n| session.add(Course::builder().name(format!("c{n}")))).collect();
    for (student, course) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 2)] {
        session.link(students[student], |s| s.courses(), courses[course]).await?;
    }
    Ok(())
}

async fn tree(session: &mut Session) -> Result<Handle<Node>> {
    let root = session.add(Node { id: 0, up: None, down: HasMany::default() });
    for _ in 0..2 {
        let inner = session.add(Node { id: 0, up: Some(root.into()), down: HasMany::default() });
        for _ in 0..2 {
            session.add(Node { id: 0, up: Some(inner.into()), down: HasMany::default() });
        }
    }
    session.commit().await?;
    Ok(root)
}

conformance! {
    // S01
    async fn parents_and_children_are_an_insert_each(test: &Fixture) {
        let mut session = tables(test).await?;
        for n in 0..3 {
            let parent = session.add(parent(&format!("p{n}")));
            for m in 0..4 {
                session.add(child(parent, &format!("c{m}")));
            }
        }
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(test.rows_in("sc_children").await?, 12);
    }

    // S02
    async fn keys_of_the_programs_own_are_an_insert_for_each_table(test: &Fixture) {
        test.db.create(models![Ticket, Seat]).await?;
        test.statements();
        let mut session = test.db.session();
        for n in 0..3 {
            let ticket = Ticket { code: format!("t{n}"), seats: HasMany::default(), note: String::new() };
            let ticket = session.add(ticket);
            for m in 0..4 {
                session.add(Seat { code: format!("s{n}{m}"), ticket: ticket.into() });
            }
        }
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(test.rows_in("sc_seats").await?, 12);
    }

    // S04
    async fn five_thousand_rows_are_five_inserts(test: &Fixture) {
        let mut session = tables(test).await?;
        (0..5_000).for_each(|n| _ = session.add(parent(&format!("p{n}"))));
        session.commit().await?;
        at_most!(test, 5);
        assert_eq!(test.rows_in("sc_parents").await?, 5_000);
    }

    // S05
    async fn an_optional_column_set_on_half_is_one_insert(test: &Fixture) {
        let mut session = tables(test).await?;
        for n in 0..6 {
            session.add(Parent { rank: (n % 2 == 0).then_some(n), ..parent("p") });
        }
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!(Parent::filter(|p| p.rank().is_null()).count(&test.db).await?, 3);
    }

    // S06
    async fn a_default_of_the_database_is_read_back_by_the_insert(test: &Fixture) {
        let mut session = tables(test).await?;
        let orders: Vec<_> = (0..3).map(|n| session.add(Order::builder().name(format!("o{n}")))).collect();
        session.commit().await?;
        assert!(orders.iter().all(|order| session[*order].number == 42));
        at_most!(test, 1);
    }

    // S10
    async fn students_courses_and_links_are_an_insert_each(test: &Fixture) {
        let mut session = tables(test).await?;
        seed(&mut session).await?;
        session.commit().await?;
        at_most!(test, 3);
        assert_eq!(test.rows_in("sc_courses_sc_students").await?, 7);
    }

    // S11, S12, S13
    async fn links_change_in_one_statement_for_each_direction(test: &Fixture) {
        let mut session = school(test).await?;
        let students = session.all(Student::query().order_by(|s| s.id().asc()).include(|s| s.courses())).await?;
        let courses = session.all(Course::query().order_by(|c| c.id().asc())).await?;
        test.statements();
        session.link(students[1], |s| s.courses(), courses[2]).await?;
        session.commit().await?;
        at_most!(test, 1);
        session.unlink(students[0], |s| s.courses(), courses[0]).await?;
        session.unlink(students[0], |s| s.courses(), courses[1]).await?;
        session.commit().await?;
        at_most!(test, 1);
        session.set(students[2], |s| s.courses(), [courses[0], courses[1]]).await?;
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(test.rows_in("sc_courses_sc_students").await?, 6);
    }

    // S14
    async fn a_student_goes_with_links_that_were_not_loaded(test: &Fixture) {
        let mut session = school(test).await?;
        let student = session.one(Student::filter(|s| s.name().eq("s0"))).await?;
        test.statements();
        session.delete(student);
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(test.rows_in("sc_courses_sc_students").await?, 4);
    }

    // S20, S21, S22, S23
    async fn changes_are_grouped_by_their_columns(test: &Fixture) {
        let mut session = families(test, 5, 0).await?;
        let all = session.all(Parent::query().order_by(|p| p.id().asc())).await?;
        test.statements();
        session[all[0]].name = "changed".into();
        session.commit().await?;
        at_most!(test, 1);
        session[all[0]].name = "other".into();
        session[all[0]].name = "changed".into();
        session.commit().await?;
        nothing!(test);
        all.iter().for_each(|parent| session[*parent].rank = Some(7));
        session.commit().await?;
        at_most!(test, 1);
        session[all[0]].name = "a".into();
        session[all[1]].name = "b".into();
        session[all[2]].note = "c".into();
        session[all[3]].name = "d".into();
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(Parent::filter(|p| p.rank().eq(7)).count(&test.db).await?, 5);
    }

    // S24
    async fn an_expired_object_is_changed_without_being_read(test: &Fixture) {
        let mut session = families(test, 1, 0).await?;
        let parent = session.one(Parent::query()).await?;
        test.statements();
        session.expire_all();
        session[parent].name = "changed".into();
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!(Parent::query().one(&test.db).await?.name, "changed");
    }

    // S25
    async fn rows_that_count_their_versions_are_compared_in_one_update(test: &Fixture) {
        test.db.create(models![Page]).await?;
        let mut session = test.db.session();
        let pages: Vec<_> = (0..3).map(|_| session.add(Page::builder().text("a"))).collect();
        session.commit().await?;
        test.statements();
        pages.iter().for_each(|page| session[*page].text = "b".into());
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!(Page::filter(|p| p.text().eq("b") & p.version().eq(2)).count(&test.db).await?, 3);
    }

    // S30, S31
    async fn a_child_moves_in_one_update_from_either_side(test: &Fixture) {
        let mut session = families(test, 2, 1).await?;
        let parents = session.all(Parent::query().order_by(|p| p.id().asc())).await?;
        let children = session.all(Child::query().order_by(|c| c.id().asc())).await?;
        test.statements();
        session[children[0]].parent = parents[1].into();
        session.commit().await?;
        at_most!(test, 1);
        session.link(parents[0], |p| p.children(), children[1]).await?;
        session.commit().await?;
        at_most!(test, 1);
        let key = session[parents[0]].id;
        assert_eq!(Child::filter(|c| c.parent().eq(key)).one(&test.db).await?.name, "c10");
    }

    // S32, S34, S35
    async fn what_a_row_owns_moves_goes_and_is_replaced_in_a_statement_each(test: &Fixture) {
        test.db.create(models![Crate, Cup]).await?;
        let mut session = test.db.session();
        for _ in 0..2 {
            let owner = session.add(Crate::builder());
            (0..4).for_each(|_| _ = session.add(Cup::builder().owner(owner)));
        }
        session.commit().await?;
        let mut session = test.db.session();
        let boxes = session.all(Crate::query().include(|c| c.cups())).await?;
        let cups = session.related(boxes[0], |c| c.cups()).await?;
        test.statements();
        session.link(boxes[1], |c| c.cups(), cups[0]).await?;
        session.commit().await?;
        at_most!(test, 1);
        session.unlink(boxes[0], |c| c.cups(), cups[1]).await?;
        session.commit().await?;
        at_most!(test, 1);
        let others = session.related(boxes[1], |c| c.cups()).await?;
        let new = session.add(Cup::builder().owner(boxes[0]));
        session.set(boxes[1], |c| c.cups(), [others[0], new]).await?;
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(others.len(), 5, "one came from the other");
        let key = session[boxes[1]].id;
        assert_eq!((test.rows_in("sc_cups").await?, Cup::filter(|c| c.owner().eq(key)).count(&test.db).await?), (4, 2));
    }

    // S33
    async fn a_child_that_is_taken_away_is_one_update(test: &Fixture) {
        let mut session = families(test, 1, 4).await?;
        let parent = session.one(Parent::query().include(|p| p.guests())).await?;
        let guests = session.related(parent, |p| p.guests()).await?;
        test.statements();
        session.unlink(parent, |p| p.guests(), guests[0]).await?;
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!(Guest::filter(|g| g.parent().is_null()).count(&test.db).await?, 1);
    }

    // S40, S42, S43: the children go by ON DELETE CASCADE, and the guests stay by SET NULL.
    async fn a_parent_goes_with_what_was_not_loaded(test: &Fixture) {
        let mut session = families(test, 1, 4).await?;
        let parent = session.one(Parent::query()).await?;
        test.statements();
        session.delete(parent);
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!((test.rows_in("sc_children").await?, test.rows_in("sc_guests").await?), (0, 4));
    }

    // S41
    async fn a_parent_and_its_children_are_a_delete_each(test: &Fixture) {
        let mut session = families(test, 1, 4).await?;
        let parent = session.one(Parent::query()).await?;
        let children = session.all(Child::query()).await?;
        test.statements();
        session.delete(parent);
        children.into_iter().for_each(|child| session.delete(child));
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(test.rows_in("sc_parents").await?, 0);
    }

    // S44, S45
    async fn many_rows_are_one_delete(test: &Fixture) {
        let mut session = families(test, 3, 4).await?;
        let parents = session.all(Parent::query()).await?;
        test.statements();
        parents.into_iter().for_each(|parent| session.delete(parent));
        session.commit().await?;
        at_most!(test, 3);
        assert_eq!(test.rows_in("sc_children").await?, 0);
        let guests = session.all(Guest::query()).await?;
        test.statements();
        guests.into_iter().take(10).for_each(|guest| session.delete(guest));
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!(test.rows_in("sc_guests").await?, 2);
    }

    // S46
    async fn a_row_that_is_deleted_and_added_again_is_one_update(test: &Fixture) {
        test.db.create(models![Ticket, Seat]).await?;
        let mut session = test.db.session();
        let ticket = |note: &str| Ticket { code: "t".into(), seats: HasMany::default(), note: note.into() };
        let old = session.add(ticket("old"));
        session.commit().await?;
        test.statements();
        session.delete(old);
        session.add(ticket("new"));
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!(Ticket::query().one(&test.db).await?.note, "new");
    }

    // S50, S51
    async fn a_tree_is_an_insert_for_each_level(test: &Fixture) {
        let mut session = tables(test).await?;
        let root = tree(&mut session).await?;
        at_most!(test, 3);
        let key = session[root].id;
        let mut other = test.db.session();
        let root = other.get::<Node>(key).await?;
        other.delete(root);
        other.commit().await?;
        at_most!(test, 6);
        assert_eq!(test.rows_in("sc_nodes").await?, 0);
    }

    // S52, S53
    async fn a_circle_is_three_statements_each_way(test: &Fixture) {
        let mut session = tables(test).await?;
        let firm = session.add(Firm { id: 0, boss: None });
        let boss = session.add(Worker { id: 0, firm: firm.into() });
        session[firm].boss = Some(boss.into());
        session.commit().await?;
        at_most!(test, 3);
        session.delete(firm);
        session.delete(boss);
        session.commit().await?;
        at_most!(test, 3);
        assert_eq!(test.rows_in("sc_workers").await?, 0);
    }

    // S62: a join gives whole rows of both tables, as records.
    async fn rows_of_two_tables_are_joined_in_one_statement(test: &Fixture) {
        let mut session = families(test, 3, 4).await?;
        let rows = Child::query().select(|c| (c, c.parent())).all(session.begin().await?).await?;
        at_most!(test, 1);
        assert_eq!(rows.len(), 12);
        assert!(rows.iter().all(|(child, parent)| child.name[1..2] == parent.name[1..]));
    }

    // S60, S61, S63, S66, S67
    async fn relations_are_read_once(test: &Fixture) {
        families(test, 3, 4).await?;
        let mut session = test.db.session();
        for parent in session.all(Parent::query()).await? {
            assert_eq!(session.related(parent, |p| p.children()).await?.len(), 4);
        }
        at_most!(test, 4);
        let mut session = test.db.session();
        for parent in session.all(Parent::query().include(|p| p.children())).await? {
            assert_eq!(session.related(parent, |p| p.children()).await?.len(), 4);
        }
        at_most!(test, 2);
        let mut session = test.db.session();
        for child in session.all(Child::query()).await? {
            assert_eq!(session.related(child, |c| c.parent()).await?.len(), 1);
        }
        at_most!(test, 4);
        let mut session = test.db.session();
        session.all(Parent::query()).await?;
        test.statements();
        for child in session.all(Child::query()).await? {
            assert_eq!(session.related(child, |c| c.parent()).await?.len(), 1);
        }
        at_most!(test, 1);
    }

    // S64: in one statement more on every backend; four are allowed where a list is no parameter.
    async fn children_of_many_parents_are_one_statement(test: &Fixture) {
        families(test, 1_200, 1).await?;
        let mut session = test.db.session();
        let parents = session.all(Parent::query().include(|p| p.children())).await?;
        at_most!(test, 2);
        assert_eq!(session.related(parents[1_199], |p| p.children()).await?.len(), 1);
        nothing!(test);
    }

    // S66, batched
    async fn relations_of_several_objects_are_one_statement(test: &Fixture) {
        let mut session = families(test, 3, 4).await?;
        let children = session.all(Child::query()).await?;
        let parents = session.related_all(children.iter().copied(), |c| c.parent()).await?;
        at_most!(test, 2);
        assert_eq!(parents.len(), 3, "each once");
        assert_eq!(session.related_all(parents.iter().copied(), |p| p.children()).await?.len(), 12);
        at_most!(test, 1);
        for child in children {
            let parent = session.related(child, |c| c.parent()).await?[0];
            assert!(session.related(parent, |p| p.children()).await?.contains(&child));
        }
        nothing!(test);
    }

    // S75: in both ways of reading, a hundred at a time. The stream has a connection to itself.
    async fn a_stream_reads_relations_for_many_rows_at_a_time(test: &Fixture) {
        let test = &test.with_connections(2).await?;
        families(test, 1_000, 1).await?;
        let mut session = test.db.session();
        let mut parents = session.stream(Parent::query()).await?;
        let (mut taken, mut found) = (Vec::new(), 0);
        while let Some(parent) = parents.next(&mut session).await? {
            taken.push(parent);
            if taken.len() == 100 {
                found += session.related_all(taken.drain(..), |p| p.children()).await?.len();
            }
        }
        at_most!(test, 11);
        assert_eq!(found, 1_000);
        let mut parents = Parent::query().stream(&test.db);
        let (mut taken, mut found) = (Vec::new(), 0);
        while let Some(parent) = parents.next().await? {
            taken.push(parent);
            if taken.len() == 100 {
                load_all(&mut taken, &test.db, |p| p.children()).await?;
                found += taken.drain(..).map(|parent| parent.children.get().map_or(0, <[_]>::len)).sum::<usize>();
            }
        }
        at_most!(test, 11);
        assert_eq!(found, 1_000);
        let refused = session.stream(Parent::query().include(|p| p.children())).await.unwrap_err();
        assert!(refused.kind() == ErrorKind::Misuse && refused.to_string().contains("related_all"), "{refused}");
        nothing!(test);
    }

    // S65
    async fn links_are_included_by_one_statement(test: &Fixture) {
        let mut session = school(test).await?;
        let students = session.all(Student::query().include(|s| s.courses())).await?;
        at_most!(test, 2);
        let mut links = 0;
        for student in students {
            links += session.related(student, |s| s.courses()).await?.len();
        }
        assert_eq!(links, 7);
        nothing!(test);
    }

    // S68, S69, S70, S71
    async fn what_is_here_is_not_read_again(test: &Fixture) {
        let mut session = families(test, 3, 0).await?;
        let key = Parent::query().first(&test.db).await?.unwrap().id;
        test.statements();
        let first = session.get::<Parent>(key).await?;
        assert_eq!(session.get::<Parent>(key).await?, first);
        at_most!(test, 1);
        for _ in 0..2 {
            session.one(Parent::filter(|p| p.id().eq(key))).await?;
        }
        at_most!(test, 2);
        let all = session.all(Parent::query()).await?;
        session.commit().await?;
        test.statements();
        assert!(all.iter().all(|parent| !session[*parent].name.is_empty()));
        nothing!(test);
        session.refresh_all(all).await?;
        at_most!(test, 1);
    }

    // S76
    async fn a_query_writes_what_was_added_first(test: &Fixture) {
        let mut session = tables(test).await?;
        session.add(parent("p"));
        assert_eq!(session.all(Parent::query()).await?.len(), 1);
        at_most!(test, 2);
    }

    // S80, S81
    async fn a_merge_is_a_read_and_a_write(test: &Fixture) {
        let mut session = families(test, 1, 0).await?;
        let key = Parent::query().first(&test.db).await?.unwrap().id;
        test.statements();
        session.merge(Parent { id: key, ..parent("merged") }).await?;
        session.commit().await?;
        at_most!(test, 2);
        session.merge(Parent { id: key + 1, ..parent("new") }).await?;
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(Parent::filter(|p| p.name().ne("p0")).count(&test.db).await?, 2);
    }

    // S82
    async fn a_parent_and_its_children_are_merged_in_three(test: &Fixture) {
        families(test, 1, 4).await?;
        let mut session = test.db.session();
        let parent = Parent::query().one(&test.db).await?.into_inner();
        let children = Child::query().all(&test.db).await?;
        test.statements();
        session.merge(parent).await?;
        session.merge_all(children.iter().map(|child| Child { name: "merged".into(), ..(**child).clone() })).await?;
        session.commit().await?;
        at_most!(test, 3);
        assert_eq!(Child::filter(|c| c.name().eq("merged")).count(&test.db).await?, 4);
    }

    // S83, S84: SAVEPOINT and what ends it are not counted.
    async fn a_savepoint_costs_nothing_more(test: &Fixture) {
        test.db.create(models![Slug]).await?;
        let mut session = test.db.session();
        test.statements();
        let savepoint = session.savepoint().await?;
        session.add(Slug::builder().slug("a"));
        session.release(savepoint).await?;
        at_most!(test, 1);
        let savepoint = session.savepoint().await?;
        session.add(Slug::builder().slug("a"));
        assert!(session.flush().await.unwrap_err().is_unique());
        session.rollback_to(savepoint).await?;
        session.add(Slug::builder().slug("b"));
        session.commit().await?;
        at_most!(test, 2);
        assert_eq!(test.rows_in("sc_slugs").await?, 2);
    }

    // S85, S86
    async fn a_thousand_rows_are_one_insert(test: &Fixture) {
        let mut session = tables(test).await?;
        let all: Vec<_> = (0..1_000).map(|n| session.add(parent(&format!("p{n}")))).collect();
        session.commit().await?;
        at_most!(test, 1);
        assert!(all.iter().all(|parent| session[*parent].id != 0), "and the keys are here");
    }

    // S87, S88, S89, S90
    async fn what_a_query_writes_is_one_statement(test: &Fixture) {
        let mut session = families(test, 5, 0).await?;
        let all = session.all(Parent::query()).await?;
        test.statements();
        for (parent, rank) in all.into_iter().zip(1..) {
            session[parent].rank = Some(rank);
        }
        session.commit().await?;
        at_most!(test, 1);
        assert_eq!(session.update_all(Parent::query(), |p| p.note().set("n")).await?, 5);
        at_most!(test, 1);
        assert_eq!(session.delete_all(Parent::filter(|p| p.rank().lt(3))).await?, 2);
        at_most!(test, 1);
        session.commit().await?;
        assert_eq!(test.rows_in("sc_parents").await?, 3);
    }

    // S91: several rows, and one by a builder.
    async fn rows_are_inserted_or_updated_in_one_statement(test: &Fixture) {
        test.db.create(models![Ticket, Seat]).await?;
        let mut session = test.db.session();
        for code in ["a", "b"] {
            session.add(Ticket { code: code.into(), seats: HasMany::default(), note: "old".into() });
        }
        session.commit().await?;
        let transaction = session.begin().await?;
        test.statements();
        let new = ["a", "b", "c"].map(|code| Ticket::builder().code(code).note("new"));
        let tickets = Ticket::upsert_many(transaction, new, |t| t.code()).await?;
        at_most!(test, 1);
        assert!(tickets.len() == 3 && tickets.iter().all(|ticket| ticket.note == "new"));
        let ticket = Ticket::builder().code("a").note("newer").upsert(transaction, |t| t.code()).await?;
        at_most!(test, 1);
        assert_eq!(ticket.note, "newer");
        session.commit().await?;
        assert_eq!(test.rows_in("sc_tickets").await?, 3);
    }

    // After an UPDATE by query: what other tables have, and what shows it, is as it was.
    async fn an_update_by_query_costs_objects_of_other_tables_nothing(test: &Fixture) {
        families(test, 2, 1).await?;
        let mut session = test.db.session();
        seed(&mut session).await?;
        session.commit().await?;
        let order = session.add(Order::builder().name("o"));
        let parents = session.all(Parent::query().include(|p| p.children()).include(|p| p.guests())).await?;
        let students = session.all(Student::query().include(|s| s.courses())).await?;
        session.commit().await?;
        test.statements();
        session[parents[0]].note = "mine".into();
        let found = session.update_all(Parent::filter(|p| p.note().eq("mine")), |p| p.rank().set(7)).await?;
        assert_eq!((found, test.statements().len()), (1, 2), "what was changed is written first");
        for parent in &parents {
            let children = session.related(*parent, |p| p.children()).await?;
            let guests = session.related(*parent, |p| p.guests()).await?;
            let (child, guest) = (session[children[0]].id, session[guests[0]].id);
            assert_eq!(session.get::<Child>(child).await?, children[0]);
            assert_eq!(session.get::<Guest>(guest).await?, guests[0]);
        }
        let key = session[order].id;
        assert_eq!(session.get::<Order>(key).await?, order);
        assert_eq!(session.related(students[0], |s| s.courses()).await?.len(), 3);
        nothing!(test);
        // Read again, by its key, by a relation, by a query.
        let child = session.related(parents[0], |p| p.children()).await?[0];
        assert_eq!(session.related(child, |c| c.parent()).await?, [parents[0]]);
        at_most!(test, 1);
        assert_eq!(session[parents[0]].rank, Some(7));
        let key = session[parents[1]].id;
        session.get::<Parent>(key).await?;
        at_most!(test, 1);
        session.update_all(Course::query(), |c| c.name().set("all")).await?;
        test.statements();
        let courses = session.related(students[0], |s| s.courses()).await?;
        at_most!(test, 1);
        assert!(courses.iter().all(|course| session[*course].name == "all"));
        let key = session[students[0]].id;
        session.delete_all(Enrolment::filter(|e| e.student_id().eq(key))).await?;
        assert_eq!(session.related(students[0], |s| s.courses()).await?, []);
        session.update_all(Child::query(), |c| c.name().set("all")).await?;
        test.statements();
        assert_eq!(session.related(parents[0], |p| p.children()).await?, [child]);
        at_most!(test, 1);
        assert_eq!(session[child].name, "all");
        session.rollback().await?;
        let key = session[child].id;
        session.get::<Child>(key).await?;
        assert_eq!(session[child].name, "c00");
    }

    // The parent that a handle named before there was a key, too.
    async fn an_object_that_a_handle_points_at_is_read_again(test: &Fixture) {
        let mut session = tables(test).await?;
        let home = session.add(parent("p"));
        let inner = session.add(child(home, "c"));
        session.commit().await?;
        session.update_all(Parent::query(), |p| p.name().set("q")).await?;
        test.statements();
        assert_eq!(session.related(inner, |c| c.parent()).await?, [home]);
        at_most!(test, 1);
        assert_eq!(session[home].name, "q");
    }

    // After a DELETE by query: what the database deletes or sets NULL with it is looked for again, and nothing else.
    async fn a_delete_by_query_costs_only_objects_that_it_may_have_reached(test: &Fixture) {
        families(test, 2, 1).await?;
        let mut session = test.db.session();
        seed(&mut session).await?;
        let order = session.add(Order::builder().name("o"));
        session.commit().await?;
        let query = Parent::query().order_by(|p| p.id().asc()).include(|p| p.children()).include(|p| p.guests());
        let parents = session.all(query).await?;
        let child = session.related(parents[0], |p| p.children()).await?[0];
        let guest = session.related(parents[0], |p| p.guests()).await?[0];
        let students = session.all(Student::query().include(|s| s.courses())).await?;
        test.statements();
        assert_eq!(session.delete_all(Parent::filter(|p| p.name().eq("p0"))).await?, 1);
        at_most!(test, 1);
        let key = session[order].id;
        assert_eq!(session.get::<Order>(key).await?, order);
        assert_eq!(session.related(students[0], |s| s.courses()).await?.len(), 3);
        nothing!(test);
        let (child_key, guest_key) = (session[child].id, session[guest].id);
        assert_eq!(session.find::<Child>(child_key).await?, None);
        session.get::<Guest>(guest_key).await?;
        at_most!(test, 2);
        assert_eq!((session.state(child), session[guest].parent.is_none()), (ObjectState::Deleted, true));
        assert_eq!(session.related(parents[1], |p| p.children()).await?.len(), 1);
        session.delete_all(Course::filter(|c| c.name().eq("c0"))).await?;
        test.statements();
        assert_eq!(session.related(students[0], |s| s.courses()).await?.len(), 2);
        at_most!(test, 1);
        session.rollback().await?;
        assert_eq!(session.state(child), ObjectState::Clean);
        assert_eq!(session.find::<Child>(child_key).await?, Some(child), "it is back");
        assert_eq!(session.related(parents[0], |p| p.guests()).await?, [guest]);
    }

    // S95, S96, S97, by what the peer sends PostgreSQL, for tables without the indexes that foreign keys bring here.
    async fn tables_are_made_and_dropped_in_few_statements(test: &Fixture) {
        test.db.create(models![Parent, Order, Slug]).await?;
        at_most!(test, 4);
        test.db.create(models![Parent, Order, Slug]).await?;
        at_most!(test, 1);
        test.db.drop(models![Parent, Order, Slug]).await?;
        at_most!(test, 4);
    }
}
