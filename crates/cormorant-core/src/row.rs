//! Rows become values.

use cormorant_driver::{Result, Row};
use cormorant_sql::Value;
use cormorant_sql::schema::{Allowed, ColumnType};

use crate::{Left, Mapper, Model, Record, Scalar, Unstorable};

/// What a field of a model can be: a [`Scalar`], or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a column can hold",
    label = "no column type",
    note = "built in: bool, i8 to i64, u8 to u64, f32, f64, String, Vec<u8>, Decimal, Date, Time, DateTime, Timestamp, Uuid, ForeignKey, and Option of each; `#[derive(DbEnum)]` adds an enum, `impl Scalar` any type, `#[model(skip)]` leaves a field out"
)]
pub trait Field: Sized {
    /// What the column holds.
    const TYPE: ColumnType;
    /// Whether it may be NULL.
    const NULL: bool;
    /// The values it has beside NULL, where they are few.
    const ALLOWED: Option<Allowed>;

    /// Takes the value from the next cell of a row.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the cell holds something else.
    fn load(row: &mut Row<'_>) -> Result<Self>;

    /// The value to bind.
    ///
    /// # Errors
    /// [`Unstorable`] when no column of this type holds the value.
    fn value(&self) -> Result<Value<'_>, Unstorable>;

    /// Makes the value what will be read back.
    fn as_stored(&mut self);
}

impl<T: Scalar> Field for T {
    const TYPE: ColumnType = T::TYPE;
    const NULL: bool = false;
    const ALLOWED: Option<Allowed> = T::ALLOWED;

    #[inline]
    fn load(row: &mut Row<'_>) -> Result<Self> {
        row.read(T::from_cell)
    }

    #[inline]
    fn value(&self) -> Result<Value<'_>, Unstorable> {
        self.to_value()
    }

    fn as_stored(&mut self) {
        if let Some(stored) = Scalar::as_stored(self) {
            *self = stored;
        }
    }
}

impl<T: Scalar> Field for Option<T> {
    const TYPE: ColumnType = T::TYPE;
    const NULL: bool = true;
    const ALLOWED: Option<Allowed> = T::ALLOWED;

    #[inline]
    fn load(row: &mut Row<'_>) -> Result<Self> {
        row.read_option(T::from_cell)
    }

    #[inline]
    fn value(&self) -> Result<Value<'_>, Unstorable> {
        self.as_ref().map_or(Ok(Value::Null), Scalar::to_value)
    }

    fn as_stored(&mut self) {
        if let Some(value) = self {
            Field::as_stored(value);
        }
    }
}

/// What can be made of a row: a value, a tuple, a model, a record, or a struct that derives it.
///
/// # A struct of selected columns
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Item { id: i64, name: String, price: i64 }
///
/// #[derive(FromRow, Debug, PartialEq)]
/// struct Line { name: String, double: i64 }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Item]).wait()?;
/// Item::builder().name("a").price(2).insert(&db).wait()?;
/// let lines = Item::query().select(|i| Line::columns(i.name(), i.price() * 2)).all(&db).wait()?;
/// assert_eq!(lines, [Line { name: "a".into(), double: 4 }]);
/// let lines: Vec<Line> = sql!("SELECT name, price FROM items").all(&db).wait()?;
/// assert_eq!(lines[0].double, 2);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a row cannot become a `{Self}`",
    label = "not made of columns",
    note = "a row becomes a plain value, a tuple of them, a `Record` of a model, or a struct with `#[derive(FromRow)]`"
)]
pub trait FromRow: Sized {
    /// Takes the cells it is made of, from the next one on.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when a cell holds something else.
    fn from_row(row: &mut Row<'_>) -> Result<Self>;
}

impl<M: Model> FromRow for Record<M> {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        <M as Mapper>::load(row).map(Record::loaded)
    }
}

/// A row of an outer join: `None` where its key is NULL.
impl<M: Model> FromRow for Option<Record<M>> {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        crate::support::load_joined::<Left, M>(row)
    }
}

/// Plain values and tuples.
macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: FromRow),*> FromRow for ($($name,)*) {
            #[inline]
            fn from_row(row: &mut Row<'_>) -> Result<Self> {
                Ok(($($name::from_row(row)?,)*))
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);

impl<T: Scalar> FromRow for T {
    #[inline]
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Field::load(row)
    }
}

impl<T: Scalar> FromRow for Option<T> {
    #[inline]
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Field::load(row)
    }
}
