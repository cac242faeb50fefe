//! A field that points at another model's row.

use std::fmt;

use cormorant_driver::{Cell, Mismatch};
use cormorant_sql::Value;
use cormorant_sql::schema::ColumnType;
use uuid::Uuid;

use crate::{Mapper, Model, Record, Scalar, Unstorable};

/// Points at a row of another model, by its key.
///
/// # Pointing
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Author { id: i64, name: String }
///
/// #[derive(Model)]
/// struct Book { id: i64, author: ForeignKey<Author>, title: String }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Author, Book]).wait()?;
/// let author = Author::builder().name("Ann").insert(&db).wait()?;
/// let book = Book::builder().author(&author).title("Birds").insert(&db).wait()?;
/// assert_eq!(book.author.key(), Some(&author.id));
/// let found = Book::filter(|b| b.author().name().eq("Ann")).one(&db).wait()?;
/// assert_eq!(found.title, "Birds");
/// # Ok(())
/// # }
/// ```
pub struct ForeignKey<M: Mapper> {
    /// `None` while the row it points at has no key.
    key: Option<M::Key>,
}

pub(crate) const UNSAVED: &str = "points at a row that is not saved yet: insert that one first";

impl<M: Mapper> ForeignKey<M> {
    /// Points at the row with this key.
    pub fn to(key: M::Key) -> Self {
        Self { key: Some(key) }
    }

    pub(crate) fn nowhere() -> Self {
        Self { key: None }
    }

    /// The key it points at; `None` while that row is not saved.
    pub fn key(&self) -> Option<&M::Key> {
        self.key.as_ref()
    }
}

impl<M: Mapper> Clone for ForeignKey<M> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone() }
    }
}

impl<M: Mapper> PartialEq for ForeignKey<M> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<M: Mapper> Eq for ForeignKey<M> {}

impl<M: Mapper> fmt::Debug for ForeignKey<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}({key:?})", M::NAME),
            None => write!(f, "{}(not saved)", M::NAME),
        }
    }
}

impl<M: Mapper> Scalar for ForeignKey<M>
where
    M::Key: Scalar,
{
    const TYPE: ColumnType = match <M::Key as Scalar>::TYPE {
        // As long as the key it points at.
        ColumnType::Text { max_length: None } => ColumnType::Text { max_length: Some(255) },
        other => other,
    };

    fn to_value(&self) -> Result<Value<'_>, Unstorable> {
        match &self.key {
            Some(key) => key.to_value(),
            None => Err(Unstorable(UNSAVED.to_owned())),
        }
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        M::Key::from_cell(cell).map(Self::to)
    }
}

impl<M: Model> From<&Record<M>> for ForeignKey<M> {
    fn from(record: &Record<M>) -> Self {
        Self { key: if record.is_saved() { M::key(record).ok() } else { None } }
    }
}

impl<M: Model> From<&mut Record<M>> for ForeignKey<M> {
    fn from(record: &mut Record<M>) -> Self {
        Self::from(&*record)
    }
}

impl<M: Mapper> From<&ForeignKey<M>> for ForeignKey<M> {
    fn from(key: &ForeignKey<M>) -> Self {
        key.clone()
    }
}

/// One per built-in type of key: a generic `From<M::Key>` would overlap with `From<T> for T`.
macro_rules! from_key {
    ($($type:ty),*) => {$(
        impl<M: Mapper<Key = $type>> From<$type> for ForeignKey<M> {
            fn from(key: $type) -> Self {
                Self::to(key)
            }
        }
    )*};
}

from_key!(i8, i16, i32, i64, u8, u16, u32, u64, String, Uuid);

impl<M: Mapper<Key = String>> From<&str> for ForeignKey<M> {
    fn from(key: &str) -> Self {
        Self::to(key.to_owned())
    }
}
