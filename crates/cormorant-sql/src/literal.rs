//! The one function that writes a value into SQL instead of binding it: defaults in DDL, and SQL for people to read.

use jiff::civil::{DateTime, Time};

use crate::{Dialect, Fault, Value};

/// A value as a literal, which stands for it at every place where a value may.
///
/// Statements bind their values; this is for the places that cannot: `DEFAULT` and `CHECK` in CREATE TABLE.
///
/// ```
/// use cormorant_sql::{Dialect, Value, literal};
/// assert_eq!(literal(Dialect::Sqlite, &Value::Text("it's".into()))?, "'it''s'");
/// assert_eq!(literal(Dialect::MySql, &Value::Text(r"a\".into()))?, "_utf8mb4 X'615c'");
/// # Ok::<(), cormorant_sql::Fault>(())
/// ```
///
/// # Errors
/// [`Fault`] for what the dialect has no literal for: lists, and NUL, infinities and NaN where it cannot store them.
pub fn literal(dialect: Dialect, value: &Value<'_>) -> Result<String, Fault> {
    let none = |what: &str| {
        Err(Fault::Unsupported { what: format!("{dialect} has no literal for {what}"), instead: "bind the value" })
    };
    Ok(match value {
        Value::Unstorable(why) => {
            return Err(Fault::Unsupported { what: why.to_string(), instead: "give a value that a column can hold" });
        }
        Value::Null => "NULL".to_owned(),
        Value::Bool(true) => "TRUE".to_owned(),
        Value::Bool(false) => "FALSE".to_owned(),
        Value::Int(n) => signed(n.to_string()),
        Value::Float(n) if dialect == Dialect::Postgres => format!("'{n}'::float8"),
        Value::Float(n) if n.is_nan() => return none("NaN"),
        Value::Float(n) if n.is_infinite() && dialect != Dialect::Sqlite => return none("an infinity"),
        Value::Float(n) if n.is_infinite() => signed(format!("{n}").replace("inf", "9e999")),
        // With an exponent, or MySQL takes it for an exact number.
        Value::Float(n) => signed(format!("{n:e}")),
        Value::Decimal(n) => signed(n.to_string()),
        Value::Text(text) if text.contains('\0') && dialect == Dialect::Postgres => return none("text that holds NUL"),
        Value::Text(text) => dialect.text_literal(text),
        Value::Bytes(bytes) => dialect.bytes_literal(bytes),
        Value::Date(day) => format!("'{day}'"),
        Value::Time(time) => format!("'{}'", clock(*time)),
        Value::DateTime(moment) => format!("'{}'", civil(*moment)),
        Value::Timestamp(moment) => {
            let zone = if dialect == Dialect::Postgres { "+00" } else { "" };
            format!("'{}{zone}'", civil(moment.to_zoned(jiff::tz::TimeZone::UTC).datetime()))
        }
        Value::Uuid(id) => format!("'{id}'"),
        Value::List(_) => return none("a list"),
    })
}

/// In brackets where it is negative: behind a minus it would begin a comment.
fn signed(number: String) -> String {
    if number.starts_with('-') { format!("({number})") } else { number }
}

fn civil(moment: DateTime) -> String {
    format!("{} {}", moment.date(), clock(moment.time()))
}

/// With six digits behind the second or none, as the value would be bound.
fn clock(time: Time) -> String {
    let (h, m, s, micros) = (time.hour(), time.minute(), time.second(), time.subsec_nanosecond() / 1_000);
    match micros {
        0 => format!("{h:02}:{m:02}:{s:02}"),
        _ => format!("{h:02}:{m:02}:{s:02}.{micros:06}"),
    }
}

impl Dialect {
    fn text_literal(self, text: &str) -> String {
        let doubled = text.replace('\'', "''");
        let special = |c| doubled.contains(c);
        match self {
            // Whether a backslash starts an escape depends on the server's mode: in hexadecimal nothing does.
            Self::MySql if special('\\') || special('\0') => {
                format!("_utf8mb4 {}", self.bytes_literal(text.as_bytes()))
            }
            // MariaDB would keep that in a CHECK as text without escapes, which it cannot read again.
            Self::MariaDb if special('\\') || special('\0') => {
                format!("(CONVERT({} USING utf8mb4))", self.bytes_literal(text.as_bytes()))
            }
            // The same on PostgreSQL, where this form says that it does.
            Self::Postgres if special('\\') => format!("E'{}'", doubled.replace('\\', "\\\\")),
            // A literal cannot hold NUL.
            Self::Sqlite if special('\0') => format!("(CAST({} AS TEXT))", self.bytes_literal(text.as_bytes())),
            _ => format!("'{doubled}'"),
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
