//! The words for types, in tables and in conversions.

use cormorant_schema::ColumnType;

use super::Dialect;
use crate::{Class, Fault};

/// How a value is converted.
pub(crate) enum Cast {
    /// It is written as this template.
    Template(&'static str),
    /// `CAST(… AS this)`.
    To(String),
    /// A float that stands for an exact number, rounded to so many digits behind the point.
    Rounded(u8),
}

impl Dialect {
    /// The word for a column's type in CREATE TABLE.
    pub fn type_name(self, ty: ColumnType) -> String {
        use ColumnType as T;
        let word = match (self, ty) {
            (_, T::Decimal { precision, scale }) => return format!("numeric({precision},{scale})"),
            // A longer one is text: how long it is, validation counts.
            (_, T::Text { max_length: Some(n) }) if n <= self.longest_varchar() => return format!("varchar({n})"),
            (_, T::Bool) => "boolean",
            (_, T::I16) => "smallint",
            (Self::Sqlite, T::I32 | T::I64) => "integer",
            (_, T::I32) => "integer",
            (_, T::I64) => "bigint",
            (Self::MySql | Self::MariaDb, T::F32) => "float",
            (Self::MySql | Self::MariaDb, T::F64) => "double",
            (_, T::F32) => "real",
            (_, T::F64) => "double precision",
            (Self::MySql | Self::MariaDb, T::Text { .. }) => "longtext",
            (_, T::Text { .. }) => "text",
            (Self::Sqlite, T::Bytes) => "blob",
            (Self::Postgres, T::Bytes) => "bytea",
            (_, T::Bytes) => "longblob",
            (_, T::Date) => "date",
            (Self::Sqlite, T::Time) => "time",
            (_, T::Time) => "time(6)",
            (Self::Sqlite, T::DateTime) => "datetime",
            (Self::Sqlite, T::Timestamp) => "timestamp",
            (Self::Postgres, T::DateTime) => "timestamp(6)",
            (Self::Postgres, T::Timestamp) => "timestamp(6) with time zone",
            (_, T::DateTime | T::Timestamp) => "datetime(6)",
            (Self::Postgres | Self::MariaDb, T::Uuid) => "uuid",
            (_, T::Uuid) => "char(36)",
            (_, _) => "text",
        };
        word.to_owned()
    }

    /// The most characters that a varchar may have.
    fn longest_varchar(self) -> u32 {
        match self {
            Self::Sqlite => u32::MAX,
            Self::Postgres => 10_485_760,
            // Four bytes each, of the 65,535 that a row may have.
            Self::MySql | Self::MariaDb => 16_383,
        }
    }

    /// Whether a column of a type is kept apart from its row, where no index finds it whole.
    pub(crate) fn is_long(self, ty: ColumnType) -> bool {
        matches!(self, Self::MySql | Self::MariaDb) && matches!(self.type_name(ty).as_str(), "longtext" | "longblob")
    }

    /// How a value of a class becomes one of a column's type.
    ///
    /// SQLite has no types for most of these: the text or number that stands for one is made from the other.
    pub(crate) fn cast(self, from: Class, to: ColumnType) -> Result<Cast, Fault> {
        use Class as C;
        use ColumnType as T;
        let number = matches!(from, C::Bool | C::Int | C::Float | C::Decimal);
        let moment = matches!(from, C::DateTime | C::Timestamp);
        let word = match (self, to) {
            (_, T::Decimal { precision: 0, .. }) => {
                return Err(Fault::Unsupported {
                    what: "a conversion to an exact number without digits".to_owned(),
                    instead: "say its precision and scale",
                });
            }
            // Rounded half away from zero, on every backend, and an error where no integer holds it. PostgreSQL rounds
            // floats half to even, and keeps but fifteen digits of one as numeric.
            (Self::Postgres, T::I16 | T::I32 | T::I64) if from == C::Float => {
                return Ok(Cast::Template("CAST(TRUNC({0}) + TRUNC(([0] - TRUNC({0})) * 2) AS bigint)"));
            }
            // CAST gives the largest integer there, DIV an error.
            (Self::MySql | Self::MariaDb, T::I16 | T::I32 | T::I64) if from == C::Float => {
                return Ok(Cast::Template("(ROUND(CAST({0} AS DECIMAL(65, 30))) DIV 1)"));
            }
            (Self::MySql | Self::MariaDb, T::I16 | T::I32 | T::I64) if from == C::Decimal => {
                return Ok(Cast::Template("(ROUND({0}) DIV 1)"));
            }
            (Self::Postgres, _) => return Ok(Cast::To(self.type_name(to))),

            (_, T::Bool) if from == C::Bool => return Ok(Cast::Template("{0}")),
            (_, T::Bool) if number => return Ok(Cast::Template("([0] <> 0)")),

            (Self::Sqlite, T::I16 | T::I32 | T::I64) if matches!(from, C::Float | C::Decimal) => {
                return Ok(Cast::Template("cormorant_round({0})"));
            }
            (Self::Sqlite, T::I16 | T::I32 | T::I64) => "INTEGER",
            (Self::Sqlite, T::F32 | T::F64) => "REAL",
            (Self::Sqlite, T::Decimal { scale, .. }) if number => return Ok(Cast::Rounded(scale)),
            (Self::Sqlite, T::Text { .. }) => "TEXT",
            (Self::Sqlite, T::Bytes) => "BLOB",
            (Self::Sqlite, T::Date) if moment || from == C::Text => return Ok(Cast::Template("date({0})")),
            (Self::Sqlite, T::Time) if moment => return Ok(Cast::Template("substr({0}, 12)")),
            (Self::Sqlite, T::DateTime | T::Timestamp) if from == C::Date => {
                return Ok(Cast::Template("(<0> || ' 00:00:00')"));
            }
            (Self::Sqlite, T::DateTime | T::Timestamp) if moment => return Ok(Cast::Template("{0}")),
            (Self::Sqlite, T::Date | T::Time | T::DateTime | T::Timestamp | T::Uuid)
                if from == C::Text || from == C::of(to) =>
            {
                return Ok(Cast::Template("{0}"));
            }

            (Self::MySql | Self::MariaDb, T::I16 | T::I32 | T::I64) => "SIGNED",
            (Self::MySql | Self::MariaDb, T::F32 | T::F64) => "DOUBLE",
            (Self::MySql | Self::MariaDb, T::Decimal { precision, scale }) => {
                return Ok(Cast::To(format!("DECIMAL({precision}, {scale})")));
            }
            (Self::MySql | Self::MariaDb, T::Text { .. }) => "CHAR",
            (Self::MySql | Self::MariaDb, T::Bytes) => "BINARY",
            (Self::MySql | Self::MariaDb, T::Date) => "DATE",
            (Self::MySql | Self::MariaDb, T::Time) => "TIME(6)",
            (Self::MySql | Self::MariaDb, T::DateTime | T::Timestamp) => "DATETIME(6)",
            (Self::MySql, T::Uuid) => "CHAR(36)",
            (Self::MariaDb, T::Uuid) => "UUID",
            _ => {
                return Err(Fault::Unsupported {
                    what: format!("{self} cannot convert {from:?} to {to}"),
                    instead: "read the value and convert it in the program",
                });
            }
        };
        Ok(Cast::To(word.to_owned()))
    }
}
