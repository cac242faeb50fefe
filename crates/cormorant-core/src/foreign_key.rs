//! A field that points at another model's row.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use cormorant_driver::{Cell, Error, ErrorKind, Mismatch, Result, Row};
use cormorant_sql::Value;
use cormorant_sql::schema::{ColumnType, RelationDef};
use uuid::Uuid;

use crate::relation::{not_loaded, words};
use crate::session::{Handle, Place};
use crate::{Key, Model, Record, Scalar, Unstorable};

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
///
/// # A key of several columns
/// The field has as many columns as that key, which `references` names: here `line_order_id` and `line_number`.
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct OrderLine {
///     #[model(key)]
///     order_id: i64,
///     #[model(key)]
///     number: i32,
///     title: String,
/// }
///
/// #[derive(Model)]
/// struct Shipment {
///     id: i64,
///     #[model(references(order_id, number))]
///     line: ForeignKey<OrderLine>,
/// }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![OrderLine, Shipment]).wait()?;
/// let cups = OrderLine::builder().order_id(7).number(1).title("Cups").insert(&db).wait()?;
/// let shipment = Shipment::builder().line(&cups).insert(&db).wait()?;
/// assert_eq!(shipment.line.key(), Some(&(7, 1)));
/// assert_eq!(Shipment::filter(|s| s.line().title().eq("Cups")).count(&db).wait()?, 1);
/// # Ok(())
/// # }
/// ```
pub struct ForeignKey<M: Model> {
    /// `None` while the row it points at has no key.
    key: Option<M::Key>,
    row: Pointed,
}

/// What is known of the row that a foreign key points at.
enum Pointed {
    /// Nothing; which field it stands in, where the library read it.
    NotLoaded(Option<&'static RelationDef>),
    /// The row, a `Record<M>`, shared by all that point at it. Its type is hidden: whether a model is `Send` would
    /// otherwise be asked of every model that it leads to, and the compiler gives up where they are many.
    Loaded(Arc<dyn Any + Send + Sync>),
    /// It was looked for and was not there.
    Missing,
    /// An object of a session, which may have no key yet.
    Object(Place),
}

pub(crate) const UNSAVED: &str = "points at a row that is not saved yet: insert that one first";

impl<M: Model> ForeignKey<M> {
    /// Points at the row with this key.
    pub fn to(key: M::Key) -> Self {
        Self { key: Some(key), row: Pointed::NotLoaded(None) }
    }

    pub(crate) fn nowhere() -> Self {
        Self { key: None, row: Pointed::NotLoaded(None) }
    }

    /// The key it points at; `None` while that row is not saved.
    pub fn key(&self) -> Option<&M::Key> {
        self.key.as_ref()
    }

    /// The row it points at, which several foreign keys may share: load it with [`include`](crate::Query::include) or
    /// [`load`](crate::Record::load).
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`], which says what to write; [`ErrorKind::NotFound`] when the row was not there.
    pub fn get(&self) -> Result<&Record<M>> {
        match &self.row {
            Pointed::Loaded(row) => row.downcast_ref().ok_or_else(|| unread::<M>(None)),
            Pointed::NotLoaded(def) => Err(unread::<M>(*def)),
            Pointed::Object(_) => Err(not_loaded(
                "",
                "",
                "a session has the row: ask it with `session.related(handle, |r| r.relation())`",
            )
            .with_model(M::NAME)),
            Pointed::Missing => Err(Error::new(
                ErrorKind::NotFound,
                "the row that the foreign key points at was not there when it was loaded",
            )
            .with_model(M::NAME)),
        }
    }

    /// Whether the row it points at was loaded.
    pub fn is_loaded(&self) -> bool {
        matches!(self.row, Pointed::Loaded(_))
    }

    /// What loading found.
    pub(crate) fn put(&mut self, row: Option<Arc<Record<M>>>) {
        self.row = row.map_or(Pointed::Missing, |row| Pointed::Loaded(row));
    }
}

fn unread<M: Model>(def: Option<&'static RelationDef>) -> Error {
    let Some(RelationDef { model, field, .. }) = def else {
        let rule = "include it in the query that reads the row, or call `load` on the record";
        return not_loaded("", "", rule).with_model(M::NAME);
    };
    let (letter, word) = words(model);
    let path = format!("|{letter}| {letter}.{field}()");
    not_loaded(model, field, &format!("add `.include({path})` to the query, or call `{word}.load(&db, {path})`"))
}

/// A foreign key that knows which field it stands in. Derived code calls it.
#[doc(hidden)]
pub trait Named: Sized {
    #[must_use]
    fn named(self, def: &'static RelationDef) -> Self;
}

impl<M: Model> Named for ForeignKey<M> {
    #[inline]
    fn named(mut self, def: &'static RelationDef) -> Self {
        self.row = Pointed::NotLoaded(Some(def));
        self
    }
}

impl<M: Model> Named for Option<ForeignKey<M>> {
    #[inline]
    fn named(self, def: &'static RelationDef) -> Self {
        self.map(|key| key.named(def))
    }
}

/// A foreign key, whatever it points at.
#[doc(hidden)]
pub trait Pointer {
    /// The key of the row that it points at, an `M::Key`, where it has one.
    fn key(&self) -> Option<&dyn Any>;

    /// The object of a session that it points at, where it was said so.
    fn object(&self) -> Option<Place>;

    /// Points at an object, whose key is an `M::Key` where it has one; or at nothing, which only an optional one can.
    /// `false` where it cannot.
    fn point(&mut self, at: Option<(Place, Option<&dyn Any>)>) -> bool;
}

impl<M: Model> Pointer for ForeignKey<M> {
    fn key(&self) -> Option<&dyn Any> {
        self.key.as_ref().map(|key| key as &dyn Any)
    }

    fn object(&self) -> Option<Place> {
        match self.row {
            Pointed::Object(place) => Some(place),
            _ => None,
        }
    }

    fn point(&mut self, at: Option<(Place, Option<&dyn Any>)>) -> bool {
        let Some((place, key)) = at else { return false };
        let key = key.map(|key| key.downcast_ref().cloned());
        if matches!(key, Some(None)) {
            return false;
        }
        *self = Self { key: key.flatten(), row: Pointed::Object(place) };
        true
    }
}

impl<M: Model> Pointer for Option<ForeignKey<M>> {
    fn key(&self) -> Option<&dyn Any> {
        self.as_ref().and_then(Pointer::key)
    }

    fn object(&self) -> Option<Place> {
        self.as_ref().and_then(Pointer::object)
    }

    fn point(&mut self, at: Option<(Place, Option<&dyn Any>)>) -> bool {
        if at.is_none() {
            *self = None;
            return true;
        }
        self.get_or_insert_with(ForeignKey::nowhere).point(at)
    }
}

/// Points at an object of a session, saved or not: the session knows its key when it writes.
impl<M: Model> From<Handle<M>> for ForeignKey<M> {
    fn from(handle: Handle<M>) -> Self {
        Self { key: None, row: Pointed::Object(handle.place()) }
    }
}

impl<M: Model> Clone for ForeignKey<M> {
    fn clone(&self) -> Self {
        let row = match &self.row {
            Pointed::NotLoaded(def) => Pointed::NotLoaded(*def),
            Pointed::Loaded(row) => Pointed::Loaded(Arc::clone(row)),
            Pointed::Missing => Pointed::Missing,
            Pointed::Object(place) => Pointed::Object(*place),
        };
        Self { key: self.key.clone(), row }
    }
}

/// Equal keys, whatever was loaded.
impl<M: Model> PartialEq for ForeignKey<M> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<M: Model> Eq for ForeignKey<M> {}

impl<M: Model> fmt::Debug for ForeignKey<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}({key:?})", M::NAME),
            None => write!(f, "{}(not saved)", M::NAME),
        }
    }
}

/// A key of one column.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a key of several columns, `{Self}`, does not fit into one",
    label = "points at a model whose key has several columns",
    note = "name them on the field: `#[model(references(a, b))]`"
)]
pub trait OneColumn: Scalar {}

#[diagnostic::do_not_recommend]
impl<T: Scalar> OneColumn for T {}

impl<M: Model> Scalar for ForeignKey<M>
where
    M::Key: OneColumn,
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

/// A foreign key of several columns. Derived code calls it.
#[doc(hidden)]
pub trait Composite: Sized {
    /// Whether its columns may be NULL.
    const NULL: bool;

    /// Takes it from the next cells of a row.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] when a cell holds something else, or NULL beside one that does not.
    fn load(row: &mut Row<'_>, def: &'static RelationDef) -> Result<Self>;

    /// The value of one of its columns.
    ///
    /// # Errors
    /// [`Unstorable`] when it points at a row that is not saved yet, or no column holds the key.
    fn value(&self, at: usize) -> Result<Value<'_>, Unstorable>;
}

impl<M: Model> Composite for ForeignKey<M> {
    const NULL: bool = false;

    fn load(row: &mut Row<'_>, def: &'static RelationDef) -> Result<Self> {
        M::Key::load(row).map(|key| Self::to(key).named(def))
    }

    fn value(&self, at: usize) -> Result<Value<'_>, Unstorable> {
        match &self.key {
            Some(key) => key.value(at),
            None => Err(Unstorable(UNSAVED.to_owned())),
        }
    }
}

impl<M: Model> Composite for Option<ForeignKey<M>> {
    const NULL: bool = true;

    fn load(row: &mut Row<'_>, def: &'static RelationDef) -> Result<Self> {
        let columns = def.columns.len();
        match (0..columns).filter(|at| row.is_null(*at)).count() {
            0 => <ForeignKey<M> as Composite>::load(row, def).map(Some),
            nulls if nulls == columns => {
                row.go_to(row.position() + columns);
                Ok(None)
            }
            _ => row.read(|_| Err(Mismatch::new("a whole key, or NULL in all of its columns", "NULL in some of them"))),
        }
    }

    fn value(&self, at: usize) -> Result<Value<'_>, Unstorable> {
        self.as_ref().map_or(Ok(Value::Null), |key| key.value(at))
    }
}

impl<M: Model> From<&Record<M>> for ForeignKey<M> {
    fn from(record: &Record<M>) -> Self {
        let key = if record.is_saved() { M::key(record).ok() } else { None };
        Self { key, ..Self::nowhere() }
    }
}

impl<M: Model> From<&mut Record<M>> for ForeignKey<M> {
    fn from(record: &mut Record<M>) -> Self {
        Self::from(&*record)
    }
}

impl<M: Model> From<&ForeignKey<M>> for ForeignKey<M> {
    fn from(key: &ForeignKey<M>) -> Self {
        key.clone()
    }
}

/// One per built-in type of key: a generic `From<M::Key>` would overlap with `From<T> for T`.
macro_rules! from_key {
    ($($type:ty),*) => {$(
        impl<M: Model<Key = $type>> From<$type> for ForeignKey<M> {
            fn from(key: $type) -> Self {
                Self::to(key)
            }
        }
    )*};
}

from_key!(i8, i16, i32, i64, u8, u16, u32, u64, String, Uuid);

/// A key of several columns.
macro_rules! from_tuple {
    ($($name:ident)*) => {
        impl<$($name,)* M: Model<Key = ($($name,)*)>> From<($($name,)*)> for ForeignKey<M> {
            fn from(key: ($($name,)*)) -> Self {
                Self::to(key)
            }
        }
    };
}

from_tuple!(A B);
from_tuple!(A B C);
from_tuple!(A B C D);

impl<M: Model<Key = String>> From<&str> for ForeignKey<M> {
    fn from(key: &str) -> Self {
        Self::to(key.to_owned())
    }
}
