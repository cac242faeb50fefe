//! Operators and functions as templates.
//!
//! The places of a template say how its operands stand in it: `{0}` between commas or brackets, `[0]` beside an
//! operator, `<0>` before something that holds on to it alone, like COLLATE. `{c}` is the collation that compares
//! text by code point.

use super::Dialect;
use crate::token::{Binary, Function, Nulls};
use crate::{Class, Fault};

/// What keeps a float that stands for an exact number to fifteen digits: text before and behind it.
///
/// `printf` takes NULL for zero, so NULL goes through it as an infinity. No exact number is infinite: both infinities
/// are NULL.
pub(crate) const FIFTEEN_DIGITS: (&str, &str) =
    ("CAST(nullif(nullif(printf('%.15g', coalesce(", ", 9e999)), 'Inf'), '-Inf') AS NUMERIC)");

impl Dialect {
    /// An operator as a template, of operands of this class.
    pub(crate) fn binary(self, op: Binary, class: Class) -> Result<&'static str, Fault> {
        use Binary as B;
        let sqlite = self == Self::Sqlite;
        let postgres = self == Self::Postgres;
        Ok(match op {
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
            B::Contains => "LOCATE(<1>{c}, {0}) > 0",
            B::StartsWith if sqlite => "substr({0}, 1, length({1})) = [1]",
            B::StartsWith if postgres => "starts_with({0}, {1})",
            B::StartsWith => "LEFT({0}, CHAR_LENGTH({1})) = <1>{c}",
            // Counted from the front: the last no characters would be all of them.
            B::EndsWith if sqlite => "substr({0}, length({0}) - length({1}) + 1) = [1]",
            B::EndsWith if postgres => "right({0}, char_length({1})) = [1]",
            B::EndsWith => "RIGHT({0}, CHAR_LENGTH({1})) = <1>{c}",
            // SQLite's own lower() knows ASCII only; the driver brings one that knows Unicode.
            B::IContains if sqlite => "instr(cormorant_lower({0}), cormorant_lower({1})) > 0",
            B::IContains if postgres => "strpos(lower({0}), lower({1})) > 0",
            B::IContains => "LOCATE(LOWER({1}){c}, LOWER({0})) > 0",
            B::IStartsWith if sqlite => {
                "substr(cormorant_lower({0}), 1, length(cormorant_lower({1}))) = cormorant_lower({1})"
            }
            B::IStartsWith if postgres => "starts_with(lower({0}), lower({1}))",
            B::IStartsWith => "LEFT(LOWER({0}), CHAR_LENGTH(LOWER({1}))) = LOWER({1}){c}",
            B::IEndsWith if sqlite => {
                "substr(cormorant_lower({0}), length(cormorant_lower({0})) - length(cormorant_lower({1})) + 1) = cormorant_lower({1})"
            }
            B::IEndsWith if postgres => "right(lower({0}), char_length(lower({1}))) = lower({1})",
            B::IEndsWith => "RIGHT(LOWER({0}), CHAR_LENGTH(LOWER({1}))) = LOWER({1}){c}",
            B::IEq if sqlite => "cormorant_lower({0}) = cormorant_lower({1})",
            B::IEq if postgres => "lower({0}) = lower({1})",
            B::IEq => "LOWER({0}) = LOWER({1}){c}",
            // SQLite's own LIKE ignores the case of ASCII letters; the driver brings one that does not.
            B::Like if sqlite => "cormorant_like({1}, {0})",
            B::Like if postgres => "[0] LIKE [1] ESCAPE '!'",
            B::Like => "[0] LIKE <1>{c} ESCAPE '!'",
            B::ILike if sqlite => "cormorant_like(cormorant_lower({1}), cormorant_lower({0}))",
            B::ILike if postgres => "[0] ILIKE [1] ESCAPE '!'",
            B::ILike => "LOWER({0}) LIKE LOWER({1}){c} ESCAPE '!'",
            B::Regex if sqlite => "cormorant_regex({1}, {0})",
            B::Regex if postgres => "[0] ~ [1]",
            B::Regex => "[0] REGEXP <1>{c}",
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
            B::Divide => self.divide(class),
            B::Remainder => return self.remainder(class),
        })
    }

    /// Division: of integers, it keeps the whole part everywhere; of others, SQLite must not take them for integers.
    fn divide(self, class: Class) -> &'static str {
        match (self, class) {
            (Self::MySql | Self::MariaDb, Class::Int) => "[0] DIV [1]",
            (Self::Sqlite, class) if class != Class::Int => "CAST({0} AS REAL) / [1]",
            _ => "[0] / [1]",
        }
    }

    /// The remainder of a division. SQLite cuts both sides to integers; what that does to exact numbers is seen to
    /// where they are written.
    fn remainder(self, class: Class) -> Result<&'static str, Fault> {
        match (self, class) {
            (Self::Sqlite, Class::Float) => Err(Fault::Unsupported {
                what: "SQLite has no remainder of floats".to_owned(),
                instead: "read the value and divide it in the program",
            }),
            (Self::Postgres, Class::Float) => {
                Ok("CAST(MOD(CAST({0} AS numeric), CAST({1} AS numeric)) AS double precision)")
            }
            _ => Ok("[0] % [1]"),
        }
    }

    /// What puts NULL where it is asked for, as a test that is sorted by first.
    pub(crate) fn sorts_nulls_by(self, descending: bool, nulls: Nulls) -> Option<&'static str> {
        match (self.orders_nulls(), nulls, descending) {
            (false, Nulls::First, true) => Some(" IS NOT NULL"),
            (false, Nulls::Last, false) => Some(" IS NULL"),
            _ => None,
        }
    }

    /// What follows an expression that rows are ordered by.
    pub(crate) fn direction(self, descending: bool, nulls: Nulls) -> &'static str {
        match (self.orders_nulls(), nulls, descending) {
            (true, Nulls::First, false) => " NULLS FIRST",
            (true, Nulls::First, true) => " DESC NULLS FIRST",
            (true, Nulls::Last, false) => " NULLS LAST",
            (true, Nulls::Last, true) => " DESC NULLS LAST",
            (_, _, false) => "",
            (_, _, true) => " DESC",
        }
    }

    /// Whether values of these classes are a key in a list that travels as one parameter: what is written before that
    /// parameter, and behind it.
    pub(crate) fn in_list(self, classes: &[Class]) -> (String, String) {
        let elements: Vec<String> = classes.iter().enumerate().map(|(n, class)| self.element(n, *class)).collect();
        let keys = elements.join(", ");
        match (self, classes) {
            (Self::Postgres, [_]) => (" = ANY(".to_owned(), ")".to_owned()),
            (Self::Postgres, _) => {
                (format!(" IN (SELECT {keys} FROM json_array_elements(CAST("), " AS json)) AS l(value))".to_owned())
            }
            (Self::Sqlite, [class]) => {
                (format!(" IN (SELECT {} FROM json_each(", self.decoded("value", *class)), "))".to_owned())
            }
            (Self::Sqlite, _) => (format!(" IN (SELECT {keys} FROM json_each("), "))".to_owned()),
            (_, [class]) => {
                let value = self.decoded("v", *class);
                let ty = self.json_type(*class);
                (format!(" IN (SELECT {value} FROM JSON_TABLE("), format!(", '$[*]' COLUMNS (v {ty} PATH '$')) l)"))
            }
            _ => {
                let columns = classes.iter().enumerate();
                let columns: Vec<String> =
                    columns.map(|(n, class)| format!("v{n} {} PATH '$[{n}]'", self.json_type(*class))).collect();
                let behind = format!(", '$[*]' COLUMNS ({})) l)", columns.join(", "));
                (format!(" IN (SELECT {keys} FROM JSON_TABLE("), behind)
            }
        }
    }

    /// The n-th value of a key in a list of keys.
    fn element(self, n: usize, class: Class) -> String {
        match self {
            Self::Sqlite | Self::Postgres => self.decoded(&format!("value ->> {n}"), class),
            _ => self.decoded(&format!("v{n}"), class),
        }
    }

    /// A value of a list as what was put there: JSON knows numbers and text.
    fn decoded(self, value: &str, class: Class) -> String {
        match (self, class) {
            (Self::Sqlite, Class::Bytes) => format!("unhex({value})"),
            (Self::Sqlite, _) => value.to_owned(),
            (Self::Postgres, Class::Text) => value.to_owned(),
            (Self::Postgres, Class::Bytes) => format!("decode({value}, 'hex')"),
            (Self::Postgres, Class::Timestamp) => format!("CAST(({value}) || '+00' AS timestamptz)"),
            (Self::Postgres, _) => format!("CAST({value} AS {})", self.json_type(class)),
            (_, Class::Bytes) => format!("UNHEX({value})"),
            (_, Class::Text | Class::Uuid) => format!("{value}{}", self.binary_collation()),
            _ => value.to_owned(),
        }
    }

    /// The type that a value of a list is read as.
    fn json_type(self, class: Class) -> &'static str {
        match (self, class) {
            (Self::Postgres, Class::Bool) => "boolean",
            (Self::Postgres, Class::Int) => "bigint",
            (Self::Postgres, Class::Float) => "double precision",
            (Self::Postgres, Class::Decimal) => "numeric",
            (Self::Postgres, Class::Time) => "time",
            (Self::Postgres, Class::DateTime) => "timestamp",
            (Self::Postgres, Class::Uuid) => "uuid",
            (_, Class::Bool | Class::Int) => "BIGINT",
            (_, Class::Float) => "DOUBLE",
            (_, Class::Decimal) => "DECIMAL(65, 30)",
            (_, Class::Date) => "DATE",
            (_, Class::Time) => "TIME(6)",
            (_, Class::DateTime | Class::Timestamp) => "DATETIME(6)",
            (_, Class::Bytes | Class::Text | Class::Uuid) => "LONGTEXT",
        }
    }

    /// A function of so many operands as a template; `None` where it does not take that many.
    pub(crate) fn function(self, function: Function, operands: u8, class: Class) -> Option<&'static str> {
        if function == Function::Round {
            return self.round(operands, class);
        }
        (operands == 1).then(|| self.function_of_one(function))
    }

    fn function_of_one(self, function: Function) -> &'static str {
        use Function as F;
        let sqlite = self == Self::Sqlite;
        let postgres = self == Self::Postgres;
        match function {
            // These take more operands, and are written elsewhere: of one operand they are the operand.
            F::Coalesce | F::Round => "{0}",
            F::Abs => "ABS({0})",
            F::Trim => "TRIM({0})",
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
        }
    }

    /// Half away from zero, and of the class it rounds: PostgreSQL rounds floats half to even and to whole numbers
    /// only, and SQLite makes floats of integers.
    fn round(self, operands: u8, class: Class) -> Option<&'static str> {
        let postgres = self == Self::Postgres;
        let sqlite = self == Self::Sqlite;
        Some(match (operands, class) {
            (1, Class::Int) => "{0}",
            (1, Class::Float) if postgres => "CAST(ROUND(CAST({0} AS numeric)) AS double precision)",
            (1, _) => "ROUND({0})",
            (2, Class::Int) if sqlite => "CAST(ROUND({0}, {1}) AS INTEGER)",
            (2, Class::Int) if postgres => "CAST(ROUND(CAST({0} AS numeric), CAST({1} AS integer)) AS bigint)",
            // The float of 1.005 is a little less than that. Two steps up, which is less than half of what fifteen
            // digits tell apart, it rounds as the number would.
            (2, Class::Decimal) if sqlite => "ROUND(<0> * 1.0000000000000004, {1})",
            (2, Class::Float) if postgres => {
                "CAST(ROUND(CAST({0} AS numeric), CAST({1} AS integer)) AS double precision)"
            }
            (2, _) if postgres => "ROUND({0}, CAST({1} AS integer))",
            (2, _) => "ROUND({0}, {1})",
            _ => return None,
        })
    }
}
