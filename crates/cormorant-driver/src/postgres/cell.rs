//! Cells of PostgreSQL, in the form a field wants.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::Mismatch;

/// A cell: its type and its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PgCell<'a> {
    pub(crate) bytes: Option<&'a [u8]>,
}

pub(crate) fn of(_row: &tokio_postgres::Row, _at: usize) -> Result<PgCell<'_>, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn bool(_cell: PgCell<'_>) -> Result<bool, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn int(_cell: PgCell<'_>) -> Result<i64, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn float(_cell: PgCell<'_>) -> Result<f64, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn decimal(_cell: PgCell<'_>) -> Result<Decimal, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn text(_cell: PgCell<'_>) -> Result<&str, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn bytes(_cell: PgCell<'_>) -> Result<&[u8], Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn date(_cell: PgCell<'_>) -> Result<Date, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn time(_cell: PgCell<'_>) -> Result<Time, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn date_time(_cell: PgCell<'_>) -> Result<DateTime, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn timestamp(_cell: PgCell<'_>) -> Result<Timestamp, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn uuid(_cell: PgCell<'_>) -> Result<Uuid, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}
