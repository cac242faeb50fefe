//! Cells of PostgreSQL, in the form a field wants. The server says each column's type, and it has to be the right one.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::{numeric, times, types};
use crate::Mismatch;

/// A cell: its type and its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PgCell<'a> {
    ty: &'a Type,
    pub(crate) bytes: Option<&'a [u8]>,
}

#[inline]
pub(crate) fn of(row: &Row, at: usize) -> Result<PgCell<'_>, Mismatch> {
    match (row.columns().get(at), row.try_get::<_, Raw<'_>>(at)) {
        (Some(column), Ok(Raw(bytes))) => Ok(PgCell { ty: column.type_(), bytes }),
        _ => Err(Mismatch::new("another column", "the end of the row")),
    }
}

/// The bytes as they are, whatever the type.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cold]
fn wrong<T>(expected: &'static str, cell: PgCell<'_>) -> Result<T, Mismatch> {
    Err(Mismatch::new(expected, if cell.bytes.is_some() { cell.ty.name() } else { crate::mismatch::NULL }))
}

/// The bytes, if there are as many as the type has.
fn fixed<const N: usize>(cell: PgCell<'_>, expected: &'static str) -> Result<[u8; N], Mismatch> {
    match cell.bytes {
        Some(bytes) => {
            <[u8; N]>::try_from(bytes).map_err(|_| Mismatch::new(expected, format!("a broken {}", cell.ty.name())))
        }
        None => wrong(expected, cell),
    }
}

#[inline]
pub(crate) fn bool(cell: PgCell<'_>) -> Result<bool, Mismatch> {
    let expected = "true or false";
    match *cell.ty {
        Type::BOOL => fixed::<1>(cell, expected).map(|byte| byte != [0]),
        _ => wrong(expected, cell),
    }
}

#[inline]
pub(crate) fn int(cell: PgCell<'_>) -> Result<i64, Mismatch> {
    let expected = "an integer";
    match *cell.ty {
        Type::INT8 => fixed(cell, expected).map(i64::from_be_bytes),
        Type::INT4 => fixed(cell, expected).map(i32::from_be_bytes).map(i64::from),
        Type::INT2 => fixed(cell, expected).map(i16::from_be_bytes).map(i64::from),
        Type::OID => fixed(cell, expected).map(u32::from_be_bytes).map(i64::from),
        _ => wrong(expected, cell),
    }
}

#[inline]
pub(crate) fn float(cell: PgCell<'_>) -> Result<f64, Mismatch> {
    let expected = "a float";
    match *cell.ty {
        Type::FLOAT8 => fixed(cell, expected).map(f64::from_be_bytes),
        Type::FLOAT4 => fixed(cell, expected).map(f32::from_be_bytes).map(f64::from),
        _ => wrong(expected, cell),
    }
}

pub(crate) fn decimal(cell: PgCell<'_>) -> Result<Decimal, Mismatch> {
    match (cell.ty, cell.bytes) {
        (&Type::NUMERIC, Some(bytes)) => numeric::take(bytes),
        (&(Type::INT2 | Type::INT4 | Type::INT8), Some(_)) => int(cell).map(Decimal::from),
        _ => wrong("an exact number", cell),
    }
}

#[inline]
pub(crate) fn text(cell: PgCell<'_>) -> Result<&str, Mismatch> {
    let bytes = match (cell.ty, cell.bytes) {
        // Behind the version of the form.
        (&Type::JSONB, Some([1, bytes @ ..])) => bytes,
        (ty, Some(bytes)) if types::is_text(ty) => bytes,
        _ => return wrong("text", cell),
    };
    std::str::from_utf8(bytes).map_err(|_| Mismatch::new("text", "text that is not UTF-8"))
}

pub(crate) fn bytes(cell: PgCell<'_>) -> Result<&[u8], Mismatch> {
    match (cell.ty, cell.bytes) {
        (&Type::BYTEA, Some(bytes)) => Ok(bytes),
        _ => wrong("bytes", cell),
    }
}

pub(crate) fn date(cell: PgCell<'_>) -> Result<Date, Mismatch> {
    let expected = "a date";
    match *cell.ty {
        Type::DATE => times::date_from_days(i32::from_be_bytes(fixed(cell, expected)?)),
        _ => wrong(expected, cell),
    }
}

pub(crate) fn time(cell: PgCell<'_>) -> Result<Time, Mismatch> {
    let expected = "a time";
    match *cell.ty {
        Type::TIME => times::time_from_micros(i64::from_be_bytes(fixed(cell, expected)?)),
        _ => wrong(expected, cell),
    }
}

pub(crate) fn date_time(cell: PgCell<'_>) -> Result<DateTime, Mismatch> {
    let expected = "a date and time without a zone";
    match *cell.ty {
        Type::TIMESTAMP => times::date_time_from_micros(i64::from_be_bytes(fixed(cell, expected)?)),
        _ => wrong(expected, cell),
    }
}

pub(crate) fn timestamp(cell: PgCell<'_>) -> Result<Timestamp, Mismatch> {
    let expected = "a moment";
    match *cell.ty {
        Type::TIMESTAMPTZ => times::timestamp_from_micros(i64::from_be_bytes(fixed(cell, expected)?)),
        _ => wrong(expected, cell),
    }
}

pub(crate) fn uuid(cell: PgCell<'_>) -> Result<Uuid, Mismatch> {
    let expected = "a UUID";
    match *cell.ty {
        Type::UUID => fixed(cell, expected).map(Uuid::from_bytes),
        _ => wrong(expected, cell),
    }
}
