//! A literal is the value that would be bound.

use cormorant_sql::{Dialect, Value, literal};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::build::*;
use crate::sqlite;

#[track_caller]
fn is(value: Value<'static>, sqlite: &str, postgres: &str, mysql: &str) {
    let mariadb = match mysql.strip_prefix("_utf8mb4 ") {
        Some(bytes) => format!("(CONVERT({bytes} USING utf8mb4))"),
        None => mysql.to_owned(),
    };
    for (dialect, wanted) in [(Sqlite, sqlite), (Postgres, postgres), (MySql, mysql), (MariaDb, &mariadb)] {
        let found = literal(dialect, &value).inspect(|found| record(dialect, &[], &format!("SELECT {found}")));
        let found = found.unwrap_or_else(|fault| fault.to_string());
        assert_eq!(found, wanted, "{dialect}");
    }
}

#[test]
fn literals() {
    let same = |value, sql| is(value, sql, sql, sql);
    same(Value::Null, "NULL");
    same(Value::Bool(true), "TRUE");
    same(Value::Bool(false), "FALSE");
    same(Value::Int(5), "5");
    same(Value::Int(-5), "(-5)");
    same(Value::Int(i64::MIN), "(-9223372036854775808)");
    same(Value::Decimal("-1.50".parse().unwrap()), "(-1.50)");
    same(Value::Text("it's".into()), "'it''s'");
    same(Value::Text("a\"`;--".into()), "'a\"`;--'");
    same(Value::Date("2026-01-02".parse().unwrap()), "'2026-01-02'");
    same(Value::Time("01:02:03".parse().unwrap()), "'01:02:03'");
    same(Value::Time("01:02:03.5".parse().unwrap()), "'01:02:03.500000'");
    same(Value::DateTime("2026-01-02T03:04:05.000001999".parse().unwrap()), "'2026-01-02 03:04:05.000001'");
    let stamp = "2026-01-02 02:04:05";
    is(
        Value::Timestamp("2026-01-02T03:04:05+01".parse().unwrap()),
        &format!("'{stamp}'"),
        &format!("'{stamp}+00'"),
        &format!("'{stamp}'"),
    );
    is(Value::Float(0.1), "1e-1", "'0.1'::float8", "1e-1");
    is(Value::Float(-1e300), "(-1e300)", &format!("'-1{}'::float8", "0".repeat(300)), "(-1e300)");
    is(Value::Bytes(vec![0, 255].into()), "X'00ff'", r"'\x00ff'::bytea", "X'00ff'");
    is(Value::Text(r"a\'".into()), r"'a\'''", r"E'a\\'''", "_utf8mb4 X'615c27'");
    let none = |what: &str, dialect: &str| format!("{dialect} has no literal for {what}: bind the value");
    is(
        Value::Text("a\0".into()),
        "(CAST(X'6100' AS TEXT))",
        &none("text that holds NUL", "PostgreSQL"),
        "_utf8mb4 X'6100'",
    );
    assert_eq!(literal(Sqlite, &Value::Float(f64::INFINITY)), Ok("9e999".to_owned()));
    assert_eq!(literal(Sqlite, &Value::Float(f64::NEG_INFINITY)), Ok("(-9e999)".to_owned()));
    assert_eq!(literal(Postgres, &Value::Float(f64::NAN)), Ok("'NaN'::float8".to_owned()));
    assert_eq!(literal(Postgres, &Value::Float(f64::NEG_INFINITY)), Ok("'-inf'::float8".to_owned()));
    assert_eq!(literal(MySql, &Value::Float(f64::INFINITY)).unwrap_err().to_string(), none("an infinity", "MySQL"));
    assert_eq!(literal(Sqlite, &Value::Float(f64::NAN)).unwrap_err().to_string(), none("NaN", "SQLite"));
    assert_eq!(literal(Sqlite, &Value::List(vec![])).unwrap_err().to_string(), none("a list", "SQLite"));
}

/// True when SQLite takes the literal for the bound value, type and all.
fn is_the_value(db: &Connection, value: &Value<'_>) -> bool {
    let literal = literal(Dialect::Sqlite, value).unwrap();
    // Behind a minus and before a word, where a careless literal would fall apart.
    let sql = format!(
        "SELECT typeof({literal}) = typeof(?1) AND {literal} IS ?1 AND hex({literal})=hex(?1) AND 1-{literal} IS NOT 'x'"
    );
    db.query_row(&sql, [sqlite::cell(value)], |row| row.get(0)).unwrap_or_else(|error| panic!("{error}\n{sql}"))
}

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("'".to_owned()),
        Just("\\".to_owned()),
        Just("\0".to_owned()),
        Just("--".to_owned()),
        Just("/*".to_owned()),
        Just("X'".to_owned()),
        Just("\n".to_owned()),
        any::<char>().prop_map(String::from),
        "[ -~]{0,8}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn any_text_is_its_literal() {
    let db = sqlite::empty();
    let mut runner = proptest::test_runner::TestRunner::new(cases(4_096));
    runner
        .run(&hostile_text(), |text| {
            prop_assert!(is_the_value(&db, &Value::Text(text.into())));
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_number_is_its_literal() {
    let db = sqlite::empty();
    let value = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1)].prop_map(Value::Int),
        (-1_000_000_000_000i64..1_000_000_000_000, 0i32..9).prop_map(|(n, e)| Value::Float(n as f64 / 10f64.powi(e))),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    let mut runner = proptest::test_runner::TestRunner::new(cases(2_048));
    runner
        .run(&value, |value| {
            prop_assert!(is_the_value(&db, &value));
            Ok(())
        })
        .unwrap();
}
