//! What differs between the dialects, as data where possible.

use std::fmt;

use cormorant_schema::ColumnType;

use crate::Class;
use crate::token::{Binary, Function};

/// A dialect of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// How a placeholder is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// A mark and the value's number: `$1`, `?1`. A value may stand in several places.
    Numbered(char),
    /// A mark alone: every place takes a value of its own.
    Plain,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        })
    }
}

impl Dialect {
    /// The mark around a name.
    pub(crate) fn quote_mark(self) -> char {
        match self {
            Self::Sqlite | Self::Postgres => '"',
            Self::MySql | Self::MariaDb => '`',
        }
    }

    pub(crate) fn placeholder(self) -> Placeholder {
        match self {
            Self::Sqlite => Placeholder::Numbered('?'),
            Self::Postgres => Placeholder::Numbered('$'),
            Self::MySql | Self::MariaDb => Placeholder::Plain,
        }
    }

    /// Whether INSERT can give rows back.
    pub fn insert_returning(self) -> bool {
        self != Self::MySql
    }

    /// Whether one INSERT of one row tells its integer key without RETURNING, for less than RETURNING costs.
    pub fn insert_tells_key(self) -> bool {
        self != Self::Postgres
    }

    /// Whether DDL takes part in a transaction.
    pub fn transactional_ddl(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// Whether an exact number is stored as an integer or a float, and has to be kept to the digits those hold.
    pub fn decimals_are_floats(self) -> bool {
        self == Self::Sqlite
    }

    /// Whether an exact number reaches the server as text, which a comparison would take for a float.
    pub(crate) fn decimals_travel_as_text(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }

    /// Whether a sum of integers comes back as another type.
    pub(crate) fn sums_integers_as_numeric(self) -> bool {
        self == Self::Postgres
    }

    /// Whether an aggregate can have a FILTER.
    pub(crate) fn filters_aggregates(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// The most digits an exact number may have.
    pub fn decimal_digits(self) -> u8 {
        if self.decimals_are_floats() { 15 } else { 28 }
    }

    /// Whether a statement may read the table it changes.
    pub(crate) fn reads_what_it_changes(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// What stands for "no limit" before OFFSET, where a limit is required.
    pub(crate) fn no_limit(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("-1"),
            Self::Postgres => None,
            Self::MySql | Self::MariaDb => Some("18446744073709551615"),
        }
    }

    /// Whether ORDER BY knows NULLS FIRST.
    pub(crate) fn orders_nulls(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// An INSERT of no columns.
    pub(crate) fn insert_defaults(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => " DEFAULT VALUES",
            Self::MySql | Self::MariaDb => " () VALUES ()",
        }
    }

    /// The word for a column's type in CREATE TABLE.
    pub fn type_name(self, ty: ColumnType) -> String {
        use ColumnType as T;
        let word = match (self, ty) {
            (_, T::Decimal { precision, scale }) => return format!("numeric({precision},{scale})"),
            (_, T::Text { max_length: Some(n) }) => return format!("varchar({n})"),
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

    /// What follows the columns of CREATE TABLE.
    pub(crate) fn table_options(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "",
            // Text compares by code point and keeps trailing spaces, as on the other backends.
            Self::MySql => " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin",
            Self::MariaDb => " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
        }
    }

    /// An operator as a template: `{0}` is an operand between commas or brackets, `[0]` one beside an operator.
    pub(crate) fn binary(self, op: Binary) -> &'static str {
        use Binary as B;
        let sqlite = self == Self::Sqlite;
        let postgres = self == Self::Postgres;
        match op {
            B::IsDistinct if sqlite => "[0] IS NOT [1]",
            B::IsDistinct if postgres => "[0] IS DISTINCT FROM [1]",
            B::IsDistinct => "NOT ([0] <=> [1])",
            B::IsNotDistinct if sqlite => "[0] IS [1]",
            B::IsNotDistinct if postgres => "[0] IS NOT DISTINCT FROM [1]",
            B::IsNotDistinct => "[0] <=> [1]",
            B::Concat if sqlite || postgres => "[0] || [1]",
            B::Concat => "CONCAT({0}, {1})",
            // Functions rather than LIKE: they know no wildcards, so nothing has to be escaped.
            B::Contains if sqlite => "instr({0}, {1}) > 0",
            B::Contains if postgres => "strpos({0}, {1}) > 0",
            B::Contains => "LOCATE({1} COLLATE utf8mb4_bin, {0}) > 0",
            B::StartsWith if sqlite => "substr({0}, 1, length({1})) = [1]",
            B::StartsWith if postgres => "starts_with({0}, {1})",
            B::StartsWith => "LEFT({0}, CHAR_LENGTH({1})) = [1] COLLATE utf8mb4_bin",
            B::EndsWith if sqlite => "(length({1}) = 0 OR substr({0}, -length({1})) = [1])",
            B::EndsWith if postgres => "right({0}, char_length({1})) = [1]",
            B::EndsWith => "RIGHT({0}, CHAR_LENGTH({1})) = [1] COLLATE utf8mb4_bin",
            // SQLite's own lower() knows ASCII only; the driver brings one that knows Unicode.
            B::IContains if sqlite => "instr(cormorant_lower({0}), cormorant_lower({1})) > 0",
            B::IContains if postgres => "strpos(lower({0}), lower({1})) > 0",
            B::IContains => "LOCATE(LOWER({1}) COLLATE utf8mb4_bin, LOWER({0})) > 0",
            B::IStartsWith if sqlite => {
                "substr(cormorant_lower({0}), 1, length(cormorant_lower({1}))) = cormorant_lower({1})"
            }
            B::IStartsWith if postgres => "starts_with(lower({0}), lower({1}))",
            B::IStartsWith => "LEFT(LOWER({0}), CHAR_LENGTH({1})) = LOWER({1}) COLLATE utf8mb4_bin",
            B::IEndsWith if sqlite => {
                "(length({1}) = 0 OR substr(cormorant_lower({0}), -length(cormorant_lower({1}))) = cormorant_lower({1}))"
            }
            B::IEndsWith if postgres => "right(lower({0}), char_length({1})) = lower({1})",
            B::IEndsWith => "RIGHT(LOWER({0}), CHAR_LENGTH({1})) = LOWER({1}) COLLATE utf8mb4_bin",
            B::IEq if sqlite => "cormorant_lower({0}) = cormorant_lower({1})",
            B::IEq if postgres => "lower({0}) = lower({1})",
            B::IEq => "LOWER({0}) = LOWER({1}) COLLATE utf8mb4_bin",
            // SQLite's own LIKE ignores the case of ASCII letters; the driver brings one that does not.
            B::Like if sqlite => "cormorant_like({1}, {0})",
            B::Like if postgres => "[0] LIKE [1] ESCAPE '!'",
            B::Like => "[0] LIKE [1] COLLATE utf8mb4_bin ESCAPE '!'",
            B::ILike if sqlite => "cormorant_like(cormorant_lower({1}), cormorant_lower({0}))",
            B::ILike if postgres => "[0] ILIKE [1] ESCAPE '!'",
            B::ILike => "LOWER({0}) LIKE LOWER({1}) COLLATE utf8mb4_bin ESCAPE '!'",
            B::Regex if sqlite => "cormorant_regex({1}, {0})",
            B::Regex if postgres => "[0] ~ [1]",
            B::Regex => "[0] REGEXP [1] COLLATE utf8mb4_bin",
            B::And => "[0] AND [1]",
            B::Or => "[0] OR [1]",
            B::Eq => "[0] = [1]",
            B::Ne => "[0] <> [1]",
            B::Lt => "[0] < [1]",
            B::Le => "[0] <= [1]",
            B::Gt => "[0] > [1]",
            B::Ge => "[0] >= [1]",
            B::Add => "[0] + [1]",
            B::Subtract => "[0] - [1]",
            B::Multiply => "[0] * [1]",
            B::Divide => "[0] / [1]",
            B::Remainder => "[0] % [1]",
        }
    }

    /// Division of integers, which keeps the whole part everywhere.
    pub(crate) fn integer_division(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "[0] / [1]",
            Self::MySql | Self::MariaDb => "[0] DIV [1]",
        }
    }

    /// Whether a value is in a list that travels as one parameter.
    pub(crate) fn in_list(self, class: Class) -> &'static str {
        match (self, class) {
            (Self::Postgres, _) => "[0] = ANY({1})",
            (Self::Sqlite, Class::Bytes) => "[0] IN (SELECT unhex(value) FROM json_each({1}))",
            (Self::Sqlite, _) => "[0] IN (SELECT value FROM json_each({1}))",
            (_, class) => match class {
                Class::Bool | Class::Int => {
                    "[0] IN (SELECT v FROM JSON_TABLE({1}, '$[*]' COLUMNS (v BIGINT PATH '$')) l)"
                }
                Class::Float => "[0] IN (SELECT v FROM JSON_TABLE({1}, '$[*]' COLUMNS (v DOUBLE PATH '$')) l)",
                Class::Decimal => {
                    "[0] IN (SELECT v FROM JSON_TABLE({1}, '$[*]' COLUMNS (v DECIMAL(65, 30) PATH '$')) l)"
                }
                Class::Bytes => "[0] IN (SELECT UNHEX(v) FROM JSON_TABLE({1}, '$[*]' COLUMNS (v LONGTEXT PATH '$')) l)",
                Class::Date => "[0] IN (SELECT v FROM JSON_TABLE({1}, '$[*]' COLUMNS (v DATE PATH '$')) l)",
                Class::Time => "[0] IN (SELECT v FROM JSON_TABLE({1}, '$[*]' COLUMNS (v TIME(6) PATH '$')) l)",
                Class::DateTime | Class::Timestamp => {
                    "[0] IN (SELECT v FROM JSON_TABLE({1}, '$[*]' COLUMNS (v DATETIME(6) PATH '$')) l)"
                }
                Class::Text | Class::Uuid => {
                    "[0] IN (SELECT v COLLATE utf8mb4_bin FROM JSON_TABLE({1}, '$[*]' COLUMNS (v LONGTEXT PATH '$')) l)"
                }
            },
        }
    }

    /// A function of one operand as a template; `None` when it is written as a plain call of its operands.
    pub(crate) fn function(self, function: Function) -> Result<&'static str, &'static str> {
        use Function as F;
        let sqlite = self == Self::Sqlite;
        let postgres = self == Self::Postgres;
        Ok(match function {
            F::Coalesce => return Err("COALESCE"),
            F::Round => return Err("ROUND"),
            F::Abs => return Err("ABS"),
            F::Trim => return Err("TRIM"),
            F::Lower if sqlite => "cormorant_lower({0})",
            F::Lower => "LOWER({0})",
            F::Upper if sqlite => "cormorant_upper({0})",
            F::Upper => "UPPER({0})",
            F::Length if sqlite => "length({0})",
            F::Length => "CHAR_LENGTH({0})",
            F::Year if sqlite => "CAST(strftime('%Y', {0}) AS INTEGER)",
            F::Month if sqlite => "CAST(strftime('%m', {0}) AS INTEGER)",
            F::Day if sqlite => "CAST(strftime('%d', {0}) AS INTEGER)",
            F::Hour if sqlite => "CAST(strftime('%H', {0}) AS INTEGER)",
            F::Minute if sqlite => "CAST(strftime('%M', {0}) AS INTEGER)",
            F::Second if sqlite => "CAST(strftime('%S', {0}) AS INTEGER)",
            F::Year if postgres => "CAST(EXTRACT(YEAR FROM {0}) AS bigint)",
            F::Month if postgres => "CAST(EXTRACT(MONTH FROM {0}) AS bigint)",
            F::Day if postgres => "CAST(EXTRACT(DAY FROM {0}) AS bigint)",
            F::Hour if postgres => "CAST(EXTRACT(HOUR FROM {0}) AS bigint)",
            F::Minute if postgres => "CAST(EXTRACT(MINUTE FROM {0}) AS bigint)",
            F::Second if postgres => "CAST(FLOOR(EXTRACT(SECOND FROM {0})) AS bigint)",
            F::Year => "YEAR({0})",
            F::Month => "MONTH({0})",
            F::Day => "DAY({0})",
            F::Hour => "HOUR({0})",
            F::Minute => "MINUTE({0})",
            F::Second => "SECOND({0})",
        })
    }

    /// The word for a type in CAST.
    pub(crate) fn cast_name(self, ty: ColumnType) -> String {
        match (self, ty) {
            (Self::MySql | Self::MariaDb, ColumnType::I16 | ColumnType::I32 | ColumnType::I64) => "SIGNED".to_owned(),
            (Self::MySql | Self::MariaDb, ColumnType::Text { .. }) => "CHAR".to_owned(),
            (Self::MySql | Self::MariaDb, ColumnType::Decimal { precision, scale }) => {
                format!("DECIMAL({precision}, {scale})")
            }
            (Self::Sqlite, ColumnType::Text { .. }) => "TEXT".to_owned(),
            (Self::Sqlite, ColumnType::F32 | ColumnType::F64) => "REAL".to_owned(),
            _ => self.type_name(ty),
        }
    }

    /// The float that an average is computed in.
    pub(crate) fn float_name(self) -> &'static str {
        match self {
            Self::Sqlite => "REAL",
            Self::Postgres => "double precision",
            Self::MySql | Self::MariaDb => "DOUBLE",
        }
    }
}
