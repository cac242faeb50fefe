//! The relations of objects: reading them, and changing them from both sides.

use std::collections::HashSet;
use std::ptr;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::schema::{ManyDef, RelationDef};
use cormorant_sql::{Kind, Route};

use super::collections::Collection;
use super::handle::Node;
use super::links::LinkSet;
use super::plan::nullable;
use super::table::{Objects, State};
use super::{Handle, Session};
use crate::executor::{Work, statement};
use crate::identity::Identity;
use crate::relation::{MOST_KEYS, Plan, Relation, Step, ToMany, many_query};
use crate::{Mapper, Model, PathOf, problem};

impl Session {
    /// The objects that a relation of an object leads to, changes that are not written yet included. What is here
    /// already takes no statement: the relations of new objects, and what was read before.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush), and of the query.
    pub async fn related<M: Mapper, I: Relation<M>>(
        &mut self,
        handle: Handle<M>,
        relation: impl FnOnce(PathOf<M>) -> I,
    ) -> Result<Vec<Handle<I::Target>>> {
        self.related_all([handle], relation).await
    }

    /// The objects that a relation of several objects leads to, each once. What is not here is read in one statement, and
    /// [`related`](Self::related) takes none for each of them afterwards.
    ///
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Author { id: i64, name: String, books: HasMany<Book> }
    ///
    /// #[derive(Model)]
    /// struct Book { id: i64, author: ForeignKey<Author>, title: String }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Author, Book]).wait()?;
    /// # Author::insert_many(&db, ["Ann", "Bob"].map(|name| Author::builder().name(name))).wait()?;
    /// let mut session = db.session();
    /// let authors = session.all(Author::query()).wait()?;
    /// session.related_all(authors.iter().copied(), |a| a.books()).wait()?; // one statement for all of them
    /// for author in authors {
    ///     let books = session.related(author, |a| a.books()).wait()?; // none
    ///     println!("{} wrote {}", session[author].name, books.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`related`](Self::related).
    pub async fn related_all<M: Mapper, I: Relation<M>>(
        &mut self,
        handles: impl IntoIterator<Item = Handle<M>>,
        relation: impl FnOnce(PathOf<M>) -> I,
    ) -> Result<Vec<Handle<I::Target>>> {
        self.usable()?;
        let mut nodes = handles.into_iter().map(|handle| self.locate(handle)).collect::<Result<Vec<Node>>>()?;
        let include = relation(M::path(Route::ROOT)).to_include();
        for hop in include.route.hops().into_iter().flatten() {
            nodes = self.load(&nodes, &Step::all(hop)).await?;
        }
        if let Some(step) = include.last {
            nodes = self.load(&nodes, &step).await?;
            self.include(&step.plan, nodes.clone()).await?;
        }
        Ok(nodes.into_iter().map(|node| self.handle(node)).collect())
    }

    /// Makes an object belong to another one, by either side of the relation. Nothing is sent before the next flush.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] for links that are rows of a model, with data of their own: add such a row.
    pub async fn link<M: Mapper, T: Model>(
        &mut self,
        handle: Handle<M>,
        relation: impl FnOnce(PathOf<M>) -> ToMany<M, T>,
        to: Handle<T>,
    ) -> Result<()> {
        self.usable()?;
        let (node, other) = (self.locate(handle)?, self.locate(to)?);
        let def = relation(M::path(Route::ROOT)).of_root()?;
        self.change(node, def, other, true)
    }

    /// Takes an object away from another one, by either side of the relation. Nothing is sent before the next flush, which
    /// deletes it where the relation says `#[model(delete_orphans)]` and it was given to no other.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] where the object cannot be without: its foreign key is never NULL.
    pub async fn unlink<M: Mapper, T: Model>(
        &mut self,
        handle: Handle<M>,
        relation: impl FnOnce(PathOf<M>) -> ToMany<M, T>,
        from: Handle<T>,
    ) -> Result<()> {
        self.usable()?;
        let (node, other) = (self.locate(handle)?, self.locate(from)?);
        let def = relation(M::path(Route::ROOT)).of_root()?;
        self.change(node, def, other, false)
    }

    /// Makes exactly these objects belong to another one. Who belonged to it is read first, unless that is known here;
    /// nothing is written before the next flush.
    ///
    /// # Errors
    /// As [`link`](Self::link) and [`unlink`](Self::unlink).
    pub async fn set<M: Mapper, T: Model>(
        &mut self,
        handle: Handle<M>,
        relation: impl FnOnce(PathOf<M>) -> ToMany<M, T>,
        to: impl IntoIterator<Item = Handle<T>>,
    ) -> Result<()> {
        self.usable()?;
        let node = self.locate(handle)?;
        let wanted = to.into_iter().map(|handle| self.locate(handle)).collect::<Result<Vec<Node>>>()?;
        let relation = relation(M::path(Route::ROOT));
        let (number, def) = (relation.number(), relation.of_root()?);
        self.replace(node, number, def, wanted).await
    }

    async fn replace(&mut self, node: Node, number: u8, def: &'static ManyDef, wanted: Vec<Node>) -> Result<()> {
        let now = self.load(&[node], &Step::all(number)).await?;
        let keep: HashSet<Node> = wanted.iter().copied().collect();
        let had: HashSet<Node> = now.iter().copied().collect();
        for gone in now.into_iter().filter(|other| !keep.contains(other)) {
            self.change(node, def, gone, false)?;
        }
        for new in wanted.into_iter().filter(|other| !had.contains(other)) {
            self.change(node, def, new, true)?;
        }
        Ok(())
    }

    /// Puts two objects together, or apart.
    fn change(&mut self, node: Node, def: &'static ManyDef, other: Node, together: bool) -> Result<()> {
        if def.linked {
            let (set, side) = self.links(def, node.table, other.table);
            if let Some(set) = self.links.get_mut(set) {
                match together {
                    true => set.link(side, node.at, other.at),
                    false => set.unlink(side, node.at, other.at),
                }
            }
            return Ok(());
        }
        let source = (def.source)();
        let refuse = |why: String| Err(Error::new(ErrorKind::Misuse, why).with_model(def.model).with_field(def.field));
        if def.there.is_some() {
            let verb = if together { "add" } else { "delete" };
            return refuse(format!("the links are rows of {0}: {verb} a {0}", source.model));
        }
        if !together && !self.belongs(other, def, node) {
            return Ok(());
        }
        if def.delete_orphans && !together {
            self.doom(other);
            return Ok(());
        }
        let at = together.then_some(node);
        if !self.point_at(other, def.here, at)? {
            let field = def.foreign_key().map_or("", |key| key.field);
            return refuse(format!(
                "{}.{field} is never NULL, so an object cannot be without it: delete it, or link it elsewhere",
                source.model
            ));
        }
        Ok(())
    }

    /// Whether an object points at another one by the foreign key of a relation.
    fn belongs(&mut self, node: Node, def: &'static ManyDef, to: Node) -> bool {
        def.foreign_key().is_some_and(|key| self.pointed(node, def.here, key, to.table) == Some(to))
    }

    /// Makes a foreign key of an object point at another one, or at none; `false` where it cannot.
    fn point_at(&mut self, node: Node, relation: u8, at: Option<Node>) -> Result<bool> {
        let key = match at.filter(|at| self.state_of(*at) != State::New) {
            Some(at) => self.tables.get(at.table as usize).map(|table| table.entities.key(at.at)).transpose()?,
            None => None,
        };
        let place = at.map(|at| self.place(at));
        let Some(table) = self.tables.get_mut(node.table as usize) else { return Ok(false) };
        // What was taken away elsewhere, and is given to another here, is no orphan.
        table.spare(node.at);
        let def = table.def.relations.get(usize::from(relation));
        if at.is_none() && !def.is_some_and(|def| nullable(Some(table.def), def)) {
            return Ok(false);
        }
        table.touch(node.at);
        let pointer = table.entities.pointer(node.at, relation);
        Ok(pointer.is_some_and(|pointer| pointer.point(place.map(|place| (place, key.as_deref())))))
    }

    /// Loads relations of objects, and relations of those.
    pub(super) fn include<'a>(&'a mut self, plan: &'a Plan, nodes: Vec<Node>) -> Work<'a, ()> {
        Box::pin(async move {
            for step in &plan.steps {
                let found = self.load(&nodes, step).await?;
                self.include(&step.plan, found).await?;
            }
            Ok(())
        })
    }

    /// The objects that a relation of some objects of one table leads to, each once; what is not here is read in one
    /// statement.
    async fn load(&mut self, nodes: &[Node], step: &Step) -> Result<Vec<Node>> {
        let Some(first) = nodes.first() else { return Ok(Vec::new()) };
        let related = self.tables.get(first.table as usize).and_then(|table| (table.related)(step.relation));
        let Some(related) = related else {
            return Err(Error::new(ErrorKind::Misuse, "the relation cannot be followed in a session"));
        };
        let target = self.number_of(related);
        let def = self.tables.get(first.table as usize).map(|table| table.def);
        let many = step.relation.checked_sub(Route::REVERSE);
        match (many, def) {
            (None, Some(def)) => match def.relations.get(usize::from(step.relation)) {
                Some(relation) => self.load_pointed(nodes, step.relation, relation, target).await,
                None => Ok(Vec::new()),
            },
            (Some(number), Some(def)) => match (def.many)().get(usize::from(number)) {
                Some(many) => self.load_many(nodes, many, target, step).await,
                None => Ok(Vec::new()),
            },
            (_, None) => Ok(Vec::new()),
        }
    }

    /// The objects that a foreign key of some objects points at.
    async fn load_pointed(
        &mut self,
        nodes: &[Node],
        relation: u8,
        def: &'static RelationDef,
        target: u32,
    ) -> Result<Vec<Node>> {
        let mut wanted = Vec::new();
        let mut seen = HashSet::new();
        for node in nodes {
            if let Some(identity) = self.not_here(*node, relation, def, target)
                && seen.insert(identity.clone())
            {
                wanted.push(identity);
            }
        }
        if !wanted.is_empty() {
            self.write_first().await?;
            self.read_keys(target, wanted).await?;
        }
        let mut found = HashSet::new();
        let pointed = nodes.iter().filter_map(|node| self.pointed(*node, relation, def, target));
        Ok(pointed.filter(|node| found.insert(*node)).collect())
    }

    /// The key of the object that a foreign key points at, where it is not here or has expired.
    fn not_here(&mut self, node: Node, relation: u8, def: &'static RelationDef, target: u32) -> Option<Identity> {
        if let Some(object) = self.pointed_object(node, relation) {
            let table = self.tables.get(object.table as usize)?;
            return if table.has_expired(object.at) { table.entities.identity(object.at).ok() } else { None };
        }
        let table = self.tables.get(node.table as usize)?;
        let identity = Identity::pointed(&*table.entities, node.at, def.columns)?;
        let there = self.tables.get(target as usize)?;
        match there.find(&identity) {
            Some(at) if !there.slots.get(at as usize).is_some_and(|slot| slot.expired) => None,
            _ => Some(identity),
        }
    }

    /// The object that a foreign key points at, where it is here.
    fn pointed(&mut self, node: Node, relation: u8, def: &'static RelationDef, target: u32) -> Option<Node> {
        if let Some(object) = self.pointed_object(node, relation) {
            return Some(object);
        }
        let table = self.tables.get(node.table as usize)?;
        let identity = Identity::pointed(&*table.entities, node.at, def.columns)?;
        let at = self.tables.get(target as usize)?.find(&identity)?;
        Some(Node { table: target, at })
    }

    /// The object that a foreign key was told to point at. Where that one was forgotten or has no row any more, its key is
    /// what is left.
    pub(super) fn pointed_object(&mut self, node: Node, relation: u8) -> Option<Node> {
        let place = self.tables.get_mut(node.table as usize)?.entities.pointer(node.at, relation)?.object()?;
        let target = self.find_place(place).ok()?;
        let gone = matches!(self.state_of(target), State::Deleted | State::Detached | State::Free);
        (!gone).then_some(target)
    }

    /// The objects that belong to some objects.
    async fn load_many(
        &mut self,
        nodes: &[Node],
        def: &'static ManyDef,
        target: u32,
        step: &Step,
    ) -> Result<Vec<Node>> {
        let Some(owners) = nodes.first().map(|node| node.table) else { return Ok(Vec::new()) };
        let plain = step.buffer.tokens.is_empty() && step.limit.is_none() && (def.linked || def.there.is_none());
        let known = match def.linked {
            true => Known::Links(self.links(def, owners, target)),
            false => Known::Children(self.collection(def, owners, target)),
        };
        if plain {
            self.sync();
        }
        let unread: Vec<Node> =
            nodes.iter().copied().filter(|node| !(plain && self.is_complete(known, *node))).collect();
        let mut found = Vec::new();
        if !unread.is_empty() {
            self.write_first().await?;
            found = self.read_many(&unread, def, target, step).await?;
            if plain {
                if let Some(table) = self.tables.get_mut(target as usize) {
                    table.stir_unwritten();
                }
                self.sync();
                self.learn(known, &unread, &found);
            }
        }
        let mut seen = HashSet::new();
        let mut once = |node: &Node| seen.insert(*node);
        if !plain {
            return Ok(found.into_iter().map(|(_, node)| node).filter(|node| once(node)).collect());
        }
        let mut related = Vec::new();
        for node in nodes {
            let here: Vec<u32> = match known {
                Known::Links((set, side)) => {
                    self.links.get(set).map_or(Vec::new(), |set| set.of(side, node.at).collect())
                }
                Known::Children(at) => self.collections.get(at).map_or(Vec::new(), |all| all.of(node.at).to_vec()),
            };
            let here = here.into_iter().map(|at| Node { table: target, at });
            related.extend(here.filter(|node| is_alive(self.state_of(*node)) && once(node)));
        }
        Ok(related)
    }

    fn is_complete(&self, known: Known, node: Node) -> bool {
        let learned = match known {
            Known::Links((set, side)) => self.links.get(set).is_some_and(|set| set.is_complete(side, node.at)),
            Known::Children(at) => self.collections.get(at).is_some_and(|all| all.is_complete(node.at)),
        };
        learned || self.state_of(node) == State::New
    }

    /// Takes over which objects belong to which, as the database says.
    fn learn(&mut self, known: Known, owners: &[Node], found: &[(Node, Node)]) {
        match known {
            Known::Links((set, side)) => {
                let Some(set) = self.links.get_mut(set) else { return };
                found.iter().for_each(|(owner, node)| set.found(side, owner.at, node.at));
                owners.iter().for_each(|owner| set.complete(side, owner.at));
            }
            Known::Children(at) => {
                let Some(all) = self.collections.get_mut(at) else { return };
                let mut rest = found;
                while let Some((owner, _)) = rest.first() {
                    let together = rest.iter().take_while(|(other, _)| other == owner).count();
                    let (these, others) = rest.split_at(together);
                    let order: Vec<u32> = these.iter().map(|(_, node)| node.at).collect();
                    all.sort(owner.at, &order);
                    rest = others;
                }
                owners.iter().for_each(|owner| all.complete(owner.at));
            }
        }
    }

    /// Reads the objects that belong to some objects, each with the one it belongs to.
    async fn read_many(
        &mut self,
        owners: &[Node],
        def: &'static ManyDef,
        target: u32,
        step: &Step,
    ) -> Result<Vec<(Node, Node)>> {
        let mut found = Vec::new();
        for owners in owners.chunks(MOST_KEYS) {
            let Some(owner) = owners.first().map(|node| node.table) else { continue };
            let Some(table) = self.tables.get(owner as usize) else { continue };
            let mut keys = Vec::with_capacity(owners.len());
            for node in owners.iter().filter(|node| matches!(table.state(node.at), State::Clean | State::Touched)) {
                keys.push(table.entities.base_identity(node.at)?);
            }
            if keys.is_empty() {
                continue;
            }
            let query = many_query(def, step, keys.into_iter().map(Identity::whole).collect(), self.pool.dialect())?;
            let Self { tables, unit, pool, .. } = self;
            let read_in = unit.number();
            let mut sink = |row: &mut Row<'_>| {
                let Some(table) = tables.get_mut(target as usize) else { return Ok(()) };
                let at = table.absorb(row, read_in)?;
                // One that was here before its owner has to be looked at again.
                table.stir(at);
                row.go_to(query.key_at);
                let Some(table) = tables.get_mut(owner as usize) else { return Ok(()) };
                if let Some(of) = table.find(&table.entities.read_key(row)?) {
                    found.push((Node { table: owner, at: of }, Node { table: target, at }));
                }
                Ok(())
            };
            let source = (def.source)();
            let statement = statement(Kind::Select, source, &query.buffer.tokens);
            let done = unit.target(pool).run(&statement, &query.buffer.values, &mut sink).await;
            done.map_err(|error| problem::of_query(error, (def.target)()))?;
        }
        Ok(found)
    }

    /// What is known of the links of a relation, and the side that its owner is on.
    fn links(&mut self, def: &'static ManyDef, owners: u32, others: u32) -> (usize, usize) {
        let side = usize::from(def.here);
        let source = (def.source)();
        let known = self.links.iter().position(|set| ptr::eq(set.def, source));
        let at = known.unwrap_or_else(|| {
            let tables = if side == 0 { [owners, others] } else { [others, owners] };
            self.links.push(LinkSet::new(source, tables));
            self.links.len() - 1
        });
        (at, side)
    }

    /// What is known of who points at whom by the foreign key of a relation.
    fn collection(&mut self, def: &'static ManyDef, parents: u32, children: u32) -> usize {
        let same = |all: &Collection| (all.children, all.relation, all.parents) == (children, def.here, parents);
        if let Some(known) = self.collections.iter().position(same) {
            return known;
        }
        self.collections.push(Collection::new(children, def.here, parents));
        if let Some(table) = self.tables.get_mut(children as usize) {
            table.watched = true;
            table.stirred = table.in_state(is_alive).collect();
        }
        self.collections.len() - 1
    }

    /// Notes where foreign keys point now, of objects that may have been changed since.
    pub(super) fn sync(&mut self) {
        for number in 0..self.tables.len() as u32 {
            let Some(table) = self.tables.get_mut(number as usize).filter(|table| table.watched) else { continue };
            let def = table.def;
            let stirred = std::mem::take(&mut table.stirred);
            for all in 0..self.collections.len() {
                let Some(Collection { children, relation, parents, .. }) = self.collections.get(all) else { continue };
                let (relation, parents) = (*relation, *parents);
                let Some(key) = def.relations.get(usize::from(relation)).filter(|_| *children == number) else {
                    continue;
                };
                for at in &stirred {
                    let node = Node { table: number, at: *at };
                    // One that has expired may point elsewhere: who reads it will tell.
                    let expired = self.tables.get(number as usize).is_some_and(|table| table.has_expired(*at));
                    let parent = match is_alive(self.state_of(node)) && !expired {
                        true => self.pointed(node, relation, key, parents).map(|node| node.at),
                        false => None,
                    };
                    if let Some(all) = self.collections.get_mut(all) {
                        all.set(*at, parent);
                    }
                }
            }
        }
    }

    /// The number of the table that a relation leads to.
    fn number_of(&mut self, related: Objects) -> u32 {
        let Objects { mapper, table } = related;
        let next = u32::try_from(self.tables.len()).unwrap_or(u32::MAX);
        let number = *self.types.entry(mapper).or_insert(next);
        if number == next {
            self.tables.push(table());
        }
        number
    }

    /// What is known of relations is no longer so.
    pub(super) fn forget_relations(&mut self) {
        self.collections.clear();
        self.links.clear();
        for table in &mut self.tables {
            table.watched = false;
            table.stirred.clear();
        }
    }

    /// An object is about to be forgotten, and its row stays: those that it belongs to are not all known any more.
    pub(super) fn lose(&mut self, node: Node) {
        self.sync();
        let moved = self.state_of(node) == State::Touched;
        self.collections.iter_mut().for_each(|all| all.lose(node.table, node.at, moved));
        self.links.iter_mut().for_each(|set| set.lose(node.table, node.at));
    }

    /// An object is none of the session any more, or has no row.
    pub(super) fn forget_relations_of(&mut self, node: Node) {
        self.collections.iter_mut().for_each(|all| all.forget(node.table, node.at));
        self.links.iter_mut().for_each(|set| set.forget(node.table, node.at));
    }
}

/// Where a relation is kept in memory.
#[derive(Clone, Copy)]
enum Known {
    Links((usize, usize)),
    Children(usize),
}

pub(super) fn is_alive(state: State) -> bool {
    matches!(state, State::New | State::Clean | State::Touched)
}
