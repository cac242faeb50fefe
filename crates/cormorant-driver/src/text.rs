//! Values as text, where a backend keeps them so or a list carries them.

use std::fmt::Write as _;

use cormorant_sql::Value;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::{Error, ErrorKind, Result};

/// ISO 8601 in UTC, with six digits behind the second or none: text that sorts as the times it stands for. `era`
/// refuses the years that the backend does not keep.
pub(crate) fn text(value: &Value<'_>, era: fn(i16) -> Result<()>) -> Result<String> {
    let date_time = |moment: DateTime| {
        era(moment.year())?;
        Ok(format!("{} {}", moment.date(), clock(moment.time())))
    };
    match value {
        Value::Date(day) => {
            era(day.year())?;
            Ok(day.to_string())
        }
        Value::Time(time) => Ok(clock(*time)),
        Value::DateTime(moment) => date_time(*moment),
        Value::Timestamp(moment) => date_time(TimeZone::UTC.to_datetime(*moment)),
        Value::Uuid(id) => Ok(id.to_string()),
        _ => Err(unstorable("the value has no form as text")),
    }
}

fn clock(time: Time) -> String {
    let (h, m, s, micros) = (time.hour(), time.minute(), time.second(), time.subsec_nanosecond() / 1_000);
    match micros {
        0 => format!("{h:02}:{m:02}:{s:02}"),
        _ => format!("{h:02}:{m:02}:{s:02}.{micros:06}"),
    }
}

/// A list as a JSON array: one parameter, whatever its length. Bytes go as hexadecimal digits, and what JSON has no
/// form for is written by `other`.
pub(crate) fn json(
    values: &[Value<'_>],
    mut other: impl FnMut(&mut String, &Value<'_>) -> Result<()>,
) -> Result<String> {
    let mut json = String::with_capacity(values.len() * 8 + 2);
    array(&mut json, values, &mut other)?;
    Ok(json)
}

fn array(
    json: &mut String,
    values: &[Value<'_>],
    other: &mut impl FnMut(&mut String, &Value<'_>) -> Result<()>,
) -> Result<()> {
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
            Value::Text(text) => quoted(json, text),
            Value::Bytes(bytes) => {
                json.push('"');
                bytes.iter().for_each(|byte| {
                    let _ = write!(json, "{byte:02x}");
                });
                json.push('"');
            }
            // A key of several columns.
            Value::List(values) => array(json, values, other)?,
            value => other(json, value)?,
        }
    }
    json.push(']');
    Ok(())
}

/// Text as a JSON string.
pub(crate) fn quoted(json: &mut String, text: &str) {
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

pub(crate) fn unstorable(why: &str) -> Error {
    Error::new(ErrorKind::Encode, format!("the value cannot be stored exactly: {why}"))
}
