//! The one function that writes a value into SQL instead of binding it: defaults in DDL, and SQL for people to read.

use crate::{Dialect, Value};

/// A value as a literal.
///
/// Statements bind their values; this is for the places that cannot: `DEFAULT` in CREATE TABLE.
///
/// ```
/// use cormorant_sql::{Dialect, Value, literal};
/// assert_eq!(literal(Dialect::Sqlite, &Value::Text("it's".into())), "'it''s'");
/// assert_eq!(literal(Dialect::MySql, &Value::Text(r"a\".into())), r"'a\\'");
/// ```
pub fn literal(dialect: Dialect, value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(true) => "TRUE".to_owned(),
        Value::Bool(false) => "FALSE".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Float(n) => format!("{n:?}"),
        Value::Decimal(n) => n.to_string(),
        Value::Text(text) => dialect.text_literal(text),
        Value::Bytes(bytes) => dialect.bytes_literal(bytes),
        Value::Date(day) => format!("'{day}'"),
        Value::Time(time) => format!("'{time}'"),
        Value::DateTime(moment) => format!("'{} {}'", moment.date(), moment.time()),
        Value::Timestamp(moment) => {
            let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime();
            format!("'{} {}'", moment.date(), moment.time())
        }
        Value::Uuid(id) => format!("'{id}'"),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(|value| literal(dialect, value)).collect();
            format!("({})", values.join(", "))
        }
    }
}

impl Dialect {
    fn text_literal(self, text: &str) -> String {
        let doubled = text.replace('\'', "''");
        match self {
            // A backslash starts an escape on these unless the server says otherwise, which the driver forbids.
            Self::MySql | Self::MariaDb => format!("'{}'", doubled.replace('\\', "\\\\").replace('\0', "\\0")),
            // A literal cannot hold NUL; PostgreSQL's text cannot either, and refuses it before this.
            Self::Sqlite if doubled.contains('\0') => {
                format!("CAST({} AS TEXT)", self.bytes_literal(text.as_bytes()))
            }
            Self::Sqlite | Self::Postgres => format!("'{doubled}'"),
        }
    }

    fn bytes_literal(self, bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        let hex = bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        match self {
            Self::Postgres => format!("'\\x{hex}'::bytea"),
            Self::Sqlite | Self::MySql | Self::MariaDb => format!("X'{hex}'"),
        }
    }
}
