//! Values on their way to SQLite.

use std::fmt::Write as _;

use cormorant_sql::{Dialect, Value};
use rusqlite::Statement;
use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::Result;
use crate::text::{quoted, unstorable};

/// Binds a statement's values.
#[inline]
pub(super) fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<()> {
    for (n, value) in values.iter().enumerate() {
        if let Err(error) = bind_one(statement, n + 1, value) {
            return Err(error.with_parameter(n));
        }
    }
    Ok(())
}

#[inline]
fn bind_one(statement: &mut Statement<'_>, at: usize, value: &Value<'_>) -> Result<()> {
    let made;
    let bound = match value {
        Value::Null => ValueRef::Null,
        Value::Int(n) => ValueRef::Integer(*n),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        Value::Bool(b) => ValueRef::Integer(i64::from(*b)),
        Value::Float(n) if n.is_nan() => return Err(unstorable("SQLite would store NaN as NULL")),
        Value::Float(n) => ValueRef::Real(*n),
        Value::Decimal(n) => ValueRef::Real(decimal(*n)?),
        Value::List(values) => {
            made = json(values)?;
            ValueRef::Text(made.as_bytes())
        }
        other => {
            made = text(other)?;
            ValueRef::Text(made.as_bytes())
        }
    };
    statement.raw_bind_parameter(at, Bound(bound)).map_err(|error| super::classify(&error))
}

struct Bound<'a>(ValueRef<'a>);

impl rusqlite::ToSql for Bound<'_> {
    #[inline]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// The nearest float: it stands for exactly this number as long as there are no more than 15 digits.
fn decimal(value: Decimal) -> Result<f64> {
    let limit = Dialect::Sqlite.decimal_digits();
    if value.normalize().mantissa().unsigned_abs() >= 10u128.pow(u32::from(limit)) {
        return Err(unstorable(&format!("SQLite keeps at most {limit} digits of a number exactly")));
    }
    // By way of its text: multiplying by a power of ten would round twice.
    value.to_string().parse().ok().or_else(|| value.to_f64()).ok_or_else(|| unstorable("the number is out of range"))
}

/// A day, a time, a moment or a UUID.
fn text(value: &Value<'_>) -> Result<String> {
    crate::text::text(value, |year| match year {
        0.. => Ok(()),
        _ => Err(unstorable("a year before 0 would not sort as text does")),
    })
}

/// A list, with exact numbers as the floats that SQLite keeps them in.
fn json(values: &[Value<'_>]) -> Result<String> {
    crate::text::json(values, |json, value| {
        match value {
            Value::Decimal(n) => {
                let _ = write!(json, "{:?}", decimal(*n)?);
            }
            other => quoted(json, &text(other)?),
        }
        Ok(())
    })
}
