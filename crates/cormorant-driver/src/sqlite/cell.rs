//! Cells of SQLite, in the form a field wants. SQLite checks no types, so every cell is checked here.

use std::str::FromStr;

use cormorant_sql::DecimalForm;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rusqlite::types::ValueRef;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::Mismatch;

fn wrong<T>(expected: &'static str, found: ValueRef<'_>) -> Result<T, Mismatch> {
    let found = match found {
        ValueRef::Null => crate::mismatch::NULL,
        ValueRef::Integer(_) => "an integer",
        ValueRef::Real(_) => "a float",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "bytes",
    };
    Err(Mismatch::new(expected, found))
}

#[inline]
pub(crate) fn bool(value: ValueRef<'_>, _: DecimalForm) -> Result<bool, Mismatch> {
    match value {
        ValueRef::Integer(0) => Ok(false),
        ValueRef::Integer(1) => Ok(true),
        ValueRef::Integer(_) => Err(Mismatch::new("true or false", "an integer that is neither 0 nor 1")),
        other => wrong("true or false", other),
    }
}

#[inline]
pub(crate) fn int(value: ValueRef<'_>, _: DecimalForm) -> Result<i64, Mismatch> {
    match value {
        ValueRef::Integer(n) => Ok(n),
        other => wrong("an integer", other),
    }
}

#[inline]
pub(crate) fn float(value: ValueRef<'_>, _: DecimalForm) -> Result<f64, Mismatch> {
    match value {
        ValueRef::Real(n) => Ok(n),
        ValueRef::Integer(n) => Ok(n as f64),
        other => wrong("a float", other),
    }
}

pub(crate) fn decimal(value: ValueRef<'_>, form: DecimalForm) -> Result<Decimal, Mismatch> {
    let number = match (value, form) {
        (ValueRef::Integer(units), DecimalForm::Units(scale)) => Decimal::new(units, u32::from(scale)),
        (ValueRef::Integer(n), _) => Decimal::from(n),
        (ValueRef::Real(n), DecimalForm::Scale(scale)) if n.abs() >= 10f64.powi(15 - i32::from(scale)) => {
            return Err(Mismatch::new(
                "an exact number",
                "one of more than 15 digits, which SQLite does not keep exactly",
            ));
        }
        // The shortest text of a float is the number that was stored, up to 15 digits.
        (ValueRef::Real(n), _) => {
            let text = format!("{n}");
            match Decimal::from_str(&text) {
                Ok(number) => number,
                Err(_) => return Err(Mismatch::new("an exact number", "a float that is out of range")),
            }
        }
        (other, _) => return wrong("an exact number", other),
    };
    match form {
        // With the digits its column has: 9.90 and not 9.9. One with more is not cut.
        DecimalForm::Scale(scale) if number.scale() < u32::from(scale) => {
            let mut number = number;
            number.rescale(u32::from(scale));
            Ok(number)
        }
        _ => Ok(number),
    }
}

#[inline]
pub(crate) fn text(value: ValueRef<'_>, _: DecimalForm) -> Result<&str, Mismatch> {
    match value {
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map_err(|_| Mismatch::new("text", "text that is not UTF-8"))
        }
        other => wrong("text", other),
    }
}

pub(crate) fn bytes(value: ValueRef<'_>, _: DecimalForm) -> Result<&[u8], Mismatch> {
    match value {
        ValueRef::Blob(bytes) => Ok(bytes),
        other => wrong("bytes", other),
    }
}

/// Text in a form of its own.
fn parse<T>(value: ValueRef<'_>, expected: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Mismatch> {
    match value {
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).ok().and_then(parse);
            text.ok_or_else(|| Mismatch::new(expected, "text of another form"))
        }
        other => wrong(expected, other),
    }
}

pub(crate) fn date(value: ValueRef<'_>, _: DecimalForm) -> Result<Date, Mismatch> {
    parse(value, "a date as YYYY-MM-DD", |text| text.parse().ok())
}

pub(crate) fn time(value: ValueRef<'_>, _: DecimalForm) -> Result<Time, Mismatch> {
    parse(value, "a time as HH:MM:SS", |text| text.parse().ok())
}

pub(crate) fn date_time(value: ValueRef<'_>, _: DecimalForm) -> Result<DateTime, Mismatch> {
    parse(value, "a date and time as YYYY-MM-DD HH:MM:SS", |text| text.parse().ok())
}

/// In UTC, unless the text itself names an offset.
pub(crate) fn timestamp(value: ValueRef<'_>, _: DecimalForm) -> Result<Timestamp, Mismatch> {
    parse(value, "a moment as YYYY-MM-DD HH:MM:SS in UTC", |text| {
        let with_offset = text.parse::<Timestamp>().ok();
        with_offset.or_else(|| {
            text.parse::<DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
    })
}

pub(crate) fn uuid(value: ValueRef<'_>, _: DecimalForm) -> Result<Uuid, Mismatch> {
    match value {
        // Other tools store the sixteen bytes.
        ValueRef::Blob(bytes) => {
            Uuid::from_slice(bytes).map_err(|_| Mismatch::new("a UUID", "bytes of another length"))
        }
        other => parse(other, "a UUID", |text| Uuid::parse_str(text).ok()),
    }
}
