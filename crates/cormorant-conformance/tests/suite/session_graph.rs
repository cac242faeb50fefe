//! A session writes ten thousand objects that point at each other in every direction.

use cormorant::ErrorKind;
use cormorant::prelude::*;
use cormorant_conformance::conformance;

use crate::graphs::Dice;

/// Five tables: each has a foreign key to every one of them, itself included, and the second and the fourth one that is
/// never NULL.
macro_rules! nodes {
    ($($name:ident $table:literal $(must $must:ident)?;)*) => {$(
        #[derive(Model, Clone, Debug, PartialEq)]
        #[model(table = $table)]
        struct $name {
            id: i64,
            a: Option<ForeignKey<A>>,
            b: Option<ForeignKey<B>>,
            c: Option<ForeignKey<C>>,
            d: Option<ForeignKey<D>>,
            e: Option<ForeignKey<E>>,
            $(must: ForeignKey<$must>,)?
        }

        impl $name {
            fn point(&mut self, at: Any) {
                match at {
                    Any::A(handle) => self.a = Some(handle.into()),
                    Any::B(handle) => self.b = Some(handle.into()),
                    Any::C(handle) => self.c = Some(handle.into()),
                    Any::D(handle) => self.d = Some(handle.into()),
                    Any::E(handle) => self.e = Some(handle.into()),
                }
            }
        }
    )*};
}

nodes! {
    A "sg_a";
    B "sg_b" must A;
    C "sg_c";
    D "sg_d" must C;
    E "sg_e";
}

#[derive(Clone, Copy)]
enum Any {
    A(Handle<A>),
    B(Handle<B>),
    C(Handle<C>),
    D(Handle<D>),
    E(Handle<E>),
}

macro_rules! on {
    ($any:expr, $handle:ident => $then:expr) => {
        match $any {
            Any::A($handle) => $then,
            Any::B($handle) => $then,
            Any::C($handle) => $then,
            Any::D($handle) => $then,
            Any::E($handle) => $then,
        }
    };
}

const TABLES: [&str; 5] = ["sg_a", "sg_b", "sg_c", "sg_d", "sg_e"];
/// With the circles, ten thousand.
const ROWS: usize = 10_000 - CIRCLES * LEVELS;
/// A row points at rows of the level below it, whichever table they are in.
const LEVELS: usize = 6;
/// How many circles there are, of a row for each level.
const CIRCLES: usize = 40;
/// The longest way down: a circle that was opened, and what is never NULL below it.
const DEEPEST: usize = LEVELS + 1;
/// Rows per INSERT, where the parameters allow it: seven of each.
const MOST: usize = 1_000;

/// Adds one; where it points is said later, but for what is never NULL.
fn add(session: &mut Session, table: usize, a: &[Handle<A>], c: &[Handle<C>], dice: &mut Dice) -> Any {
    let none = (None, None, None, None, None);
    let (na, nb, nc, nd, ne) = none;
    match table {
        0 => Any::A(session.add(A { id: 0, a: na, b: nb, c: nc, d: nd, e: ne })),
        1 => {
            let must = dice.any(a).copied().unwrap().into();
            Any::B(session.add(B { id: 0, a: na, b: nb, c: nc, d: nd, e: ne, must }))
        }
        2 => Any::C(session.add(C { id: 0, a: na, b: nb, c: nc, d: nd, e: ne })),
        3 => {
            let must = dice.any(c).copied().unwrap().into();
            Any::D(session.add(D { id: 0, a: na, b: nb, c: nc, d: nd, e: ne, must }))
        }
        _ => Any::E(session.add(E { id: 0, a: na, b: nb, c: nc, d: nd, e: ne })),
    }
}

fn shuffle<T>(of: &mut [T], dice: &mut Dice) {
    for at in (1..of.len()).rev() {
        of.swap(at, dice.below(at + 1));
    }
}

/// The statements since the last call that begin with a word, for each table.
fn sent(statements: &[String], word: &str) -> Vec<usize> {
    let of = |table: &&str| {
        statements
            .iter()
            .filter(|sql| sql.starts_with(word) && sql.split([' ', '(', '"', '`']).any(|w| w == *table))
            .count()
    };
    TABLES.iter().map(of).collect()
}

conformance! {
    async fn ten_thousand_objects_in_every_direction(test: &Fixture) {
        test.db.create(models![A, B, C, D, E]).await?;
        let mut dice = Dice::of(7);
        let mut session = test.db.session();
        // Levels are of one size; on each, rows of every table. What is never NULL leads to the lowest level.
        let (mut first_a, mut first_c) = (Vec::new(), Vec::new());
        let mut levels: Vec<Vec<(usize, Any)>> = Vec::new();
        let mut order: Vec<usize> = (0..ROWS).collect();
        shuffle(&mut order, &mut dice);
        levels.resize_with(LEVELS, Vec::new);
        for n in 0..50 {
            let any = add(&mut session, 2 * (n % 2), &first_a, &first_c, &mut dice);
            match any {
                Any::A(handle) => first_a.push(handle),
                Any::C(handle) => first_c.push(handle),
                _ => {}
            }
            levels[0].push((2 * (n % 2), any));
        }
        for n in order.into_iter().skip(50) {
            // Children come before their parents as often as behind them.
            let table = n % 5;
            let level = if table == 1 || table == 3 { 1 + n % (LEVELS - 1) } else { n % LEVELS };
            let any = add(&mut session, table, &first_a, &first_c, &mut dice);
            levels[level].push((table, any));
        }
        for level in 1..LEVELS {
            for (_, any) in &levels[level] {
                for _ in 0..2 {
                    let (_, below) = *dice.any(&levels[level - 1]).unwrap();
                    on!(*any, h => session[h].point(below));
                }
            }
        }
        // Circles, of a row of each table and one more.
        for _ in 0..CIRCLES {
            let circle: Vec<(usize, Any)> = (0..LEVELS)
                .map(|n| (n % 5, add(&mut session, n % 5, &first_a, &first_c, &mut dice)))
                .collect();
            for (n, (_, any)) in circle.iter().enumerate() {
                let (_, next) = circle[(n + 1) % LEVELS];
                on!(*any, h => session[h].point(next));
            }
            levels.push(circle);
        }
        test.statements();
        session.commit().await?;
        let statements = test.statements();
        let (inserts, updates) = (sent(&statements, "INSERT"), sent(&statements, "UPDATE"));
        assert_eq!(inserts.iter().sum::<usize>() + updates.iter().sum::<usize>(), statements.len());
        for (table, name) in TABLES.iter().enumerate() {
            let rows: usize = levels.iter().flatten().filter(|(of, _)| *of == table).count();
            assert_eq!(test.rows_in(name).await?, rows as i64);
            let most = rows.div_ceil(MOST) + DEEPEST;
            assert!(inserts[table] <= most, "{name}: {} INSERT for {rows} rows, {most} at most", inserts[table]);
            assert!(updates[table] <= 5, "{name}: {} UPDATE, one for each foreign key at most", updates[table]);
        }
        let mut other = test.db.session();
        let mut points = 0;
        for a in other.all(A::query()).await? {
            points += usize::from(other[a].a.is_some()) + usize::from(other[a].e.is_some());
        }
        assert!(points > 100, "they point at each other in the database: {points}");

        let mut all: Vec<Any> = levels.into_iter().flatten().map(|(_, any)| any).collect();
        shuffle(&mut all, &mut dice);
        all.iter().for_each(|any| on!(*any, h => session.delete(h)));
        test.statements();
        session.commit().await?;
        let statements = test.statements();
        let (deletes, updates) = (sent(&statements, "DELETE"), sent(&statements, "UPDATE"));
        assert_eq!(deletes.iter().sum::<usize>() + updates.iter().sum::<usize>(), statements.len());
        for (table, name) in TABLES.iter().enumerate() {
            assert_eq!(test.rows_in(name).await?, 0);
            assert!(deletes[table] <= 1 + DEEPEST, "{name}: {} DELETE", deletes[table]);
            assert!(updates[table] <= 5, "{name}: {} UPDATE", updates[table]);
        }
    }

    async fn a_circle_that_cannot_be_opened_is_named_before_anything_is_sent(test: &Fixture) {
        let mut session = test.db.session();
        let one = session.add(One { id: 0, two: ForeignKey::to(0), other: None });
        let three = session.add(Three { id: 0, one: one.into() });
        let two = session.add(Two { id: 0, three: three.into() });
        session[one].two = two.into();
        // What could be written, and a foreign key that could wait.
        let free = session.add(A { id: 0, a: None, b: None, c: None, d: None, e: None });
        session[one].other = Some(free.into());
        let error = session.flush().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse);
        let named = ["One.two -> Two.three -> Three.one", "Two.three -> Three.one -> One.two", "Three.one -> One.two -> Two.three"];
        assert!(named.iter().any(|circle| error.to_string().contains(circle)), "{error}");
        assert_eq!(test.statements(), Vec::<String>::new());
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sg_one")]
struct One {
    id: i64,
    two: ForeignKey<Two>,
    other: Option<ForeignKey<A>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sg_two")]
struct Two {
    id: i64,
    three: ForeignKey<Three>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sg_three")]
struct Three {
    id: i64,
    one: ForeignKey<One>,
}
