//! Typed reading of rows, for tests: the library's own field types are further up.

#![allow(dead_code, reason = "each test binary uses a part")]

use cormorant_driver::sql::Value;
use cormorant_driver::{Cell, Mismatch, Result, Row};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A type that a test binds and reads.
pub(crate) trait Scalar: Sized + Clone + PartialEq + Send + Sync + 'static {
    fn to_value(&self) -> Value<'static>;
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch>;
}

macro_rules! scalars {
    ($($type:ty: $value:ident, $cell:ident;)*) => {$(
        impl Scalar for $type {
            fn to_value(&self) -> Value<'static> {
                Value::$value(self.clone().into())
            }

            fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
                cell.$cell().map(Into::into)
            }
        }
    )*};
}

scalars! {
    bool: Bool, bool;
    i64: Int, int;
    f64: Float, float;
    Decimal: Decimal, decimal;
    String: Text, text;
    Vec<u8>: Bytes, bytes;
    Date: Date, date;
    Time: Time, time;
    DateTime: DateTime, date_time;
    Timestamp: Timestamp, timestamp;
    Uuid: Uuid, uuid;
}

macro_rules! narrow {
    ($($type:ty),*) => {$(
        impl Scalar for $type {
            fn to_value(&self) -> Value<'static> {
                Value::Int((*self).into())
            }

            fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
                Self::try_from(cell.int()?).map_err(|_| Mismatch::new("a smaller integer", "a larger one"))
            }
        }
    )*};
}

narrow!(i16, i32, u32);

impl Scalar for f32 {
    fn to_value(&self) -> Value<'static> {
        Value::Float((*self).into())
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        cell.float().map(|value| value as Self)
    }
}

/// Reads cells by type.
pub(crate) trait Take {
    fn take<T: Scalar>(&mut self) -> Result<T>;
    fn take_option<T: Scalar>(&mut self) -> Result<Option<T>>;
}

impl Take for Row<'_> {
    fn take<T: Scalar>(&mut self) -> Result<T> {
        self.read(T::from_cell)
    }

    fn take_option<T: Scalar>(&mut self) -> Result<Option<T>> {
        self.read_option(T::from_cell)
    }
}
