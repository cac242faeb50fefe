//! One row as an Active Record.

mod batch;
mod delete;
mod find;
mod get_or_insert;
mod insert;
mod keys;
mod many;
mod read_back;
mod refresh;
mod save;
mod unique;
mod update_many;
mod update_rows;
mod upsert;
mod upsert_many;

use std::fmt;
use std::ops::{Deref, DerefMut};

use cormorant_driver::{Error, ErrorKind};
use cormorant_sql::Value;
use cormorant_sql::schema::TableDef;

pub(crate) use batch::{Batch, insert_batches};
pub(crate) use find::find;
pub use get_or_insert::get_or_insert;
pub(crate) use insert::insert_many;
pub use unique::UniqueColumns;
pub(crate) use unique::{Unique, is_unique};
pub(crate) use update_many::update_many;
pub(crate) use update_rows::{before, finds_fewer, stale_rows, update_rows};
pub use upsert::upsert;
pub(crate) use upsert_many::upsert_many;

use crate::{Columns, Model, Unsaved};

/// A row and its model: derefs to the model, remembers what the database holds, and writes only what changed.
///
/// The first mutable borrow after loading or saving keeps a copy of the columns; reading copies nothing.
///
/// # Load, change, save
/// ```
/// use cormorant::prelude::*;
/// #[derive(Model, Debug, PartialEq)]
/// struct Item { id: i64, name: String, stock: i32 }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Item]).wait()?;
/// let mut item = Record::new(Item { id: 0, name: "Cup".into(), stock: 1 });
/// item.save(&db).wait()?; // INSERT
/// item.stock += 1;
/// item.save(&db).wait()?; // UPDATE items SET stock = ? WHERE id = ?
/// item.save(&db).wait()?; // nothing
/// item.delete(&db).wait()?;
/// assert!(item.save(&db).wait().unwrap_err().is_stale());
/// # Ok(())
/// # }
/// ```
///
/// To borrow two fields at once, borrow the model first: `let item = &mut *record;`.
pub struct Record<M: Model> {
    entity: M,
    state: State<M>,
}

enum State<M: Model> {
    /// Not in the database yet; columns that are left to its defaults, where there are any.
    New(Option<Box<Columns>>),
    /// As the database holds it.
    Clean,
    /// Borrowed mutably since; the columns as the database holds them.
    Touched(Box<M::Snapshot>),
    /// No longer in the database.
    Deleted,
}

impl<M: Model> Record<M> {
    /// A record of a row that is not in the database yet: `save` inserts it.
    pub fn new(entity: M) -> Self {
        Self { entity, state: State::New(None) }
    }

    /// A record of a row that is not in the database yet, and of what is left to its defaults.
    pub(crate) fn unsaved(unsaved: Unsaved<M>) -> Self {
        let omitted = (!unsaved.omitted.is_empty()).then(|| Box::new(unsaved.omitted));
        Self { entity: unsaved.entity, state: State::New(omitted) }
    }

    /// A record of a row that was just read.
    #[inline]
    pub(crate) fn loaded(entity: M) -> Self {
        Self { entity, state: State::Clean }
    }

    /// Whether the row is in the database, as far as this record knows.
    pub fn is_saved(&self) -> bool {
        matches!(self.state, State::Clean | State::Touched(_))
    }

    /// Whether saving would write something.
    pub fn is_changed(&self) -> bool {
        match &self.state {
            State::New(_) => true,
            State::Clean | State::Deleted => false,
            State::Touched(snapshot) => !M::changed(snapshot, &self.entity).is_empty(),
        }
    }

    /// The model itself; what the record remembers is forgotten.
    pub fn into_inner(self) -> M {
        self.entity
    }

    /// The model, for what changes no column: its relations.
    pub(crate) fn unchanged(&mut self) -> &mut M {
        &mut self.entity
    }

    /// The key of the row in the database: the one it was read with, should the model's have changed.
    fn stored_key(&self) -> cormorant_driver::Result<M::Key> {
        match &self.state {
            State::Touched(snapshot) => M::snapshot_key(snapshot),
            _ => M::key(&self.entity),
        }
    }
}

impl<M: Model> Deref for Record<M> {
    type Target = M;

    #[inline]
    fn deref(&self) -> &M {
        &self.entity
    }
}

impl<M: Model> DerefMut for Record<M> {
    fn deref_mut(&mut self) -> &mut M {
        if matches!(self.state, State::Clean) {
            self.state = State::Touched(Box::new(M::snapshot(&self.entity)));
        }
        &mut self.entity
    }
}

impl<M: Model + Clone> Clone for Record<M> {
    /// A record of the same row. It remembers the same: what one saves, the other does not know.
    fn clone(&self) -> Self {
        let state = match &self.state {
            State::New(omitted) => State::New(omitted.clone()),
            State::Clean => State::Clean,
            State::Deleted => State::Deleted,
            State::Touched(snapshot) => State::Touched(Box::new(M::copy(snapshot))),
        };
        Self { entity: self.entity.clone(), state }
    }
}

impl<M: Model + fmt::Debug> fmt::Debug for Record<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entity.fmt(f)
    }
}

impl<M: Model + PartialEq> PartialEq for Record<M> {
    /// Equal models, whatever the records remember.
    fn eq(&self, other: &Self) -> bool {
        self.entity == other.entity
    }
}

impl<M: Model + PartialEq> PartialEq<M> for Record<M> {
    fn eq(&self, other: &M) -> bool {
        self.entity == *other
    }
}

/// What to say where a write found only some of its rows, whose keys these are.
#[cold]
pub(crate) fn stale<'k>(
    table: &'static TableDef,
    found: u64,
    mut keys: impl ExactSizeIterator<Item = &'k [Value<'k>]>,
    what: &str,
) -> Error {
    let wanted = keys.len() as u64;
    // A number is shown; a text could be anything.
    let secret = table.key_columns().any(|column| column.secret);
    let which = match keys.next() {
        Some([Value::Int(key)]) if wanted == 1 && !secret => format!("the row with key {key} is"),
        _ if wanted == 1 => "the row is".to_owned(),
        _ => format!("{} of {wanted} rows are", wanted.saturating_sub(found)),
    };
    let message = match table.version() {
        None => format!(
            "{which} not there any more, so nothing was {what}: someone deleted what was read, or changed its key"
        ),
        Some(_) => format!("{which} not as read any more, so nothing was {what}: someone changed or deleted it since"),
    };
    Error::new(ErrorKind::Stale, message).with_model(table.model)
}

/// The same, of the one row of a record.
fn stale_record<M: Model>(key: &M::Key, what: &str) -> Error {
    use crate::Key as _;
    let mut values = Vec::new();
    // Without a key that can be told, it is a row.
    _ = key.values(|value| values.push(value));
    stale(M::TABLE, 0, std::iter::once(&*values), what)
}

fn deleted<M: Model>() -> Error {
    Error::new(
        ErrorKind::Stale,
        "the row was deleted through this record: `Record::new(record.into_inner())` makes a new one",
    )
    .with_model(M::NAME)
}
