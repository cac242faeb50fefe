//! Bound values.

use std::borrow::Cow;

use cormorant_schema::ColumnType;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A value on its way to the database, as a parameter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// NULL.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of any width.
    Int(i64),
    /// A float of any width.
    Float(f64),
    /// An exact number.
    Decimal(Decimal),
    /// Text.
    Text(Cow<'static, str>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A day.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A day and a time without a zone.
    DateTime(DateTime),
    /// A moment.
    Timestamp(Timestamp),
    /// A UUID.
    Uuid(Uuid),
    /// A list for `is_in`: one parameter, whatever its length.
    List(Vec<Value>),
    /// A value that no column can hold, and why: binding it is an error. Building an expression cannot fail, running
    /// it can.
    Unstorable(Box<str>),
}

impl Value {
    /// The class of a value; `None` for NULL, which fits every class, and for lists.
    pub fn class(&self) -> Option<Class> {
        Some(match self {
            Self::Null | Self::List(_) | Self::Unstorable(_) => return None,
            Self::Bool(_) => Class::Bool,
            Self::Int(_) => Class::Int,
            Self::Float(_) => Class::Float,
            Self::Decimal(_) => Class::Decimal,
            Self::Text(_) => Class::Text,
            Self::Bytes(_) => Class::Bytes,
            Self::Date(_) => Class::Date,
            Self::Time(_) => Class::Time,
            Self::DateTime(_) => Class::DateTime,
            Self::Timestamp(_) => Class::Timestamp,
            Self::Uuid(_) => Class::Uuid,
        })
    }

    /// True for NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// How a parameter travels: what a server is told about its type, and what arithmetic on it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// True or false.
    Bool,
    /// Integers of every width.
    Int,
    /// Floats of every width.
    Float,
    /// Exact numbers.
    Decimal,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Days.
    Date,
    /// Times of day.
    Time,
    /// Days with times, without a zone.
    DateTime,
    /// Moments.
    Timestamp,
    /// UUIDs.
    Uuid,
}

impl Class {
    /// The class of a column.
    pub const fn of(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Bool => Self::Bool,
            ColumnType::I16 | ColumnType::I32 | ColumnType::I64 => Self::Int,
            ColumnType::F32 | ColumnType::F64 => Self::Float,
            ColumnType::Decimal { .. } => Self::Decimal,
            ColumnType::Bytes => Self::Bytes,
            ColumnType::Date => Self::Date,
            ColumnType::Time => Self::Time,
            ColumnType::DateTime => Self::DateTime,
            ColumnType::Timestamp => Self::Timestamp,
            ColumnType::Uuid => Self::Uuid,
            _ => Self::Text,
        }
    }
}
