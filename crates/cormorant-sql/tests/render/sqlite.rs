//! A real SQLite with the tables of the tests.

use cormorant_sql::schema::Schema;
use cormorant_sql::{Compiled, Dialect, Value, ddl};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Cell;

use crate::tables::ALL;

pub(crate) fn empty() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    // As the driver sets them: a name in quotes that no column has must not become text.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false).unwrap();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("cormorant_lower", 1, flags, |c| {
        Ok(c.get::<Option<String>>(0)?.map(|text| text.to_lowercase()))
    })
    .unwrap();
    db.create_scalar_function("cormorant_upper", 1, flags, |c| {
        Ok(c.get::<Option<String>>(0)?.map(|text| text.to_uppercase()))
    })
    .unwrap();
    db.create_scalar_function("cormorant_integer", 3, flags, |c| c.get::<Option<i64>>(0)).unwrap();
    db.create_scalar_function("cormorant_round", 1, flags, |c| Ok(c.get::<Option<f64>>(0)?.map(|n| n.round() as i64)))
        .unwrap();
    // Stand-ins: the driver's tests are about what these find.
    for name in ["cormorant_like", "cormorant_regex"] {
        db.create_scalar_function(name, 2, flags, |c| {
            let (pattern, text) = (c.get::<Option<String>>(0)?, c.get::<Option<String>>(1)?);
            Ok(pattern.zip(text).map(|(pattern, text)| pattern == text))
        })
        .unwrap();
    }
    db
}

pub(crate) fn with_tables() -> Connection {
    let db = empty();
    for table in Schema::of(ALL.iter().copied()).unwrap().tables {
        for sql in ddl::create_table(&table, Dialect::Sqlite).unwrap() {
            db.execute(&sql, []).unwrap();
        }
    }
    db
}

/// SQLite accepts the statement, and it has a place for every value and a column for every output.
#[track_caller]
pub(crate) fn prepare(compiled: &Compiled) {
    thread_local!(static DB: Connection = with_tables());
    DB.with(|db| {
        let statement = db.prepare(&compiled.sql).unwrap_or_else(|error| panic!("{error}\n{}", compiled.sql));
        assert_eq!(statement.parameter_count(), compiled.parameters.len(), "{}", compiled.sql);
        assert_eq!(statement.column_count(), compiled.outputs.len(), "{}", compiled.sql);
    });
}

/// Runs a statement and gives the rows.
pub(crate) fn rows(db: &Connection, compiled: &Compiled, values: &[Value<'_>]) -> Vec<Vec<Cell>> {
    let mut statement = db.prepare(&compiled.sql).unwrap_or_else(|error| panic!("{error}\n{}", compiled.sql));
    let columns = statement.column_count();
    let values = rusqlite::params_from_iter(values.iter().map(cell));
    let rows = statement.query_map(values, |row| (0..columns).map(|n| row.get(n)).collect()).unwrap();
    rows.map(|row| row.unwrap_or_else(|error| panic!("{error}\n{}", compiled.sql))).collect()
}

/// As the driver binds it.
pub(crate) fn cell(value: &Value<'_>) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(b) => Cell::Integer(i64::from(*b)),
        Value::Int(n) => Cell::Integer(*n),
        Value::Float(n) => Cell::Real(*n),
        Value::Decimal(n) => Cell::Real(n.to_string().parse().unwrap()),
        Value::Text(text) => Cell::Text(text.to_string()),
        Value::Bytes(bytes) => Cell::Blob(bytes.to_vec()),
        Value::List(values) => {
            let list: Vec<String> =
                values.iter().map(|v| if let Value::Int(n) = v { n.to_string() } else { "null".into() }).collect();
            Cell::Text(format!("[{}]", list.join(",")))
        }
        other => panic!("no test binds {other:?}"),
    }
}
