//! The objects of one model, and what a session asks of them without knowing their type.

use std::any::Any;

use cormorant_driver::{Result, Row};
use cormorant_sql::Value;

use crate::foreign_key::Pointer;
use crate::identity::Identity;
use crate::{Columns, Key, Mapper, Unstorable};

/// The objects of one model, by their places.
pub(super) struct Typed<M: Mapper> {
    objects: Vec<Object<M>>,
    /// Columns as they were before each UPDATE of the open transaction, the latest last.
    before: Vec<(u32, Box<M::Snapshot>)>,
    /// An object that was read and has no place yet.
    arrived: Option<M::Entity>,
}

struct Object<M: Mapper> {
    entity: Option<M::Entity>,
    /// The columns as the database holds them, once the object was borrowed mutably.
    base: Option<Box<M::Snapshot>>,
}

impl<M: Mapper> Typed<M> {
    pub(super) fn new() -> Self {
        Self { objects: Vec::new(), before: Vec::new(), arrived: None }
    }

    pub(super) fn put(&mut self, at: u32, entity: M::Entity) {
        let at = at as usize;
        if at >= self.objects.len() {
            self.objects.resize_with(at + 1, || Object { entity: None, base: None });
        }
        if let Some(object) = self.objects.get_mut(at) {
            *object = Object { entity: Some(entity), base: None };
        }
    }

    /// An object was read elsewhere, and has no place yet.
    pub(super) fn arrive(&mut self, entity: M::Entity) {
        self.arrived = Some(entity);
    }

    pub(super) fn get(&self, at: u32) -> Option<&M::Entity> {
        self.objects.get(at as usize)?.entity.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut M::Entity> {
        self.objects.get_mut(at as usize)?.entity.as_mut()
    }

    /// The objects at two places or more, each another.
    pub(super) fn get_disjoint_mut<const N: usize>(&mut self, at: [u32; N]) -> Option<[&mut M::Entity; N]> {
        let objects = self.objects.get_disjoint_mut(at.map(|at| at as usize)).ok()?;
        let mut all = true;
        let entities = objects.map(|object| {
            all &= object.entity.is_some();
            object.entity.as_mut()
        });
        if !all {
            return None;
        }
        let entities: Vec<&mut M::Entity> = entities.into_iter().flatten().collect();
        entities.try_into().ok()
    }

    pub(super) fn take(&mut self, at: u32) -> Option<M::Entity> {
        let object = self.objects.get_mut(at as usize)?;
        object.base = None;
        object.entity.take()
    }
}

/// What a session asks of objects. A place without an object holds nothing, and nothing is done there.
pub(super) trait Entities: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;

    fn value(&self, at: u32, column: u16) -> Result<Value<'_>, Unstorable>;
    fn assign(&mut self, at: u32, column: u16, row: &mut Row<'_>) -> Result<()>;
    fn set_generated_key(&mut self, at: u32, key: i64) -> Result<()>;
    fn pointer(&mut self, at: u32, number: u8) -> Option<&mut dyn Pointer>;

    /// The key now, as values.
    fn identity(&self, at: u32) -> Result<Identity>;
    /// The key of the row in the database, as values.
    fn base_identity(&self, at: u32) -> Result<Identity>;
    /// The key now, as what a foreign key to it takes.
    fn key(&self, at: u32) -> Result<Box<dyn Any>>;

    /// Makes an object ready to be inserted.
    fn prepare(&mut self, at: u32);
    /// The columns that are no longer as the database holds them; their values are made what will be read back.
    fn changed(&mut self, at: u32) -> Columns;

    /// Counts the version one up from what the database holds; gives its column, where there is one.
    fn bump(&mut self, at: u32) -> Option<u16>;

    /// Keeps the columns as they are, which the database holds.
    fn keep(&mut self, at: u32);
    /// The columns are what the database holds now. What it held before is remembered until the transaction ends.
    fn settle(&mut self, at: u32);
    /// Makes the columns what the database holds, as far as is known here.
    fn reset(&mut self, at: u32) -> Result<()>;
    /// Makes the columns what they were before the last [`settle`](Self::settle) of this object.
    fn undo(&mut self, at: u32) -> Result<()>;
    /// The transaction was committed: nothing is undone any more.
    fn committed(&mut self);
    /// What the database holds in the columns of a unique constraint, of an object that was borrowed mutably.
    fn base_values(&self, at: u32, columns: &[u16]) -> Result<Vec<Value<'static>>>;
    /// The columns are what the database holds now, and were never anything else.
    fn forget_base(&mut self, at: u32);
    /// A deleted object gives its row to another one of the same key, which then changes it.
    fn inherit(&mut self, from: u32, to: u32);

    /// Reads an object from a row, and gives its key.
    fn read(&mut self, row: &mut Row<'_>) -> Result<Identity>;
    /// Reads a key from a row.
    fn read_key(&self, row: &mut Row<'_>) -> Result<Identity>;
    /// Puts what was read last in a place.
    fn place(&mut self, at: u32);
}

impl<M: Mapper> Entities for Typed<M> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn value(&self, at: u32, column: u16) -> Result<Value<'_>, Unstorable> {
        self.get(at).map_or(Ok(Value::Null), |entity| M::value(entity, column))
    }

    fn assign(&mut self, at: u32, column: u16, row: &mut Row<'_>) -> Result<()> {
        self.get_mut(at).map_or(Ok(()), |entity| M::assign(entity, column, row))
    }

    fn set_generated_key(&mut self, at: u32, key: i64) -> Result<()> {
        self.get_mut(at).map_or(Ok(()), |entity| M::set_generated_key(entity, key))
    }

    fn pointer(&mut self, at: u32, number: u8) -> Option<&mut dyn Pointer> {
        M::pointer(self.get_mut(at)?, number)
    }

    fn identity(&self, at: u32) -> Result<Identity> {
        self.get(at).map_or_else(|| Ok(Identity::default()), |entity| Identity::of(&M::key(entity)?))
    }

    fn base_identity(&self, at: u32) -> Result<Identity> {
        match self.objects.get(at as usize).and_then(|object| object.base.as_ref()) {
            Some(base) => Identity::of(&M::snapshot_key(base)?),
            None => self.identity(at),
        }
    }

    fn key(&self, at: u32) -> Result<Box<dyn Any>> {
        match self.get(at) {
            Some(entity) => Ok(Box::new(M::key(entity)?)),
            None => Ok(Box::new(())),
        }
    }

    fn prepare(&mut self, at: u32) {
        if let Some(entity) = self.get_mut(at) {
            M::prepare(entity);
            M::as_stored(entity);
        }
    }

    fn changed(&mut self, at: u32) -> Columns {
        match self.objects.get_mut(at as usize) {
            Some(Object { entity: Some(entity), base: Some(base) }) => {
                M::as_stored(entity);
                M::changed(base, entity)
            }
            _ => Columns::none(),
        }
    }

    fn bump(&mut self, at: u32) -> Option<u16> {
        match self.objects.get_mut(at as usize) {
            Some(Object { entity: Some(entity), base: Some(base) }) => {
                M::bump(base, entity, true).map(|(column, _)| column)
            }
            _ => None,
        }
    }

    fn keep(&mut self, at: u32) {
        if let Some(Object { entity: Some(entity), base: base @ None }) = self.objects.get_mut(at as usize) {
            *base = Some(Box::new(M::snapshot(entity)));
        }
    }

    fn settle(&mut self, at: u32) {
        if let Some(base) = self.objects.get_mut(at as usize).and_then(|object| object.base.take()) {
            self.before.push((at, base));
        }
    }

    fn reset(&mut self, at: u32) -> Result<()> {
        match self.objects.get_mut(at as usize) {
            Some(Object { entity: Some(entity), base }) => base.take().map_or(Ok(()), |base| M::restore(entity, *base)),
            _ => Ok(()),
        }
    }

    fn undo(&mut self, at: u32) -> Result<()> {
        let Some(last) = self.before.iter().rposition(|(other, _)| *other == at) else { return Ok(()) };
        let (_, base) = self.before.remove(last);
        self.get_mut(at).map_or(Ok(()), |entity| M::restore(entity, *base))
    }

    fn committed(&mut self) {
        self.before.clear();
    }

    fn base_values(&self, at: u32, columns: &[u16]) -> Result<Vec<Value<'static>>> {
        if columns == M::TABLE.key {
            return Ok(self.base_identity(at)?.0.into_vec());
        }
        let base = self.objects.get(at as usize).and_then(|object| object.base.as_ref());
        let value = |column: &u16| base.map_or(Ok(Value::Null), |base| M::unique_value(base, *column));
        Ok(columns.iter().map(|column| value(column).map_or(Value::Null, Value::into_owned)).collect())
    }

    fn forget_base(&mut self, at: u32) {
        if let Some(object) = self.objects.get_mut(at as usize) {
            object.base = None;
        }
    }

    fn inherit(&mut self, from: u32, to: u32) {
        let base = self.get(from).map(|entity| Box::new(M::snapshot(entity)));
        if let Some(object) = self.objects.get_mut(to as usize) {
            object.base = base;
        }
    }

    fn read(&mut self, row: &mut Row<'_>) -> Result<Identity> {
        let entity = M::load(row)?;
        let identity = Identity::of(&M::key(&entity)?)?;
        self.arrived = Some(entity);
        Ok(identity)
    }

    fn read_key(&self, row: &mut Row<'_>) -> Result<Identity> {
        Identity::of(&M::Key::load(row)?)
    }

    fn place(&mut self, at: u32) {
        if let Some(entity) = self.arrived.take() {
            self.put(at, entity);
        }
    }
}

impl Identity {
    /// The key that a foreign key of these columns points at; none where one of them is NULL, or waits for its value.
    pub(super) fn pointed(entities: &dyn Entities, at: u32, columns: &[u16]) -> Option<Self> {
        let value = |column: &u16| entities.value(at, *column).ok().filter(|value| !value.is_null());
        columns.iter().map(|column| value(column).map(Value::into_owned)).collect::<Option<_>>().map(Self)
    }
}
