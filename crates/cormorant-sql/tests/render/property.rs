//! Random expressions: SQLite and a few lines of Rust agree on their values.

use cormorant_sql::{Binary as B, Function, Unary};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;

use crate::build::*;
use crate::sqlite;
use crate::tables::*;

/// A number, or nothing known.
#[derive(Clone, Debug)]
enum Number {
    Age,
    Manager,
    Id,
    Bound(i64),
    Plus(Box<Number>, Box<Number>),
    Minus(Box<Number>, Box<Number>),
    Times(Box<Number>, Box<Number>),
    Over(Box<Number>, Box<Number>),
    Rest(Box<Number>, Box<Number>),
    Negated(Box<Number>),
    FirstKnown(Box<Number>, Box<Number>),
    Choice(Box<Condition>, Box<Number>, Option<Box<Number>>),
}

/// True, false, or unknown.
#[derive(Clone, Debug)]
enum Condition {
    Compare(B, Number, Number),
    Between(Number, Number, Number),
    Null(Number, bool),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

/// A row: age, manager_id and id.
#[derive(Clone, Copy, Debug)]
struct Row(Option<i64>, Option<i64>, i64);

impl Number {
    fn build(&self) -> Expr {
        match self {
            Self::Age => col(AGE),
            Self::Manager => col(MANAGER_ID),
            Self::Id => col(0),
            Self::Bound(n) => int(*n),
            Self::Plus(a, b) => a.build().add(b.build()),
            Self::Minus(a, b) => a.build().op(B::Subtract, b.build()),
            Self::Times(a, b) => a.build().op(B::Multiply, b.build()),
            Self::Over(a, b) => a.build().op(B::Divide, b.build()),
            Self::Rest(a, b) => a.build().op(B::Remainder, b.build()),
            Self::Negated(a) => a.build().unary(Unary::Negate),
            Self::FirstKnown(a, b) => call(Function::Coalesce, &[a.build(), b.build()]),
            Self::Choice(c, a, b) => {
                let mut operands = vec![c.build(), a.build()];
                operands.extend(b.iter().map(|b| b.build()));
                case(&operands)
            }
        }
    }

    /// SQLite computes with 64 bits; the trees are too small to leave them.
    fn value(&self, row: Row) -> Option<i64> {
        let both = |a: &Number, b: &Number| Some((a.value(row)?, b.value(row)?));
        match self {
            Self::Age => row.0,
            Self::Manager => row.1,
            Self::Id => Some(row.2),
            Self::Bound(n) => Some(*n),
            Self::Plus(a, b) => both(a, b).map(|(a, b)| a + b),
            Self::Minus(a, b) => both(a, b).map(|(a, b)| a - b),
            Self::Times(a, b) => both(a, b).map(|(a, b)| a * b),
            Self::Over(a, b) => both(a, b).and_then(|(a, b)| a.checked_div(b)),
            Self::Rest(a, b) => both(a, b).and_then(|(a, b)| a.checked_rem(b)),
            Self::Negated(a) => a.value(row).map(|a| -a),
            Self::FirstKnown(a, b) => a.value(row).or_else(|| b.value(row)),
            Self::Choice(c, a, b) => match (c.value(row), b) {
                (Some(true), _) => a.value(row),
                (_, Some(b)) => b.value(row),
                (_, None) => None,
            },
        }
    }
}

impl Condition {
    fn build(&self) -> Expr {
        match self {
            Self::Compare(op, a, b) => a.build().op(*op, b.build()),
            Self::Between(x, a, b) => x.build().between(a.build(), b.build()),
            Self::Null(x, true) => x.build().unary(Unary::IsNull),
            Self::Null(x, false) => x.build().unary(Unary::IsNotNull),
            Self::And(a, b) => a.build().and(b.build()),
            Self::Or(a, b) => a.build().or(b.build()),
            Self::Not(a) => a.build().not(),
        }
    }

    fn value(&self, row: Row) -> Option<bool> {
        match self {
            Self::Compare(op, a, b) => {
                let (a, b) = (a.value(row), b.value(row));
                match op {
                    B::IsDistinct => Some(a != b),
                    B::IsNotDistinct => Some(a == b),
                    _ => {
                        let (a, b) = (a?, b?);
                        Some(match op {
                            B::Eq => a == b,
                            B::Ne => a != b,
                            B::Lt => a < b,
                            B::Le => a <= b,
                            B::Gt => a > b,
                            _ => a >= b,
                        })
                    }
                }
            }
            Self::Between(x, a, b) => {
                let (x, a, b) = (x.value(row), a.value(row), b.value(row));
                and(x.zip(a).map(|(x, a)| x >= a), x.zip(b).map(|(x, b)| x <= b))
            }
            Self::Null(x, null) => Some(x.value(row).is_none() == *null),
            Self::And(a, b) => and(a.value(row), b.value(row)),
            Self::Or(a, b) => and(a.value(row).map(|a| !a), b.value(row).map(|b| !b)).map(|both| !both),
            // A row that a condition does not match is one that `!` matches.
            Self::Not(a) => Some(a.value(row) != Some(true)),
        }
    }
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn condition(depth: u32) -> BoxedStrategy<Condition> {
    let op = prop::sample::select(vec![B::Eq, B::Ne, B::Lt, B::Le, B::Gt, B::Ge, B::IsDistinct, B::IsNotDistinct]);
    let leaf = prop_oneof![
        3 => (op, number(depth), number(depth)).prop_map(|(op, a, b)| Condition::Compare(op, a, b)),
        1 => (number(depth), number(depth), number(depth)).prop_map(|(x, a, b)| Condition::Between(x, a, b)),
        1 => (number(depth), any::<bool>()).prop_map(|(x, null)| Condition::Null(x, null)),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || condition(depth - 1).prop_map(Box::new);
    prop_oneof![
        2 => leaf,
        2 => (inner(), inner()).prop_map(|(a, b)| Condition::And(a, b)),
        2 => (inner(), inner()).prop_map(|(a, b)| Condition::Or(a, b)),
        2 => inner().prop_map(Condition::Not),
    ]
    .boxed()
}

fn number(depth: u32) -> BoxedStrategy<Number> {
    let leaf =
        prop_oneof![Just(Number::Age), Just(Number::Manager), Just(Number::Id), (-9i64..10).prop_map(Number::Bound)];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || number(depth - 1).prop_map(Box::new);
    let chosen = condition(depth - 1).prop_map(Box::new);
    prop_oneof![
        3 => leaf,
        1 => (inner(), inner()).prop_map(|(a, b)| Number::Plus(a, b)),
        1 => (inner(), inner()).prop_map(|(a, b)| Number::Minus(a, b)),
        1 => (inner(), inner()).prop_map(|(a, b)| Number::Times(a, b)),
        1 => (inner(), inner()).prop_map(|(a, b)| Number::Over(a, b)),
        1 => (inner(), inner()).prop_map(|(a, b)| Number::Rest(a, b)),
        1 => inner().prop_map(Number::Negated),
        1 => (inner(), inner()).prop_map(|(a, b)| Number::FirstKnown(a, b)),
        1 => (chosen, inner(), prop::option::of(inner())).prop_map(|(c, a, b)| Number::Choice(c, a, b)),
    ]
    .boxed()
}

const ROWS: [Row; 6] = [
    Row(None, None, 1),
    Row(Some(0), None, 2),
    Row(None, Some(3), 3),
    Row(Some(20), Some(1), 4),
    Row(Some(-7), Some(4), 5),
    Row(Some(6), Some(6), 6),
];

fn users() -> Connection {
    let db = sqlite::with_tables();
    db.pragma_update(None, "ignore_check_constraints", true).unwrap();
    for Row(age, manager, id) in ROWS {
        let name = format!("u{id}");
        let sql = "INSERT INTO users (id, name, age, manager_id) VALUES (?1, ?2, ?3, NULL)";
        db.execute(sql, (id, name, age)).unwrap();
        let _ = manager;
    }
    for Row(_, manager, id) in ROWS {
        db.execute("UPDATE users SET manager_id = ?2 WHERE id = ?1", (id, manager)).unwrap();
    }
    db
}

fn ids(db: &Connection, query: Query) -> Vec<i64> {
    let rows = sqlite::rows(db, &query.render(Sqlite).unwrap(), &query.buffer.values);
    rows.into_iter().map(|row| if let Cell::Integer(n) = row[0] { n } else { panic!("{row:?}") }).collect()
}

#[test]
fn conditions_match_the_rows_they_should() {
    let db = users();
    let mut runner = proptest::test_runner::TestRunner::new(cases(ProptestConfig::default().cases));
    runner
        .run(&condition(4), |condition| {
            let wanted: Vec<i64> =
                ROWS.iter().filter(|row| condition.value(**row) == Some(true)).map(|row| row.2).collect();
            let query = || select(&USERS, col(0)).by(col(0));
            prop_assert_eq!(ids(&db, query().filter(condition.build())), wanted.clone());
            // Every row is matched by a condition or by its opposite.
            let others: Vec<i64> = ROWS.iter().map(|row| row.2).filter(|id| !wanted.contains(id)).collect();
            prop_assert_eq!(ids(&db, query().filter(condition.build().not())), others);
            // In two filters, and in one nested query, it is the same condition.
            let twice = query().filter(condition.build()).filter(condition.build());
            prop_assert_eq!(ids(&db, twice), wanted.clone());
            let inside = from(&USERS).filter(col(0).eq(outer(1, &[], 0)).and(condition.build())).exists();
            prop_assert_eq!(ids(&db, query().filter(inside)), wanted);
            Ok(())
        })
        .unwrap();
}

#[test]
fn numbers_are_what_they_should_be() {
    let db = users();
    let mut runner = proptest::test_runner::TestRunner::new(cases(ProptestConfig::default().cases));
    runner
        .run(&number(4), |number| {
            let query = from(&USERS).by(col(0)).select(number.build());
            let rows = sqlite::rows(&db, &query.render(Sqlite).unwrap(), &query.buffer.values);
            let wanted: Vec<Vec<Cell>> =
                ROWS.iter().map(|row| vec![number.value(*row).map_or(Cell::Null, Cell::Integer)]).collect();
            prop_assert_eq!(rows, wanted);
            Ok(())
        })
        .unwrap();
}
