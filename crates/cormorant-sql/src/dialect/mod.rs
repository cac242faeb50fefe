//! What differs between the dialects, as data where possible.

use std::fmt;

use cormorant_schema::ColumnType;

mod operators;
mod types;

pub(crate) use operators::FIFTEEN_DIGITS;
pub(crate) use types::Cast;

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

    /// The words in front of a statement that make the database say how it would run it.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Sqlite => "EXPLAIN QUERY PLAN",
            Self::Postgres | Self::MySql | Self::MariaDb => "EXPLAIN",
        }
    }

    /// The placeholder of the value with this number, counted from 1.
    pub fn parameter(self, number: usize) -> String {
        match self.placeholder() {
            Placeholder::Numbered(mark) => format!("{mark}{number}"),
            Placeholder::Plain => "?".to_owned(),
        }
    }

    /// Whether CREATE TABLE can hold indexes that are not unique.
    pub(crate) fn creates_indexes_with_tables(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }

    /// What to put around a calculated integer that is stored, before and behind it: SQLite would store a float where
    /// it overflows, and any integer in a column of small ones.
    pub(crate) fn checks_stored_integers(self, ty: ColumnType) -> Option<(&'static str, &'static str)> {
        let range = match ty {
            ColumnType::I16 => ", -32768, 32767)",
            ColumnType::I32 => ", -2147483648, 2147483647)",
            ColumnType::I64 => ", -9223372036854775808, 9223372036854775807)",
            _ => return None,
        };
        (self == Self::Sqlite).then_some(("cormorant_integer(", range))
    }

    /// Whether a later assignment of an UPDATE sees what an earlier one wrote, which no setting of the session changes.
    pub(crate) fn assigns_one_by_one(self) -> bool {
        self == Self::MySql
    }

    /// Whether INSERT can give rows back.
    pub fn insert_returning(self) -> bool {
        self != Self::MySql
    }

    /// Whether INSERT can name the unique constraint by which a row may be there already. Elsewhere every one of them
    /// leads to the same.
    pub fn names_conflicts(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// Whether an error of an INSERT with [`Token::Overwrite`](crate::Token::Overwrite) says that it met a row by
    /// another unique constraint than the named one, and left it as it was.
    pub fn met_another_row(self, code: Option<&str>) -> bool {
        // The subquery of two rows that stands there for this.
        !self.names_conflicts() && code == Some("1242")
    }

    /// The error code by which an INSERT with [`Token::Overwrite`](crate::Token::Overwrite) says that two of its rows are
    /// one, and that it wrote none. Elsewhere that row is written twice.
    pub fn overwrites_once(self) -> Option<&'static str> {
        // cardinality_violation
        (self == Self::Postgres).then_some("21000")
    }

    /// Whether a query can lock the rows that it finds. Elsewhere who writes, writes alone.
    pub fn locks_rows(self) -> bool {
        self != Self::Sqlite
    }

    /// Whether a lock can name one of several tables.
    pub(crate) fn locks_one_of_several_tables(self) -> bool {
        matches!(self, Self::Postgres | Self::MySql)
    }

    /// The words for a lock that several may hold.
    pub(crate) fn lock_in_share_mode(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres | Self::MySql => " FOR SHARE",
            Self::MariaDb => " LOCK IN SHARE MODE",
        }
    }

    /// Whether UPDATE can give rows back.
    pub fn update_returning(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// Whether DELETE can give rows back.
    pub fn delete_returning(self) -> bool {
        self != Self::MySql
    }

    /// Whether one INSERT of one row tells its integer key without RETURNING, for less than RETURNING costs.
    pub fn insert_tells_key(self) -> bool {
        self != Self::Postgres
    }

    /// Whether the keys that an INSERT of several rows generates follow each other in the order of the rows, where
    /// nothing comes between (sqlite.org, autoinc.html: "one more than the largest ROWID in the table"; InnoDB: those
    /// of a simple insert are consecutive in each of its lock modes). Telling them so costs half of what RETURNING does,
    /// or less.
    pub fn counts_keys_up(self) -> bool {
        matches!(self, Self::Sqlite | Self::MariaDb)
    }

    /// The query for how far apart the keys of one INSERT's rows are, where only the first is told. A server among
    /// several masters counts in larger steps.
    pub fn key_step(self) -> Option<&'static str> {
        (self == Self::MySql).then_some("SELECT @@auto_increment_increment")
    }

    /// Whether statements are taken before the last one is answered.
    pub fn pipelines(self) -> bool {
        self == Self::Postgres
    }

    /// Whether a statement that writes many rows takes each column's values as one list.
    pub fn takes_lists(self) -> bool {
        self == Self::Postgres
    }

    /// How many keys a query names one by one; `None` where a list in one parameter is as good.
    ///
    /// MySQL and MariaDB cannot tell how long a list in JSON is, and look up each of its keys even where they are those
    /// of the whole table, which takes twice as long as reading it. Of so many keys they still weigh one against the
    /// other: MySQL gives up where its ranges take more than 8 MB (`range_optimizer_max_mem_size`), MariaDB at about
    /// 32,000 of them (`optimizer_max_sel_arg_weight`; with 10.11, 17,000 are found by the index and 31,999 are not).
    pub fn names_keys(self) -> Option<usize> {
        matches!(self, Self::MySql | Self::MariaDb).then_some(16_384)
    }

    /// Whether an UPDATE finds what else it reads by JOIN. Elsewhere it does by FROM.
    pub(crate) fn updates_by_join(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }

    /// The word in front of each row of VALUES where that is a table.
    pub(crate) fn row_word(self) -> &'static str {
        match self {
            Self::MySql => "ROW",
            Self::Sqlite | Self::Postgres | Self::MariaDb => "",
        }
    }

    /// What a value is converted to in a row of VALUES, where that is a table. MariaDB knows the types of values, but
    /// exact numbers travel as text, and would be compared as floats. MySQL decides before it has seen any.
    pub(crate) fn cast_in_rows(self, ty: ColumnType) -> Option<String> {
        use ColumnType as T;
        let word = match (self, ty) {
            (Self::Sqlite | Self::Postgres, _) => return None,
            (_, T::Decimal { precision, scale }) => return Some(format!("DECIMAL({precision}, {scale})")),
            (Self::MariaDb, _) => return None,
            (_, T::Bool | T::I16 | T::I32 | T::I64) => "SIGNED",
            (_, T::F32 | T::F64) => "DOUBLE",
            (_, T::Bytes) => "BINARY",
            (_, T::Date) => "DATE",
            (_, T::Time) => "TIME(6)",
            (_, T::DateTime | T::Timestamp) => "DATETIME(6)",
            (_, _) => "CHAR",
        };
        Some(word.to_owned())
    }

    /// The operator for equal values, two NULLs among them.
    pub(crate) fn equal_or_both_null(self) -> &'static str {
        match self {
            Self::Sqlite => " IS ",
            Self::Postgres => " IS NOT DISTINCT FROM ",
            Self::MySql | Self::MariaDb => " <=> ",
        }
    }

    /// Whether a placeholder without a number takes the next value, where others have numbers.
    pub(crate) fn takes_values_in_order(self) -> bool {
        self == Self::Sqlite
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

    /// Whether a sum of integers comes back as an exact number, which a cast has to turn into an integer.
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

    /// The most values a statement can carry, where the protocol and not the server's settings say so.
    pub(crate) fn most_values(self) -> Option<usize> {
        match self {
            Self::Sqlite => None,
            Self::Postgres | Self::MySql | Self::MariaDb => Some(usize::from(u16::MAX)),
        }
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

    /// Whether ORDER BY knows NULLS FIRST. Where it does not, NULL is smaller than everything.
    pub(crate) fn orders_nulls(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// Whether long text and bytes take a default only as an expression in brackets.
    pub(crate) fn brackets_long_defaults(self) -> bool {
        self == Self::MySql
    }

    /// Whether a foreign key can fall back to its default when its target is deleted or takes another key.
    pub(crate) fn sets_default(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// An INSERT of no columns.
    pub(crate) fn insert_defaults(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => " DEFAULT VALUES",
            Self::MySql | Self::MariaDb => " () VALUES ()",
        }
    }

    /// What follows the columns of CREATE TABLE.
    pub(crate) fn table_options(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "",
            Self::MySql => " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin",
            Self::MariaDb => " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
        }
    }

    /// What makes text compare by code point, trailing spaces included; empty where it does so by itself.
    pub(crate) fn binary_collation(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "",
            Self::MySql => " COLLATE utf8mb4_0900_bin",
            Self::MariaDb => " COLLATE utf8mb4_nopad_bin",
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
