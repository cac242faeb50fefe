//! Cells of MySQL and MariaDB, in the form a field wants.
//!
//! The protocol carries text, bytes, exact numbers and what a function made of a date all as bytes.

use std::str::{FromStr, from_utf8};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use mysql_async::Value;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::Mismatch;

#[cold]
fn wrong<T>(expected: &'static str, found: &Value) -> Result<T, Mismatch> {
    let found = match found {
        Value::NULL => crate::mismatch::NULL,
        Value::Bytes(_) => "text or bytes",
        Value::Int(_) | Value::UInt(_) => "an integer",
        Value::Float(_) | Value::Double(_) => "a float",
        Value::Date(..) => "a date",
        Value::Time(..) => "a time",
    };
    Err(Mismatch::new(expected, found))
}

/// Bytes that are text in a form of its own.
fn parse<T: FromStr>(bytes: &[u8], expected: &'static str) -> Result<T, Mismatch> {
    let value = from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    value.ok_or_else(|| Mismatch::new(expected, "text of another form"))
}

#[inline]
pub(crate) fn bool(cell: &Value) -> Result<bool, Mismatch> {
    match cell {
        Value::Int(0) | Value::UInt(0) => Ok(false),
        Value::Int(1) | Value::UInt(1) => Ok(true),
        Value::Int(_) | Value::UInt(_) => Err(Mismatch::new("true or false", "an integer that is neither 0 nor 1")),
        // BIT(1), and a boolean of the text protocol.
        Value::Bytes(bytes) => match bytes.as_slice() {
            [0] | b"0" => Ok(false),
            [1] | b"1" => Ok(true),
            _ => wrong("true or false", cell),
        },
        other => wrong("true or false", other),
    }
}

#[inline]
pub(crate) fn int(cell: &Value) -> Result<i64, Mismatch> {
    match cell {
        Value::Int(n) => Ok(*n),
        Value::UInt(n) => i64::try_from(*n).map_err(|_| Mismatch::new("an integer", "one of more than 63 bits")),
        // A sum of integers is an exact number without a fraction.
        Value::Bytes(bytes) => parse(bytes, "an integer"),
        other => wrong("an integer", other),
    }
}

#[inline]
pub(crate) fn float(cell: &Value) -> Result<f64, Mismatch> {
    match cell {
        Value::Double(n) => Ok(*n),
        Value::Float(n) => Ok(f64::from(*n)),
        Value::Int(n) => Ok(*n as f64),
        Value::UInt(n) => Ok(*n as f64),
        Value::Bytes(bytes) => match parse::<f64>(bytes, "a float")? {
            n if n.is_finite() => Ok(n),
            _ => Err(Mismatch::new("a float", "a number that is out of range")),
        },
        other => wrong("a float", other),
    }
}

pub(crate) fn decimal(cell: &Value) -> Result<Decimal, Mismatch> {
    match cell {
        Value::Bytes(bytes) => {
            let text = from_utf8(bytes).map_err(|_| Mismatch::new("an exact number", "bytes"))?;
            // Never rounded: what does not fit is an error. Zeros at the end are no digits that could be lost.
            let short = || text.contains('.').then(|| text.trim_end_matches('0'));
            let exact = Decimal::from_str_exact(text).ok();
            exact.or_else(|| Decimal::from_str_exact(short()?).ok()).ok_or_else(|| {
                Mismatch::new("an exact number", "text that is none, or one with more digits than the 28 that fit")
            })
        }
        Value::Int(n) => Ok(Decimal::from(*n)),
        Value::UInt(n) => Ok(Decimal::from(*n)),
        other => wrong("an exact number", other),
    }
}

#[inline]
pub(crate) fn text(cell: &Value) -> Result<&str, Mismatch> {
    match cell {
        Value::Bytes(bytes) => from_utf8(bytes).map_err(|_| Mismatch::new("text", "bytes that are not UTF-8")),
        other => wrong("text", other),
    }
}

#[inline]
pub(crate) fn bytes(cell: &Value) -> Result<&[u8], Mismatch> {
    match cell {
        Value::Bytes(bytes) => Ok(bytes),
        other => wrong("bytes", other),
    }
}

pub(crate) fn date(cell: &Value) -> Result<Date, Mismatch> {
    const EXPECTED: &str = "a date";
    match cell {
        Value::Date(..) => {
            let moment = moment(cell, EXPECTED)?;
            match moment.time() == Time::midnight() {
                true => Ok(moment.date()),
                false => Err(Mismatch::new(EXPECTED, "a date and a time of day")),
            }
        }
        Value::Bytes(bytes) => parse(bytes, "a date as YYYY-MM-DD"),
        other => wrong(EXPECTED, other),
    }
}

pub(crate) fn time(cell: &Value) -> Result<Time, Mismatch> {
    const EXPECTED: &str = "a time of day";
    let outside = || Mismatch::new(EXPECTED, "a length of time that is negative, or of a day and more");
    match cell {
        Value::Time(false, 0, hour, minute, second, micros) => {
            clock(*hour, *minute, *second, *micros).ok_or_else(outside)
        }
        Value::Time(..) => Err(outside()),
        Value::Bytes(bytes) => parse(bytes, "a time as HH:MM:SS"),
        other => wrong(EXPECTED, other),
    }
}

pub(crate) fn date_time(cell: &Value) -> Result<DateTime, Mismatch> {
    moment(cell, "a date and time")
}

/// Sessions run in UTC.
pub(crate) fn timestamp(cell: &Value) -> Result<Timestamp, Mismatch> {
    let moment = moment(cell, "a moment")?;
    TimeZone::UTC.to_timestamp(moment).map_err(|_| Mismatch::new("a moment", "one that is out of range"))
}

fn moment(cell: &Value, expected: &'static str) -> Result<DateTime, Mismatch> {
    match cell {
        Value::Date(0, 0, 0, ..) => Err(Mismatch::new(expected, "a zero date, which is no day")),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let day = i16::try_from(*year).ok().zip(i8::try_from(*month).ok()).zip(i8::try_from(*day).ok());
            let day = day.and_then(|((year, month), day)| Date::new(year, month, day).ok());
            let moment = day.zip(clock(*hour, *minute, *second, *micros)).map(|(day, time)| day.to_datetime(time));
            moment.ok_or_else(|| Mismatch::new(expected, "a date that is no day"))
        }
        Value::Bytes(bytes) => parse(bytes, expected),
        other => wrong(expected, other),
    }
}

fn clock(hour: u8, minute: u8, second: u8, micros: u32) -> Option<Time> {
    let nanos = i32::try_from(micros.checked_mul(1_000)?).ok()?;
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, nanos).ok()
}

pub(crate) fn uuid(cell: &Value) -> Result<Uuid, Mismatch> {
    match cell {
        // Other tools store the sixteen bytes.
        Value::Bytes(bytes) => match bytes.len() {
            16 => Uuid::from_slice(bytes).map_err(|_| Mismatch::new("a UUID", "bytes of another length")),
            36 => parse(bytes, "a UUID"),
            _ => Err(Mismatch::new("a UUID", "text or bytes of another length")),
        },
        other => wrong("a UUID", other),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use super::*;

    fn text_of(text: &str) -> Value {
        Value::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn numbers() {
        assert_eq!(int(&Value::UInt(i64::MAX as u64)), Ok(i64::MAX));
        assert_eq!(int(&text_of("-9223372036854775808")), Ok(i64::MIN));
        assert_eq!(bool(&Value::Bytes(vec![1])), Ok(true));
        assert_eq!(float(&Value::Float(0.1)), Ok(f64::from(0.1_f32)));
        let zeros = text_of("123456789012345678.012345678900000000000000000000");
        assert_eq!(decimal(&zeros).map(|n| n.to_string()), Ok("123456789012345678.0123456789".to_owned()));
        assert_eq!(decimal(&text_of("9.90")).map(|n| n.to_string()), Ok("9.90".to_owned()));
        for wrong in [
            int(&Value::UInt(u64::MAX)).map(|_| ()),
            int(&text_of("9223372036854775808")).map(|_| ()),
            int(&text_of("1.0")).map(|_| ()),
            int(&Value::Double(1.0)).map(|_| ()),
            bool(&Value::Int(2)).map(|_| ()),
            bool(&text_of("11")).map(|_| ()),
            float(&text_of("inf")).map(|_| ()),
            float(&text_of("NaN")).map(|_| ()),
            float(&text_of("1e999")).map(|_| ()),
            decimal(&text_of("0.12345678901234567890123456789")).map(|_| ()),
            decimal(&text_of("123456789012345678901234567890")).map(|_| ()),
            decimal(&Value::Double(1.0)).map(|_| ()),
            text(&Value::Bytes(vec![0xff])).map(|_| ()),
        ] {
            assert!(wrong.is_err());
        }
    }

    #[test]
    fn dates_and_times() {
        let leap = Value::Date(2024, 2, 29, 23, 59, 59, 999_999);
        let expected = civil::date(2024, 2, 29).at(23, 59, 59, 999_999_000);
        assert_eq!(date_time(&leap), Ok(expected));
        assert_eq!(timestamp(&leap).map(|moment| moment.to_string()), Ok("2024-02-29T23:59:59.999999Z".to_owned()));
        assert_eq!(date(&Value::Date(9999, 12, 31, 0, 0, 0, 0)), Ok(civil::date(9999, 12, 31)));
        assert_eq!(date_time(&text_of("2024-02-29 23:59:59.999999")), Ok(expected));
        assert_eq!(time(&Value::Time(false, 0, 23, 59, 59, 1)), Ok(civil::time(23, 59, 59, 1_000)));
        for value in [
            Value::Date(0, 0, 0, 0, 0, 0, 0),
            Value::Date(2024, 0, 0, 0, 0, 0, 0),
            Value::Date(2023, 2, 29, 0, 0, 0, 0),
            Value::Date(u16::MAX, 255, 255, 255, 255, 255, u32::MAX),
            Value::Date(2024, 1, 1, 0, 0, 0, u32::MAX),
            Value::Int(1),
        ] {
            assert!(date(&value).is_err() && date_time(&value).is_err() && timestamp(&value).is_err(), "{value:?}");
        }
        assert!(date(&leap).is_err());
        for value in [
            Value::Time(true, 0, 1, 0, 0, 0),
            Value::Time(false, 1, 0, 0, 0, 0),
            Value::Time(false, 0, 24, 0, 0, 0),
            Value::Time(false, 0, 0, 0, 0, u32::MAX),
            leap,
        ] {
            assert!(time(&value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn uuids() {
        let id = Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
        assert_eq!(uuid(&text_of(&id.to_string())), Ok(id));
        assert_eq!(uuid(&Value::Bytes(id.as_bytes().to_vec())), Ok(id));
        assert!(uuid(&text_of("0011")).is_err());
    }

    #[test]
    fn a_mismatch_names_no_value() {
        let secret = text_of("s3cret-s3cret-s3cret-s3cret-s3cret-s3");
        for said in [
            int(&secret).unwrap_err().to_string(),
            float(&secret).unwrap_err().to_string(),
            decimal(&secret).unwrap_err().to_string(),
            date(&secret).unwrap_err().to_string(),
            time(&secret).unwrap_err().to_string(),
            timestamp(&secret).unwrap_err().to_string(),
            uuid(&secret).unwrap_err().to_string(),
            bool(&secret).unwrap_err().to_string(),
        ] {
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
