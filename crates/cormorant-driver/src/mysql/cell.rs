//! Cells of MySQL and MariaDB, in the form a field wants.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::Mismatch;

pub(crate) fn bool(_cell: &mysql_async::Value) -> Result<bool, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn int(_cell: &mysql_async::Value) -> Result<i64, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn float(_cell: &mysql_async::Value) -> Result<f64, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn decimal(_cell: &mysql_async::Value) -> Result<Decimal, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn text(_cell: &mysql_async::Value) -> Result<&str, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn bytes(_cell: &mysql_async::Value) -> Result<&[u8], Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn date(_cell: &mysql_async::Value) -> Result<Date, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn time(_cell: &mysql_async::Value) -> Result<Time, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn date_time(_cell: &mysql_async::Value) -> Result<DateTime, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn timestamp(_cell: &mysql_async::Value) -> Result<Timestamp, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}

pub(crate) fn uuid(_cell: &mysql_async::Value) -> Result<Uuid, Mismatch> {
    Err(Mismatch::new("a value", "a driver under construction"))
}
