//! Values on their way to MySQL and MariaDB.

use cormorant_sql::Value;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use mysql_async::Value as Bound;

use crate::text::{quoted, unstorable};
use crate::{Error, ErrorKind, Result};

/// The most that one statement may bind: the protocol counts them in 16 bits.
const MOST: usize = u16::MAX as usize;

/// A statement's values in the order of its placeholders, which have no numbers.
pub(super) fn bind(values: &[Value<'_>], order: Option<&[u16]>) -> Result<Vec<Bound>> {
    let count = order.map_or(values.len(), <[u16]>::len);
    if count > MOST {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the statement binds {count} values, MySQL and MariaDB take {MOST}: send fewer rows at a time"),
        ));
    }
    // Not collected: a result that may be an error does not know how long it will be.
    let mut bound = Vec::with_capacity(count);
    let Some(order) = order else {
        for (n, value) in values.iter().enumerate() {
            bound.push(one(n, value)?);
        }
        return Ok(bound);
    };
    for n in order.iter().copied().map(usize::from) {
        let Some(value) = values.get(n) else {
            return Err(Error::new(ErrorKind::Misuse, "the statement has a placeholder that no value is given for"));
        };
        bound.push(one(n, value)?);
    }
    Ok(bound)
}

fn one(n: usize, value: &Value<'_>) -> Result<Bound> {
    to_bound(value).map_err(|error| error.with_parameter(n))
}

fn to_bound(value: &Value<'_>) -> Result<Bound> {
    Ok(match value {
        Value::Null => Bound::NULL,
        Value::Bool(b) => Bound::Int(i64::from(*b)),
        Value::Int(n) => Bound::Int(*n),
        Value::Float(n) if !n.is_finite() => return Err(unstorable("MySQL has neither NaN nor infinities")),
        Value::Float(n) => Bound::Double(*n),
        Value::Text(text) => Bound::Bytes(text.as_bytes().to_vec()),
        Value::Bytes(bytes) => Bound::Bytes(bytes.to_vec()),
        Value::Decimal(n) => Bound::Bytes(n.to_string().into_bytes()),
        Value::Uuid(id) => Bound::Bytes(id.to_string().into_bytes()),
        Value::Date(day) => date_time(*day, Time::midnight())?,
        Value::Time(time) => Bound::Time(
            false,
            0,
            time.hour().unsigned_abs(),
            time.minute().unsigned_abs(),
            time.second().unsigned_abs(),
            micros(*time),
        ),
        Value::DateTime(moment) => date_time(moment.date(), moment.time())?,
        Value::Timestamp(moment) => {
            let moment = TimeZone::UTC.to_datetime(*moment);
            date_time(moment.date(), moment.time())?
        }
        Value::List(values) => Bound::Bytes(list(values)?.into_bytes()),
        _ => return Err(unstorable("the value has no form in MySQL")),
    })
}

fn date_time(day: Date, time: Time) -> Result<Bound> {
    era(day.year())?;
    Ok(Bound::Date(
        day.year().unsigned_abs(),
        day.month().unsigned_abs(),
        day.day().unsigned_abs(),
        time.hour().unsigned_abs(),
        time.minute().unsigned_abs(),
        time.second().unsigned_abs(),
        micros(time),
    ))
}

fn micros(time: Time) -> u32 {
    time.subsec_nanosecond().unsigned_abs() / 1_000
}

fn era(year: i16) -> Result<()> {
    match year {
        1.. => Ok(()),
        _ => Err(unstorable("a year before 1 is not in MySQL's calendar")),
    }
}

/// A list. Exact numbers go as strings: MySQL would read a JSON number as a float.
fn list(values: &[Value<'_>]) -> Result<String> {
    crate::text::json(values, |json, value| {
        match value {
            Value::Decimal(n) => quoted(json, &n.to_string()),
            other => quoted(json, &crate::text::text(other, era)?),
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_places_of_the_text() {
        let values = [Value::Int(7), Value::Text("a".into())];
        let bound = bind(&values, Some(&[1, 0, 1])).unwrap();
        let text = Bound::Bytes(b"a".to_vec());
        assert_eq!(bound, [text.clone(), Bound::Int(7), text]);
        assert_eq!(bind(&values, Some(&[2])).unwrap_err().kind(), ErrorKind::Misuse);
        assert_eq!(bind(&values, None).unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_stored_is_refused_with_its_place() {
        for value in [
            Value::Float(f64::NAN),
            Value::Float(f64::NEG_INFINITY),
            Value::Date(jiff::civil::date(0, 1, 1)),
            Value::DateTime(jiff::civil::date(-1, 1, 1).at(0, 0, 0, 0)),
            Value::List(vec![Value::Float(f64::INFINITY)]),
            Value::List(vec![Value::Date(jiff::civil::date(0, 1, 1))]),
        ] {
            let error = bind(&[Value::Null, value], None).unwrap_err();
            assert_eq!((error.kind(), error.parameter()), (ErrorKind::Encode, Some(1)));
        }
    }

    #[test]
    fn keys_of_several_columns_are_lists_in_a_list() {
        let key = |n, text: &'static str| {
            Value::List(vec![Value::Int(n), Value::Text(text.into()), Value::Bytes(vec![n as u8].into())])
        };
        assert_eq!(list(&[key(1, "a\",["), key(-2, "")]).unwrap(), "[[1,\"a\\\",[\",\"01\"],[-2,\"\",\"fe\"]]");
        let day = Value::List(vec![Value::Date(jiff::civil::date(0, 1, 1))]);
        assert_eq!(bind(&[Value::List(vec![day])], None).unwrap_err().kind(), ErrorKind::Encode);
    }

    #[test]
    fn too_many_values_are_refused() {
        assert!(bind(&vec![Value::Null; MOST], None).is_ok());
        assert_eq!(bind(&vec![Value::Null; MOST + 1], None).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert_eq!(bind(&[Value::Null], Some(&vec![0; MOST + 1])).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }

    #[test]
    fn lists_keep_every_digit() {
        let number = "12345678901234567890.12345678".parse().unwrap();
        let day = jiff::civil::date(1, 2, 3);
        let list = list(&[
            Value::Decimal(number),
            Value::Date(day),
            Value::DateTime(day.at(4, 5, 6, 7_000)),
            Value::Time(jiff::civil::time(4, 5, 6, 0)),
            Value::Bytes(vec![0, 255].into()),
            Value::Text("a\"\\\u{1}é".into()),
            Value::Bool(true),
            Value::Null,
        ]);
        assert_eq!(
            list.unwrap(),
            "[\"12345678901234567890.12345678\",\"0001-02-03\",\"0001-02-03 04:05:06.000007\",\"04:05:06\",\"00ff\",\
             \"a\\\"\\\\\\u0001é\",1,null]"
        );
    }
}
