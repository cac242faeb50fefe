//! Names for the objects of a session.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::Mapper;

/// Names an object of a session: `session[handle]` borrows it. Copying a handle copies the name, not the object.
///
/// Two handles are equal when they name the same object, and one row is one object in a session.
pub struct Handle<M> {
    place: Place,
    mark: PhantomData<fn() -> M>,
}

impl<M> Handle<M> {
    pub(super) fn new(place: Place) -> Self {
        Self { place, mark: PhantomData }
    }

    pub(crate) fn place(self) -> Place {
        self.place
    }
}

/// Where an object is, of whatever type.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    pub(super) session: u32,
    pub(super) node: Node,
    /// Tells objects apart that were in one place one after the other.
    pub(super) generation: u32,
}

/// An object of one session: its table there, and its place in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Node {
    pub(super) table: u32,
    pub(super) at: u32,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Handle<M> {}

impl<M> PartialEq for Handle<M> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<M> Eq for Handle<M> {}

impl<M> Hash for Handle<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
    }
}

impl<M: Mapper> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", M::NAME, self.place.node.at)
    }
}
