//! The types that come with the library.

use std::borrow::Cow;

use cormorant_sql::Value;
use cormorant_sql::schema::ColumnType;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, Unit};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Scalar, Unstorable};
use cormorant_driver::{Cell, Mismatch};

/// Integers: the column is the smallest that holds every value of the type.
macro_rules! integers {
    ($($type:ty => $column:ident),*) => {$(
        impl Scalar for $type {
            const TYPE: ColumnType = ColumnType::$column;

            #[inline]
            fn to_value(&self) -> Result<Value<'_>, Unstorable> {
                match i64::try_from(*self) {
                    Ok(value) => Ok(Value::Int(value)),
                    Err(_) => Err(Unstorable(format!("{self} is more than {}, the largest integer a column holds", i64::MAX))),
                }
            }

            #[inline]
            fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
                let value = cell.int()?;
                Self::try_from(value).map_err(|_| Mismatch::new(
                    concat!("an integer that fits ", stringify!($type)),
                    "one that does not",
                ))
            }
        }
    )*};
}

integers!(i8 => I16, i16 => I16, i32 => I32, i64 => I64, u8 => I16, u16 => I32, u32 => I64, u64 => I64);

/// Types that a [`Value`] holds and a [`Cell`] gives as they are.
macro_rules! plain {
    ($($type:ty => $column:expr, $value:ident, $cell:ident;)*) => {$(
        impl Scalar for $type {
            const TYPE: ColumnType = $column;

            #[inline]
            fn to_value(&self) -> Result<Value<'_>, Unstorable> {
                Ok(Value::$value(*self))
            }

            #[inline]
            fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
                cell.$cell()
            }
        }
    )*};
}

plain! {
    bool => ColumnType::Bool, Bool, bool;
    f64 => ColumnType::F64, Float, float;
    // The digits are the column's to say: `precision` and `scale`.
    Decimal => ColumnType::Decimal { precision: 0, scale: 0 }, Decimal, decimal;
    Date => ColumnType::Date, Date, date;
    Uuid => ColumnType::Uuid, Uuid, uuid;
}

impl Scalar for f32 {
    const TYPE: ColumnType = ColumnType::F32;

    fn to_value(&self) -> Result<Value<'_>, Unstorable> {
        Ok(Value::Float(f64::from(*self)))
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        let value = cell.float()?;
        let narrow = value as f32;
        if narrow.is_finite() || !value.is_finite() {
            Ok(narrow)
        } else {
            Err(Mismatch::new("a number that fits f32", "one that does not"))
        }
    }
}

impl Scalar for String {
    const TYPE: ColumnType = ColumnType::Text { max_length: None };

    fn to_value(&self) -> Result<Value<'_>, Unstorable> {
        Ok(Value::Text(Cow::Borrowed(self)))
    }

    #[inline]
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        cell.text().map(str::to_owned)
    }
}

impl Scalar for Vec<u8> {
    const TYPE: ColumnType = ColumnType::Bytes;

    fn to_value(&self) -> Result<Value<'_>, Unstorable> {
        Ok(Value::Bytes(Cow::Borrowed(self)))
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        cell.bytes().map(<[u8]>::to_vec)
    }
}

/// Times carry six digits on every backend: what is below a microsecond is cut, never rounded into the next second.
macro_rules! microseconds {
    ($($type:ty => $column:ident, $cell:ident, $rounding:path;)*) => {$(
        impl Scalar for $type {
            const TYPE: ColumnType = ColumnType::$column;

            fn to_value(&self) -> Result<Value<'_>, Unstorable> {
                Ok(Value::$column(self.as_stored().unwrap_or(*self)))
            }

            fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
                cell.$cell()
            }

            fn as_stored(&self) -> Option<Self> {
                if self.subsec_nanosecond() % 1_000 == 0 {
                    return None;
                }
                let cut = $rounding().smallest(Unit::Microsecond).mode(jiff::RoundMode::Floor);
                self.round(cut).ok()
            }
        }
    )*};
}

microseconds! {
    Time => Time, time, jiff::civil::TimeRound::new;
    DateTime => DateTime, date_time, jiff::civil::DateTimeRound::new;
    Timestamp => Timestamp, timestamp, jiff::TimestampRound::new;
}
