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
            for dialect in [Sqlite, MySql] {
                let (compiled, time) = render(long(op, col(AGE), left), dialect);
                assert_eq!(
                    compiled.sql.matches("age").count(),
                    LONG + 2,
                    "with age and manager_id, which are selected"
                );
                assert!(time < Duration::from_secs(5), "{op:?} {dialect} {time:?}");
            }
        }
    }
}

#[test]
fn sqlite_takes_a_long_condition() {
    let db = sqlite::with_tables();
    db.execute("INSERT INTO users (id, name, active) VALUES (1, 'a', 0), (2, 'b', 1)", []).unwrap();
    for left in [true, false] {
        for op in [Binary::Or, Binary::And] {
            let (compiled, _) = render(long(op, col(ACTIVE), left), Sqlite);
            let rows = sqlite::rows(&db, &compiled, &[]);
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0][0], rusqlite::types::Value::Integer(2));
        }
    }
    // One value in every place, and a condition that could end early in each.
    let query = from(&USERS).filter(col(0).eq(int(2)));
    let mut buffer = query.buffer.clone();
    for _ in 1..LONG {
        buffer.tokens.pop();
        buffer.append(col(0).eq(col(NAME)).0);
        buffer.push(cormorant_sql::Token::Binary(Binary::Or));
        buffer.push(cormorant_sql::Token::Filter);
    }
    let (compiled, _) = render(Query { buffer: buffer.clone(), ..query }, Sqlite);
    assert_eq!(sqlite::rows(&db, &compiled, &buffer.values).len(), 1);
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
