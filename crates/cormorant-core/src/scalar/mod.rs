//! Types that one column holds.

mod builtin;
pub(crate) mod db_enum;

use std::fmt;

use cormorant_sql::Value;
use cormorant_sql::schema::{Allowed, ColumnType};

use cormorant_driver::{Cell, Mismatch};

/// A type that one column holds. Implement it for a type of your own by leaning on a built-in one; an enum derives it,
/// with [`DbEnum`](derive.DbEnum.html).
///
/// # A type of your own
/// ```
/// use cormorant::{Cell, ColumnType, Mismatch, Scalar, Unstorable, Value};
///
/// #[derive(Clone, PartialEq)]
/// struct Email(String);
///
/// impl Scalar for Email {
///     const TYPE: ColumnType = String::TYPE;
///     fn to_value(&self) -> Result<Value<'_>, Unstorable> {
///         self.0.to_value()
///     }
///     fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
///         match cell.text()? {
///             text if text.contains('@') => Ok(Self(text.to_owned())),
///             _ => Err(Mismatch::new("an e-mail address", "text without @")),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a column can hold",
    label = "no column type",
    note = "built in: bool, i8 to i64, u8 to u64, f32, f64, String, Vec<u8>, Decimal, Date, Time, DateTime, Timestamp, Uuid, and Option of each; `#[derive(DbEnum)]` adds an enum, `impl Scalar` any type"
)]
pub trait Scalar: Sized + Clone + PartialEq + Send + Sync + 'static {
    /// What the column holds.
    const TYPE: ColumnType;

    /// The values it has, where they are few: the column gets a CHECK that lets no others in.
    const ALLOWED: Option<Allowed> = None;

    /// The value to bind.
    ///
    /// # Errors
    /// [`Unstorable`] when no column of this type holds the value.
    fn to_value(&self) -> Result<Value<'_>, Unstorable>;

    /// Reads a cell that is not NULL.
    ///
    /// # Errors
    /// [`Mismatch`] when the cell holds something else.
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch>;

    /// The value as it will be read back: timestamps lose what is below a microsecond.
    /// `None` where it already is.
    #[must_use]
    fn as_stored(&self) -> Option<Self> {
        None
    }
}

/// Why a value cannot be stored: the rule, without the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstorable(pub String);

impl fmt::Display for Unstorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unstorable {}
