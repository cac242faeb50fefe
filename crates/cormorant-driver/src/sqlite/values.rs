//! Values on their way to SQLite.

use std::fmt::Write as _;

use cormorant_sql::{Dialect, Value};
use rusqlite::Statement;
use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::{Error, ErrorKind, Result};

/// Binds a statement's values.
#[inline]
pub(super) fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<()> {
    for (n, value) in values.iter().enumerate() {
        if let Err(error) = bind_one(statement, n + 1, value) {
            return Err(error.with_parameter(n));
        }
    }
    Ok(())
}

#[inline]
fn bind_one(statement: &mut Statement<'_>, at: usize, value: &Value) -> Result<()> {
    let bound = match value {
        Value::Null => statement.raw_bind_parameter(at, Bound(ValueRef::Null)),
        Value::Int(n) => statement.raw_bind_parameter(at, Bound(ValueRef::Integer(*n))),
        Value::Text(text) => statement.raw_bind_parameter(at, Bound(ValueRef::Text(text.as_bytes()))),
        Value::Bytes(bytes) => statement.raw_bind_parameter(at, Bound(ValueRef::Blob(bytes))),
        Value::Bool(b) => statement.raw_bind_parameter(at, Bound(ValueRef::Integer(i64::from(*b)))),
        Value::Float(n) if n.is_nan() => return Err(unstorable("SQLite would store NaN as NULL")),
        Value::Float(n) => statement.raw_bind_parameter(at, Bound(ValueRef::Real(*n))),
        Value::Decimal(n) => statement.raw_bind_parameter(at, Bound(ValueRef::Real(decimal(*n)?))),
        other => statement.raw_bind_parameter(at, Bound(ValueRef::Text(text(other)?.as_bytes()))),
    };
    bound.map_err(|error| super::classify(&error))
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

/// ISO 8601 in UTC, with six digits behind the second or none: text that sorts as the times it stands for.
fn text(value: &Value) -> Result<String> {
    let era = |year: i16| match year {
        0.. => Ok(()),
        _ => Err(unstorable("a year before 0 would not sort as text does")),
    };
    Ok(match value {
        Value::Date(day) => {
            era(day.year())?;
            day.to_string()
        }
        Value::Time(time) => clock(*time),
        Value::DateTime(moment) => {
            era(moment.year())?;
            format!("{} {}", moment.date(), clock(moment.time()))
        }
        Value::Timestamp(moment) => {
            let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime();
            era(moment.year())?;
            format!("{} {}", moment.date(), clock(moment.time()))
        }
        Value::Uuid(id) => id.to_string(),
        Value::List(values) => json(values)?,
        _ => return Err(unstorable("the value has no form in SQLite")),
    })
}

fn clock(time: jiff::civil::Time) -> String {
    let (h, m, s, micros) = (time.hour(), time.minute(), time.second(), time.subsec_nanosecond() / 1_000);
    match micros {
        0 => format!("{h:02}:{m:02}:{s:02}"),
        _ => format!("{h:02}:{m:02}:{s:02}.{micros:06}"),
    }
}

/// A list as a JSON array: one parameter, whatever its length. Bytes go as hexadecimal digits.
fn json(values: &[Value]) -> Result<String> {
    let mut json = String::with_capacity(values.len() * 8 + 2);
    json.push('[');
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            json.push(',');
        }
        match value {
            Value::Null => json.push_str("null"),
            Value::Bool(b) => json.push(if *b { '1' } else { '0' }),
            Value::Int(n) => {
                let _ = write!(json, "{n}");
            }
            Value::Float(n) if !n.is_finite() => return Err(unstorable("a list cannot hold NaN or an infinity")),
            Value::Float(n) => {
                let _ = write!(json, "{n:?}");
            }
            Value::Decimal(n) => {
                let _ = write!(json, "{:?}", decimal(*n)?);
            }
            Value::Text(text) => quoted(&mut json, text),
            Value::Bytes(bytes) => {
                json.push('"');
                bytes.iter().for_each(|byte| {
                    let _ = write!(json, "{byte:02x}");
                });
                json.push('"');
            }
            other => quoted(&mut json, &text(other)?),
        }
    }
    json.push(']');
    Ok(json)
}

fn quoted(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

fn unstorable(why: &str) -> Error {
    Error::new(ErrorKind::Encode, format!("the value cannot be stored exactly: {why}"))
}
