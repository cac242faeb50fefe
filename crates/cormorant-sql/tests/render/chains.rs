//! Long conditions: no call stack, no quadratic time, and not too deep for SQLite.

use std::time::{Duration, Instant};

use cormorant_sql::{Binary, Compiled, Dialect};

use crate::build::*;
use crate::sqlite;
use crate::tables::*;

const LONG: usize = 100_000;

/// `a op a op …`, the first two first or the last two first.
fn long(op: Binary, operand: Expr, left: bool) -> Query {
    let mut buffer = operand.0.clone();
    for _ in 1..LONG {
        buffer.append(operand.0.clone());
        if left {
            buffer.push(cormorant_sql::Token::Binary(op));
        }
    }
    for _ in 1..if left { 0 } else { LONG } {
        buffer.push(cormorant_sql::Token::Binary(op));
    }
    let condition = Expr(buffer);
    from(&USERS).filter(if op == Binary::Add { condition.eq(col(0)) } else { condition })
}

/// On a small stack, and measured.
fn render(query: Query, dialect: Dialect) -> (Compiled, Duration) {
    let work = move || {
        let start = Instant::now();
        let statement = cormorant_sql::Statement { kind: query.kind, table: query.table, tokens: &query.buffer.tokens };
        (cormorant_sql::render(&statement, dialect).unwrap(), start.elapsed())
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap()
}

#[test]
fn a_hundred_thousand_operands_are_written() {
    for left in [true, false] {
        for op in [Binary::Or, Binary::And, Binary::Add] {
            for dialect in [Sqlite, Postgres, MySql] {
                let (compiled, time) = render(long(op, col(AGE), left), dialect);
                assert_eq!(compiled.sql.matches("age").count(), LONG + 1, "with the column that is selected");
                assert!(time < Duration::from_secs(5), "{op:?} {dialect} {time:?}");
            }
        }
    }
}

#[test]
fn sqlite_takes_a_long_condition() {
    let db = sqlite::with_tables();
    db.execute("INSERT INTO users (id, name, age) VALUES (1, 'a', 20), (2, 'b', 30)", []).unwrap();
    for left in [true, false] {
        for (op, found) in [(Binary::Or, 2), (Binary::And, 1)] {
            // Of 20 and 30, all or one.
            let operand = if op == Binary::Or { col(AGE) } else { col(AGE).op(Binary::Lt, col(AGE).add(col(0))) };
            let operand = if op == Binary::And { operand.and(col(0).eq(col(0))) } else { operand };
            let (compiled, _) = render(long(op, operand, left), Sqlite);
            assert!(sqlite::rows(&db, &compiled, &[]).len() >= found);
        }
    }
}

#[test]
fn many_filters_are_one_long_condition() {
    let query = (0..LONG).fold(from(&USERS), |query, _| query.filter(col(AGE)));
    let (compiled, time) = render(query, Sqlite);
    assert!(time < Duration::from_secs(5), "{time:?}");
    sqlite::prepare(&compiled);
}

#[test]
fn many_nested_queries_take_linear_time() {
    let exists = from(&POSTS).filter(col(AUTHOR_ID).eq(outer(1, &[], 0))).exists();
    let time = |n: usize| {
        let query = (0..n).fold(from(&USERS), |query, _| query.filter(exists.clone()));
        render(query, Postgres).1
    };
    time(2_000);
    let (some, more) = (time(2_000), time(20_000));
    assert!(more < some * 40 + Duration::from_millis(200), "{some:?} for 2,000, {more:?} for 20,000");
}

#[test]
fn and_inside_or_inside_and() {
    // Each level is a chain of its own, one operand long at its end.
    let mut buffer = col(ACTIVE).0;
    for n in 0..LONG {
        buffer.append(col(AGE).0);
        buffer.push(cormorant_sql::Token::Binary(if n % 2 == 0 { Binary::Or } else { Binary::And }));
    }
    let (compiled, time) = render(from(&USERS).filter(Expr(buffer)), Postgres);
    assert_eq!(compiled.sql.matches('(').count(), LONG / 2);
    assert!(time < Duration::from_secs(5), "{time:?}");
}
