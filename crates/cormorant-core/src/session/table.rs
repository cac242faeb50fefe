//! The objects of one table: their states, and the identity map.

use std::any::TypeId;
use std::collections::HashMap;

use cormorant_driver::{Result, Row};
use cormorant_sql::Value;
use cormorant_sql::schema::TableDef;

use super::ObjectState;
use super::entities::{Entities, Typed};
use crate::identity::{Identity, Seeded};
use crate::{Columns, Mapper};

/// The objects of one table.
pub(crate) struct Table {
    pub(super) def: &'static TableDef,
    pub(super) entities: Box<dyn Entities>,
    pub(super) slots: Vec<Slot>,
    free: Vec<u32>,
    /// Every object whose row is in the database, by its key there.
    identity: HashMap<Identity, u32, Seeded>,
    /// In the order they were added.
    pub(super) new: Vec<u32>,
    /// Borrowed mutably since they were read or written.
    pub(super) touched: Vec<u32>,
    /// To be deleted by the next flush.
    pub(super) doomed: Vec<u32>,
    /// Where its relations lead.
    pub(super) related: fn(u8) -> Option<Objects>,
    /// Whether it is kept track of what its objects point at.
    pub(super) watched: bool,
    /// Watched objects that may point elsewhere since.
    pub(super) stirred: Vec<u32>,
}

/// The objects of a model, none yet. Derived code names the model that a relation leads to.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Objects {
    pub(super) mapper: TypeId,
    pub(super) table: fn() -> Table,
}

impl Objects {
    /// The objects of a mapper.
    pub fn of<M: Mapper>() -> Self {
        Self { mapper: TypeId::of::<M>(), table: Table::of::<M> }
    }
}

/// What is known of an object.
pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) state: State,
    /// Of a new one, the columns that are left to the database.
    pub(super) omitted: Columns,
    /// The database may hold something else.
    pub(super) expired: bool,
    /// The transaction or savepoint in which it was read, 0 for none: rolled back, it says what nobody wrote.
    pub(super) read_in: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// No object.
    Free,
    New,
    Clean,
    Touched,
    /// To be deleted by the next flush.
    Doomed,
    /// Deleted from the database.
    Deleted,
    /// No longer an object of the session; it can be read.
    Detached,
}

impl State {
    /// What the program is told.
    pub(super) fn shown(self) -> ObjectState {
        match self {
            Self::New => ObjectState::New,
            Self::Clean => ObjectState::Clean,
            Self::Touched => ObjectState::Changed,
            Self::Doomed | Self::Deleted => ObjectState::Deleted,
            Self::Free | Self::Detached => ObjectState::Detached,
        }
    }
}

impl Table {
    pub(super) fn of<M: Mapper>() -> Self {
        Self {
            def: M::TABLE,
            entities: Box::new(Typed::<M>::new()),
            slots: Vec::new(),
            free: Vec::new(),
            identity: HashMap::default(),
            new: Vec::new(),
            touched: Vec::new(),
            doomed: Vec::new(),
            related: M::related,
            watched: false,
            stirred: Vec::new(),
        }
    }

    /// Its objects, by their type.
    pub(super) fn typed<M: Mapper>(&self) -> Option<&Typed<M>> {
        self.entities.as_any().downcast_ref()
    }

    pub(super) fn typed_mut<M: Mapper>(&mut self) -> Option<&mut Typed<M>> {
        self.entities.as_any_mut().downcast_mut()
    }

    pub(super) fn state(&self, at: u32) -> State {
        self.slots.get(at as usize).map_or(State::Free, |slot| slot.state)
    }

    pub(super) fn set_state(&mut self, at: u32, state: State) {
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.state = state;
        }
    }

    pub(super) fn generation(&self, at: u32) -> u32 {
        self.slots.get(at as usize).map_or(0, |slot| slot.generation)
    }

    pub(super) fn omitted(&self, at: u32) -> Columns {
        self.slots.get(at as usize).map_or(Columns::none(), |slot| slot.omitted)
    }

    /// A place for an object, which is not there yet.
    pub(super) fn reserve(&mut self, state: State, omitted: Columns) -> u32 {
        if let Some(at) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(at as usize)
        {
            *slot = Slot { generation: slot.generation.wrapping_add(1), state, omitted, expired: false, read_in: 0 };
            return at;
        }
        self.slots.push(Slot { generation: 0, state, omitted, expired: false, read_in: 0 });
        // No session has four thousand million objects.
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn find(&self, identity: &Identity) -> Option<u32> {
        self.identity.get(identity).copied()
    }

    /// Gives the object that had this key before.
    pub(super) fn identify(&mut self, identity: Identity, at: u32) -> Option<u32> {
        self.identity.insert(identity, at)
    }

    /// The row of an object was deleted.
    pub(super) fn bury(&mut self, at: u32) -> Result<()> {
        let identity = self.entities.identity(at)?;
        self.unidentify(&identity, at);
        self.set_state(at, State::Deleted);
        Ok(())
    }

    /// Makes room for the keys of so many more.
    pub(super) fn make_room(&mut self, more: usize) {
        self.identity.reserve(more);
    }

    pub(super) fn unidentify(&mut self, identity: &Identity, at: u32) {
        if self.find(identity) == Some(at) {
            self.identity.remove(identity);
        }
    }

    /// Takes an object over from a row; one that is here already stays as it is, unless it has expired.
    pub(super) fn absorb(&mut self, row: &mut Row<'_>, read_in: u64) -> Result<u32> {
        let identity = self.entities.read(row)?;
        Ok(self.take_in(identity, read_in))
    }

    /// The same, of an object that was read elsewhere.
    pub(super) fn adopt<M: Mapper>(&mut self, entity: M::Entity, read_in: u64) -> Result<u32> {
        let identity = Identity::of(&M::key(&entity)?)?;
        if let Some(typed) = self.typed_mut::<M>() {
            typed.arrive(entity);
        }
        Ok(self.take_in(identity, read_in))
    }

    fn take_in(&mut self, identity: Identity, read_in: u64) -> u32 {
        if let Some(at) = self.find(&identity) {
            if let Some(slot) = self.slots.get_mut(at as usize)
                && slot.expired
                && slot.state == State::Clean
            {
                slot.expired = false;
                slot.read_in = read_in;
                self.entities.place(at);
                self.stir(at);
            }
            return at;
        }
        let at = self.reserve(State::Clean, Columns::none());
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.read_in = read_in;
        }
        self.entities.place(at);
        self.identify(identity, at);
        self.stir(at);
        at
    }

    /// Takes the row that was absorbed last over for its object, unless that was changed.
    pub(super) fn take_over(&mut self, at: u32, read_in: u64) {
        if let Some(slot) = self.slots.get_mut(at as usize)
            && slot.state == State::Clean
        {
            slot.read_in = read_in;
            self.entities.place(at);
            self.stir(at);
        }
    }

    /// Makes a new object ready to be inserted.
    pub(super) fn prepare(&mut self, at: u32) {
        self.entities.prepare(at);
        // A generated key at its type's default is the database's to choose.
        if let Some(key) = self.def.generated_key()
            && matches!(self.entities.value(at, key), Ok(Value::Int(0)))
            && let Some(slot) = self.slots.get_mut(at as usize)
        {
            slot.omitted.add(key);
        }
    }

    /// What was read in a transaction or savepoint, or in one inside it, was rolled back with it.
    pub(super) fn expire_read(&mut self, since: u64) {
        self.slots.iter_mut().filter(|slot| slot.read_in >= since).for_each(|slot| slot.expired = true);
    }

    /// The database may hold something else than the object at a place.
    pub(super) fn expire(&mut self, at: u32) {
        self.stir(at);
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.expired = true;
        }
    }

    /// Whether the next read takes the row of an object over.
    pub(super) fn has_expired(&self, at: u32) -> bool {
        self.slots.get(at as usize).is_some_and(|slot| slot.expired && slot.state == State::Clean)
    }

    /// Notes that an object may point elsewhere.
    pub(super) fn stir(&mut self, at: u32) {
        if self.watched && self.stirred.last() != Some(&at) {
            self.stirred.push(at);
        }
    }

    /// Notes that objects that are not written yet may point at one that has just come.
    pub(super) fn stir_unwritten(&mut self) {
        if self.watched {
            self.stirred.extend(self.new.iter().chain(&self.touched));
        }
    }

    /// Notes that an object is about to change.
    pub(super) fn touch(&mut self, at: u32) {
        self.stir(at);
        if self.state(at) == State::Clean {
            self.entities.keep(at);
            self.set_state(at, State::Touched);
            self.touched.push(at);
        }
    }

    /// An object that was added is none of the session any more, and has no key that the database gave it.
    pub(super) fn detach(&mut self, at: u32) -> Result<()> {
        self.set_state(at, State::Detached);
        match self.def.generated_key() {
            Some(key) if self.omitted(at).contains(key) => self.entities.set_generated_key(at, 0),
            _ => Ok(()),
        }
    }

    /// An object that was to be deleted is not.
    pub(super) fn spare(&mut self, at: u32) {
        if self.state(at) == State::Doomed {
            self.doomed.retain(|other| *other != at);
            self.set_state(at, State::Touched);
            self.entities.keep(at);
            self.touched.push(at);
        }
    }

    /// Takes objects out of the lists that wait for a flush, where their states say that they wait for none.
    pub(super) fn prune(&mut self) {
        let slots = &self.slots;
        let is = |at: &u32, state: State| slots.get(*at as usize).is_some_and(|slot| slot.state == state);
        self.new.retain(|at| is(at, State::New));
        self.touched.retain(|at| is(at, State::Touched));
        self.doomed.retain(|at| is(at, State::Doomed));
    }

    /// Gives a place up, whose object is to be taken out.
    pub(super) fn release(&mut self, at: u32) {
        if let Ok(identity) = self.entities.base_identity(at) {
            self.unidentify(&identity, at);
        }
        // The place may be another object's next, which is in none of these.
        for waiting in [&mut self.new, &mut self.touched, &mut self.doomed] {
            waiting.retain(|other| *other != at);
        }
        self.set_state(at, State::Free);
        self.free.push(at);
    }

    /// Every object in one of some states.
    pub(super) fn in_state(&self, state: fn(State) -> bool) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.slots).filter(move |(_, slot)| state(slot.state)).map(|(at, _)| at)
    }
}
