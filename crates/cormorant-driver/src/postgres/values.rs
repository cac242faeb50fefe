//! Values on their way to PostgreSQL, in its binary forms.

use bytes::{BufMut, BytesMut};
use cormorant_sql::Value;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type};

use super::{numeric, times, types};
use crate::text::quoted;
use crate::{Call, Error, ErrorKind, Result};

/// The server takes messages of up to 1 GiB and drops the connection at a longer one; the rest is for what is not
/// counted here.
const MESSAGE: usize = (1 << 30) - (1 << 24);

/// What can be refused before anything is sent.
pub(super) fn check(call: &Call<'_>) -> Result<()> {
    let count = call.values.len();
    if count > usize::from(u16::MAX) {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "the statement has {count} values, PostgreSQL takes at most {}: send fewer rows at a time",
                u16::MAX
            ),
        ));
    }
    let mut length = call.sql.len();
    for (n, value) in call.values.iter().enumerate() {
        length = length.saturating_add(measure(value).map_err(|error| error.with_parameter(n))?);
    }
    if length > MESSAGE {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the statement is {length} bytes long with its values, PostgreSQL takes at most 1 GiB"),
        ));
    }
    Ok(())
}

/// How many bytes a value takes at most.
fn measure(value: &Value<'_>) -> Result<usize> {
    Ok(match value {
        Value::Text(text) if text.as_bytes().contains(&0) => {
            return Err(unstorable("PostgreSQL text cannot hold NUL; store it as bytes"));
        }
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(values) => {
            values.iter().try_fold(0_usize, |sum, value| measure(value).map(|length| sum.saturating_add(length + 4)))?
        }
        _ => 32,
    })
}

/// Values for tokio-postgres.
pub(super) fn bound<'a>(values: &'a [Value<'a>]) -> impl ExactSizeIterator<Item = Bound<'a>> {
    values.iter().enumerate().map(|(at, value)| Bound { value, at })
}

/// A value and its place.
pub(super) struct Bound<'a> {
    value: &'a Value<'a>,
    at: usize,
}

/// tokio-postgres writes parameters to the log.
impl std::fmt::Debug for Bound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        encode(self.value, ty, out).map_err(|error| error.with_parameter(self.at).into())
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

fn encode(value: &Value<'_>, ty: &Type, out: &mut BytesMut) -> Result<IsNull> {
    match (value, ty) {
        (Value::Null, _) => return Ok(IsNull::Yes),
        (Value::Bool(b), &Type::BOOL) => out.put_u8(u8::from(*b)),
        (Value::Int(n), &Type::INT8) => out.put_i64(*n),
        (Value::Int(n), &Type::INT4) => out.put_i32(fit(*n, ty)?),
        (Value::Int(n), &Type::INT2) => out.put_i16(fit(*n, ty)?),
        (Value::Int(n), &Type::OID) => out.put_u32(fit(*n, ty)?),
        (Value::Int(n), &Type::NUMERIC) => numeric::put((*n).into(), out),
        (Value::Int(n), &Type::FLOAT8) if (*n as f64) as i128 == i128::from(*n) => out.put_f64(*n as f64),
        (Value::Float(n), &Type::FLOAT8) => out.put_f64(*n),
        (Value::Float(n), &Type::FLOAT4) if (*n as f32).is_finite() || !n.is_finite() => out.put_f32(*n as f32),
        (Value::Float(_), &Type::FLOAT4) => return Err(out_of_range(ty)),
        (Value::Decimal(n), &Type::NUMERIC) => numeric::put(*n, out),
        (Value::Text(text), &Type::JSONB) => {
            // The version of the form.
            out.put_u8(1);
            out.put_slice(text.as_bytes());
        }
        (Value::Text(text), ty) if types::is_text(ty) => out.put_slice(text.as_bytes()),
        (Value::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
        (Value::Date(date), &Type::DATE) => out.put_i32(times::date_to_days(*date)),
        (Value::Time(time), &Type::TIME) => out.put_i64(times::time_to_micros(*time)),
        (Value::DateTime(moment), &Type::TIMESTAMP) => out.put_i64(times::date_time_to_micros(*moment)),
        (Value::Timestamp(moment), &Type::TIMESTAMPTZ) => out.put_i64(times::timestamp_to_micros(*moment)),
        (Value::Uuid(id), &Type::UUID) => out.put_slice(id.as_bytes()),
        // Keys of several columns: an array has elements of one type.
        (Value::List(keys), &Type::TEXT) if keys.iter().all(|key| matches!(key, Value::List(_))) => {
            out.put_slice(json(keys)?.as_bytes());
        }
        (Value::List(values), ty) => match ty.kind() {
            Kind::Array(element) => put_list(values, element, out)?,
            _ => return Err(unstorable(&format!("it is a list, the statement takes {}", ty.name()))),
        },
        (value, ty) => {
            return Err(unstorable(&format!("it is {}, the statement takes {}", name(value), ty.name())));
        }
    }
    Ok(IsNull::No)
}

fn json(keys: &[Value<'_>]) -> Result<String> {
    crate::text::json(keys, |json, value| {
        match value {
            Value::Decimal(n) => quoted(json, &n.to_string()),
            other => quoted(json, &crate::text::text(other, |_| Ok(()))?),
        }
        Ok(())
    })
}

/// An array of one dimension, counted from 1.
fn put_list(values: &[Value<'_>], element: &Type, out: &mut BytesMut) -> Result<()> {
    let count = i32::try_from(values.len()).map_err(|_| unstorable("the list is too long"))?;
    out.put_i32(i32::from(count > 0));
    out.put_i32(i32::from(values.iter().any(Value::is_null)));
    out.put_u32(element.oid());
    if count > 0 {
        out.put_i32(count);
        out.put_i32(1);
    }
    for value in values {
        // The length is known once the value is written.
        let at = out.len();
        out.put_i32(-1);
        if let IsNull::No = encode(value, element, out)? {
            let length =
                i32::try_from(out.len() - at - 4).map_err(|_| unstorable("a value in the list is too long"))?;
            if let Some(place) = out.get_mut(at..at + 4) {
                place.copy_from_slice(&length.to_be_bytes());
            }
        }
    }
    Ok(())
}

fn fit<T: TryFrom<i64>>(n: i64, ty: &Type) -> Result<T> {
    T::try_from(n).map_err(|_| out_of_range(ty))
}

fn out_of_range(ty: &Type) -> Error {
    Error::new(ErrorKind::OutOfRange, format!("the number does not fit {}", ty.name()))
}

fn unstorable(why: &str) -> Error {
    Error::new(ErrorKind::Encode, format!("the value cannot be stored exactly: {why}"))
}

fn name(value: &Value<'_>) -> &'static str {
    match value {
        Value::Bool(_) => "true or false",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a float",
        Value::Decimal(_) => "an exact number",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Date(_) => "a date",
        Value::Time(_) => "a time",
        Value::DateTime(_) => "a date and time",
        Value::Timestamp(_) => "a moment",
        Value::Uuid(_) => "a UUID",
        _ => "of another kind",
    }
}
