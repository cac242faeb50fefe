//! The Unit of Work.

mod above;
mod collections;
mod entities;
mod flush;
mod handle;
mod links;
mod merge;
mod moves;
mod order;
mod plan;
mod reach;
mod read;
mod relations;
mod table;
mod unit;
mod write;

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::atomic::{AtomicU32, Ordering};

use cormorant_driver::{Error, ErrorKind, Pool, Result};

pub use handle::Handle;
pub(crate) use handle::Place;
pub use read::ObjectStream;
pub use table::Objects;
pub use unit::{Savepoint, SessionScope};

use crate::identity::{Identity, Seeded};
use crate::{Columns, IntoModel, Mapper};
use collections::Collection;
use handle::Node;
use links::LinkSet;
use table::{State, Table};
use unit::Unit;

/// A unit of work: it owns the objects of a piece of work, collects what is changed in them, and writes it in as few
/// statements as there can be, in one transaction, in the order that foreign keys ask for.
///
/// [`add`](Self::add) and every read give a [`Handle`]; `session[handle]` borrows the object. One row is one object,
/// whichever way it was reached. Queries write what was changed first, so they find it.
///
/// The session takes a connection and begins a transaction when it first writes; what it read before was read by itself.
/// [`commit`](Self::commit) and [`rollback`](Self::rollback) give the connection back. Dropped, the session rolls back.
///
/// # A unit of work
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
/// let mut session = db.session();
/// let ann = session.add(Author::builder().name("Ann"));
/// let birds = session.add(Book::builder().author(ann).title("Birds")); // the author has no key yet
/// session.commit().wait()?; // BEGIN; INSERT INTO authors …; INSERT INTO books …; COMMIT
///
/// session[birds].title = "Seabirds".into();
/// session.commit().wait()?; // UPDATE books SET title = ? WHERE id = ?
/// session.commit().wait()?; // nothing
/// # Ok(())
/// # }
/// ```
pub struct Session {
    id: u32,
    pool: Pool,
    tables: Vec<Table>,
    types: HashMap<TypeId, u32, Seeded>,
    unit: Unit,
    /// What the open transaction wrote, in order.
    log: Vec<Written>,
    /// Which objects belong to which, of the relations that were asked for.
    collections: Vec<Collection>,
    links: Vec<LinkSet>,
    autoflush: bool,
    /// New objects that were deleted since the last flush: others may point at them.
    dropped: Vec<Node>,
    before: Vec<Hook>,
    after: Vec<Hook>,
    /// Why nothing can be done before a rollback.
    broken: Option<&'static str>,
}

/// What runs before or after a flush.
type Hook = Box<dyn FnMut(&mut Session) -> Result<()> + Send>;

/// What a flush did to an object, to be undone when it is rolled back.
#[derive(Clone, Debug)]
struct Written {
    node: Node,
    what: Wrote,
}

#[derive(Clone, Debug)]
enum Wrote {
    Insert,
    Update,
    Delete,
    /// It was inserted, and its object is not here any more; another one may have been read with this key.
    Lost(Identity),
}

/// What an object is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectState {
    /// It was added, and the next flush inserts it.
    New,
    /// It is as the database holds it, as far as the session knows.
    Clean,
    /// It was changed, and the next flush updates it.
    Changed,
    /// It was deleted, or the next flush deletes it.
    Deleted,
    /// The session has nothing to do with its row any more: it was added and then rolled back.
    Detached,
}

impl Session {
    pub(crate) fn new(pool: &Pool) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            pool: pool.clone(),
            tables: Vec::new(),
            types: HashMap::default(),
            unit: Unit::default(),
            log: Vec::new(),
            collections: Vec::new(),
            links: Vec::new(),
            autoflush: true,
            dropped: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            broken: None,
        }
    }

    /// Adds a new object, or a complete builder: the next flush inserts it.
    pub fn add<X: IntoModel>(&mut self, model: X) -> Handle<X::Model> {
        let unsaved = model.into_unsaved();
        self.put(unsaved.entity, unsaved.omitted)
    }

    /// Adds a new object that a mapper stores: the next flush inserts it.
    pub fn add_to<M: Mapper>(&mut self, entity: M::Entity) -> Handle<M> {
        self.put(entity, Columns::none())
    }

    fn put<M: Mapper>(&mut self, entity: M::Entity, omitted: Columns) -> Handle<M> {
        let number = self.number::<M>();
        let mut at = 0;
        if let Some(table) = self.tables.get_mut(number as usize) {
            at = table.reserve(State::New, omitted);
            table.new.push(at);
            table.stir(at);
            if let Some(typed) = table.typed_mut::<M>() {
                typed.put(at, entity);
            }
        }
        self.handle(Node { table: number, at })
    }

    /// Deletes an object's row with the next flush. One that was only added is not inserted. The object can be read
    /// until it is [forgotten](Self::forget).
    ///
    /// # Panics
    /// When the handle names no object of this session, as indexing does.
    pub fn delete<M: Mapper>(&mut self, handle: Handle<M>) {
        let node = self.node(handle);
        self.doom(node);
    }

    fn doom(&mut self, node: Node) {
        let Some(table) = self.tables.get_mut(node.table as usize) else { return };
        match table.state(node.at) {
            State::New => {
                table.set_state(node.at, State::Detached);
                self.dropped.push(node);
            }
            State::Clean | State::Touched => {
                table.set_state(node.at, State::Doomed);
                table.doomed.push(node.at);
            }
            State::Free | State::Doomed | State::Deleted | State::Detached => {}
        }
    }

    /// What an object is to the session.
    ///
    /// # Panics
    /// When the handle names no object of this session, as indexing does.
    pub fn state<M: Mapper>(&self, handle: Handle<M>) -> ObjectState {
        let node = self.node(handle);
        self.state_of(node).shown()
    }

    /// Whether queries write first what was changed; they do unless this says otherwise.
    pub fn autoflush(&mut self, on: bool) {
        self.autoflush = on;
    }

    /// The objects of a model in one state, in the order they came.
    pub fn objects<M: Mapper>(&self, state: ObjectState) -> Vec<Handle<M>> {
        let Some(number) = self.types.get(&TypeId::of::<M>()).copied() else { return Vec::new() };
        let Some(table) = self.tables.get(number as usize) else { return Vec::new() };
        let at = table.in_state(|state| state != State::Free).filter(|at| table.state(*at).shown() == state);
        at.map(|at| self.handle(Node { table: number, at })).collect()
    }

    /// Runs something before every flush, which may change objects, add some or delete them. An error ends the flush
    /// before anything is sent.
    pub fn before_flush(&mut self, hook: impl FnMut(&mut Session) -> Result<()> + Send + 'static) {
        self.before.push(Box::new(hook));
    }

    /// Runs something after every flush that wrote something. An error fails the flush, which wants a rollback then.
    pub fn after_flush(&mut self, hook: impl FnMut(&mut Session) -> Result<()> + Send + 'static) {
        self.after.push(Box::new(hook));
    }

    /// Takes an object out of the session and gives it back; what was not written of it is not written any more. Its
    /// handle names nothing then. Its row stays as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when the handle names no object of this session.
    pub fn detach<M: Mapper>(&mut self, handle: Handle<M>) -> Result<M::Entity> {
        let node = self.locate(handle)?;
        self.let_go::<M>(node).ok_or_else(|| nothing::<M>("was forgotten"))
    }

    /// Forgets an object that the next flush would not write, and gives it back. Its handle names nothing any more.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] for one that was added, changed or deleted since the last flush.
    pub fn forget<M: Mapper>(&mut self, handle: Handle<M>) -> Result<M::Entity> {
        let node = self.locate(handle)?;
        let what = match self.state_of(node) {
            State::New => "added",
            State::Touched if self.is_changed(node) => "changed",
            State::Doomed => "deleted",
            _ => return self.let_go::<M>(node).ok_or_else(|| nothing::<M>("was forgotten")),
        };
        let message = format!("the {} was {what} and is not written yet: flush the session first", M::NAME);
        Err(Error::new(ErrorKind::Misuse, message).with_model(M::NAME))
    }

    fn let_go<M: Mapper>(&mut self, node: Node) -> Option<M::Entity> {
        if matches!(self.state_of(node), State::Clean | State::Touched | State::Doomed) {
            self.lose(node);
        }
        let table = self.tables.get_mut(node.table as usize)?;
        let inserted = |written: &&mut Written| written.node == node && matches!(written.what, Wrote::Insert);
        if let Some(written) = self.log.iter_mut().find(inserted) {
            written.what = Wrote::Lost(table.entities.base_identity(node.at).unwrap_or_default());
        }
        table.release(node.at);
        let entity = table.typed_mut::<M>()?.take(node.at);
        self.dropped.retain(|other| *other != node);
        // Savepoints count what was written before them.
        let forgotten = |written: &Written| written.node == node && !matches!(written.what, Wrote::Lost(_));
        self.unit.shorten(|mark| self.log.iter().take(mark).filter(|written| forgotten(written)).count());
        self.log.retain(|written| !forgotten(written));
        self.forget_relations_of(node);
        entity
    }

    /// The object.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when the handle is of another session, or its object was forgotten.
    pub fn try_get<M: Mapper>(&self, handle: Handle<M>) -> Result<&M::Entity> {
        let node = self.locate(handle)?;
        let typed = self.tables.get(node.table as usize).and_then(Table::typed::<M>);
        typed.and_then(|typed| typed.get(node.at)).ok_or_else(|| nothing::<M>("was forgotten"))
    }

    /// The object, to be changed.
    ///
    /// # Errors
    /// As [`try_get`](Self::try_get).
    pub fn try_get_mut<M: Mapper>(&mut self, handle: Handle<M>) -> Result<&mut M::Entity> {
        let node = self.locate(handle)?;
        let table = self.tables.get_mut(node.table as usize).ok_or_else(|| nothing::<M>("was forgotten"))?;
        table.touch(node.at);
        let typed = table.typed_mut::<M>().and_then(|typed| typed.get_mut(node.at));
        typed.ok_or_else(|| nothing::<M>("was forgotten"))
    }

    /// Several objects of one model, to be changed together.
    ///
    /// # Panics
    /// When a handle names no object of this session, or two name the same.
    pub fn get_disjoint_mut<M: Mapper, const N: usize>(&mut self, handles: [Handle<M>; N]) -> [&mut M::Entity; N] {
        let nodes = handles.map(|handle| self.node(handle));
        let number = self.number::<M>();
        let typed = self.tables.get_mut(number as usize).and_then(|table| {
            nodes.iter().for_each(|node| table.touch(node.at));
            table.typed_mut::<M>()
        });
        match typed.and_then(|typed| typed.get_disjoint_mut(nodes.map(|node| node.at))) {
            Some(entities) => entities,
            #[allow(clippy::panic, reason = "a fault of the program, as indexing twice is; there is `try_get_mut`")]
            None => panic!("two of the handles name the same {}", M::NAME),
        }
    }

    /// Two objects of two models, to be changed together.
    ///
    /// # Panics
    /// When a handle names no object of this session, or both models are the same.
    pub fn pair_mut<A: Mapper, B: Mapper>(&mut self, a: Handle<A>, b: Handle<B>) -> (&mut A::Entity, &mut B::Entity) {
        let (first, second) = (self.node(a), self.node(b));
        let places = [first.table as usize, second.table as usize];
        let found = self.tables.get_disjoint_mut(places).ok().and_then(|[one, other]| {
            one.touch(first.at);
            other.touch(second.at);
            Some((one.typed_mut::<A>()?.get_mut(first.at)?, other.typed_mut::<B>()?.get_mut(second.at)?))
        });
        match found {
            Some(pair) => pair,
            #[allow(clippy::panic, reason = "a fault of the program, as indexing twice is; there is `try_get_mut`")]
            None => panic!("both are of {}: borrow them with `get_disjoint_mut`", A::NAME),
        }
    }

    /// The number of a mapper's table.
    fn number<M: Mapper>(&mut self) -> u32 {
        let next = u32::try_from(self.tables.len()).unwrap_or(u32::MAX);
        let number = *self.types.entry(TypeId::of::<M>()).or_insert(next);
        if number == next {
            self.tables.push(Table::of::<M>());
        }
        number
    }

    fn handle<M>(&self, node: Node) -> Handle<M> {
        Handle::new(self.place(node))
    }

    fn place(&self, node: Node) -> Place {
        let generation = self.tables.get(node.table as usize).map_or(0, |table| table.generation(node.at));
        Place { session: self.id, node, generation }
    }

    fn state_of(&self, node: Node) -> State {
        self.tables.get(node.table as usize).map_or(State::Free, |table| table.state(node.at))
    }

    fn is_changed(&mut self, node: Node) -> bool {
        self.tables.get_mut(node.table as usize).is_some_and(|table| !table.entities.changed(node.at).is_empty())
    }

    /// The object at a place, where it is there.
    fn find_place(&self, place: Place) -> Result<Node, &'static str> {
        if place.session != self.id {
            return Err("belongs to another session");
        }
        let table = self.tables.get(place.node.table as usize);
        match table.filter(|table| table.generation(place.node.at) == place.generation) {
            Some(table) if table.state(place.node.at) != State::Free => Ok(place.node),
            _ => Err("was forgotten"),
        }
    }

    fn locate<M: Mapper>(&self, handle: Handle<M>) -> Result<Node> {
        self.find_place(handle.place()).map_err(nothing::<M>)
    }

    /// The object of a handle.
    #[track_caller]
    fn node<M: Mapper>(&self, handle: Handle<M>) -> Node {
        match self.find_place(handle.place()) {
            Ok(node) => node,
            #[allow(clippy::panic, reason = "a fault of the program, as an index is; there is `try_get`")]
            Err(why) => panic!("the handle names no {} of this session: its object {why}", M::NAME),
        }
    }
}

fn nothing<M: Mapper>(why: &str) -> Error {
    let message = format!("the handle names no {} of this session: its object {why}", M::NAME);
    Error::new(ErrorKind::Misuse, message).with_model(M::NAME)
}

impl<M: Mapper> Index<Handle<M>> for Session {
    type Output = M::Entity;

    #[track_caller]
    fn index(&self, handle: Handle<M>) -> &M::Entity {
        match self.try_get(handle) {
            Ok(entity) => entity,
            #[allow(clippy::panic, reason = "a fault of the program, as an index is; there is `try_get`")]
            Err(error) => panic!("{error}"),
        }
    }
}

impl<M: Mapper> IndexMut<Handle<M>> for Session {
    #[track_caller]
    fn index_mut(&mut self, handle: Handle<M>) -> &mut M::Entity {
        match self.try_get_mut(handle) {
            Ok(entity) => entity,
            #[allow(clippy::panic, reason = "a fault of the program, as an index is; there is `try_get_mut`")]
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for table in &self.tables {
            map.entry(&table.def.model, &table.in_state(|state| state != State::Free).count());
        }
        map.finish()
    }
}
