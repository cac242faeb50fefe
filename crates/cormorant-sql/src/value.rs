//! Bound values.

use std::borrow::Cow;

use cormorant_schema::ColumnType;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A value on its way to the database, as a parameter. Text and bytes are borrowed where what holds them outlives the
/// statement: saving a record copies neither.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
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
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
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
    List(Vec<Value<'a>>),
    /// A value that no column can hold, and why: binding it is an error. Building an expression cannot fail, running
    /// it can.
    Unstorable(Box<str>),
}

impl Value<'_> {
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

    /// A value that borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::Text(value) => Value::Text(Cow::Owned(value.into_owned())),
            Self::Bytes(value) => Value::Bytes(Cow::Owned(value.into_owned())),
            Self::Date(value) => Value::Date(value),
            Self::Time(value) => Value::Time(value),
            Self::DateTime(value) => Value::DateTime(value),
            Self::Timestamp(value) => Value::Timestamp(value),
            Self::Uuid(value) => Value::Uuid(value),
            Self::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
            Self::Unstorable(why) => Value::Unstorable(why),
        }
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
