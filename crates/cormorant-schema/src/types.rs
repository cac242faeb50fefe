//! What a column holds, independent of the backend.

use std::fmt;

/// The type of a column. Each dialect has its own word for it; `Display` gives the neutral one that migration
/// files and messages use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// 16-bit integer.
    I16,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// Exact number with `precision` digits, `scale` of them behind the point.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// Text, of at most `max_length` characters where one is given.
    Text {
        /// Characters (Unicode scalar values), not bytes.
        max_length: Option<u32>,
    },
    /// Bytes.
    Bytes,
    /// A day.
    Date,
    /// A time of day, microseconds.
    Time,
    /// A day and a time without a zone, microseconds.
    DateTime,
    /// A moment, stored in UTC, microseconds.
    Timestamp,
    /// A UUID.
    Uuid,
}

impl ColumnType {
    /// True for integers: what the database may generate as a key.
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::I16 | Self::I32 | Self::I64)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("boolean"),
            Self::I16 => f.write_str("smallint"),
            Self::I32 => f.write_str("integer"),
            Self::I64 => f.write_str("bigint"),
            Self::F32 => f.write_str("real"),
            Self::F64 => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "numeric({precision}, {scale})"),
            Self::Text { max_length: None } => f.write_str("text"),
            Self::Text { max_length: Some(n) } => write!(f, "varchar({n})"),
            Self::Bytes => f.write_str("bytes"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::DateTime => f.write_str("datetime"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Uuid => f.write_str("uuid"),
        }
    }
}
