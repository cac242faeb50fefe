//! Carrying out what a flush writes.

use std::collections::{HashMap, HashSet};
use std::ptr;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::{OnDelete, RelationDef, TableDef};

use super::collections::Collection;
use super::handle::Node;
use super::links::LinkSet;
use super::moves::Moves;
use super::plan::{Plan, Rows, relations};
use super::relations::is_alive;
use super::table::{State, Table};
use super::write::{Held, Links};
use super::{Hook, Session, Written, Wrote, write};
use crate::Columns;
use crate::identity::{Identity, Seeded};

impl Session {
    /// Writes what was changed, without a commit: what was added is inserted, parents first; what was changed is
    /// updated; what was deleted is deleted, children first.
    ///
    /// # Errors
    /// [`ErrorKind::Validation`], and for objects that point at each other where no foreign key may be NULL
    /// [`ErrorKind::Misuse`], before anything is sent. [`ErrorKind::Stale`] when a row is gone, and the
    /// database's: the session does nothing then before a [`rollback`](Self::rollback), which takes back what the flush
    /// did, in memory too.
    pub async fn flush(&mut self) -> Result<()> {
        self.usable()?;
        self.run_hooks(|session| &mut session.before)?;
        let plan = self.plan()?;
        if plan.is_empty() {
            return Ok(());
        }
        self.unit.begin(&self.pool).await?;
        // Dropped from here on, or failed, it was not done.
        self.broken = Some("a flush did not come to its end");
        self.carry_out(plan).await?;
        self.run_hooks(|session| &mut session.after)?;
        self.broken = None;
        Ok(())
    }

    /// Runs what was asked for before or after a flush.
    fn run_hooks(&mut self, which: fn(&mut Self) -> &mut Vec<Hook>) -> Result<()> {
        let mut hooks = std::mem::take(which(self));
        let result = hooks.iter_mut().try_for_each(|hook| hook(self));
        // One that a hook added comes behind them.
        hooks.append(which(self));
        *which(self) = hooks;
        result
    }

    /// Refuses work after a flush that failed.
    pub(super) fn usable(&self) -> Result<()> {
        match self.broken {
            None => Ok(()),
            Some(why) => Err(Error::new(
                ErrorKind::TransactionPoisoned,
                format!("{why}, so memory and the database may differ: call `session.rollback()` first"),
            )),
        }
    }

    /// Gives a foreign key the key of the object it points at.
    pub(super) fn point(&mut self, node: Node, relation: u8, target: Node) -> Result<()> {
        let Some(table) = self.tables.get(target.table as usize) else { return Ok(()) };
        let key = table.entities.key(target.at)?;
        let place = self.place(target);
        if let Some(pointer) = self.table(node.table).and_then(|table| table.entities.pointer(node.at, relation)) {
            pointer.point(Some((place, Some(&*key))));
        }
        Ok(())
    }

    /// Gives the foreign keys of rows that are about to be written the keys of the objects they point at.
    fn point_all(&mut self, rows: &Rows) -> Result<()> {
        let Some(def) = self.tables.get(rows.table as usize).map(|table| table.def) else { return Ok(()) };
        for (relation, def) in relations(def) {
            for at in &rows.rows {
                // A new one that is still without a key was held.
                self.pointed_new(Node { table: rows.table, at: *at }, relation, def)?;
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, mut plan: Plan) -> Result<()> {
        let mut gone = Vec::new();
        let switched = !plan.moves.switches.is_empty();
        for (old, new) in &plan.moves.switches {
            let Self { tables, log, .. } = self;
            let Some(table) = tables.get_mut(old.table as usize) else { continue };
            let identity = table.entities.identity(old.at)?;
            table.set_state(old.at, State::Deleted);
            table.set_state(new.at, State::Clean);
            table.identify(identity, new.at);
            log.extend([(*old, Wrote::Delete), (*new, Wrote::Insert)].map(|(node, what)| Written { node, what }));
        }
        if !plan.moves.deletes.is_empty() {
            // Once: a new row may have the key of one that is deleted here.
            self.write_loosened(&std::mem::take(&mut plan.loosened)).await?;
            let early = plan.deletes.iter_mut().map(|rows| rows.split(&plan.moves.deletes)).collect();
            self.delete_rows(early, &plan.taken, &mut gone).await?;
        }
        for (node, columns, value) in std::mem::take(&mut plan.moves.updates) {
            let Self { tables, unit, pool, .. } = self;
            let Some(table) = tables.get_mut(node.table as usize) else { continue };
            write::move_value(unit.target(pool), table, node.at, &columns, value).await?;
        }
        let held: Held =
            plan.held.iter().flat_map(|(node, def)| def.columns.iter().map(|column| (*node, *column))).collect();
        let inserts = self.levels(plan.inserts);
        for level in inserts {
            self.insert_level(level, &held, &mut gone).await?;
        }
        self.write_held(&plan.held).await?;
        self.update_rows(plan.updates, &plan.moves).await?;
        // Links of what went with early deletes would point at rows that are gone.
        self.follow_deleted(std::mem::take(&mut gone))?;
        self.write_links().await?;
        self.write_loosened(&plan.loosened).await?;
        self.delete_rows(plan.deletes, &plan.taken, &mut gone).await?;
        self.follow_deleted(gone)?;
        self.tables.iter_mut().for_each(Table::prune);
        if switched {
            // Whoever belonged to the old object belongs to the new one.
            self.forget_relations();
        }
        Ok(())
    }

    /// New rows that can be written together: none points at a table of another one.
    fn levels(&self, inserts: Vec<Rows>) -> Vec<Vec<Rows>> {
        let mut levels: Vec<Vec<Rows>> = Vec::new();
        for rows in inserts {
            let def = self.tables.get(rows.table as usize).map(|table| table.def);
            let is_above = |other: &Rows| {
                self.tables.get(other.table as usize).is_some_and(|above| {
                    def.is_some_and(|def| ptr::eq(def, above.def))
                        || relations(def).any(|(_, relation)| ptr::eq((relation.target)(), above.def))
                })
            };
            match levels.last_mut().filter(|level| !level.iter().any(is_above)) {
                Some(level) => level.push(rows),
                None => levels.push(vec![rows]),
            }
        }
        levels
    }

    async fn insert_level(&mut self, level: Vec<Rows>, held: &Held, gone: &mut Vec<Node>) -> Result<()> {
        level.iter().try_for_each(|rows| self.point_all(rows))?;
        let Self { tables, unit, pool, .. } = self;
        write::insert(unit.target(pool), tables, &level, held).await?;
        for rows in level {
            let Self { tables, log, .. } = self;
            let Some(table) = tables.get_mut(rows.table as usize) else { continue };
            let mark = log.len();
            table.make_room(rows.rows.len());
            for at in rows.rows {
                table.set_state(at, State::Clean);
                let identity = table.entities.identity(at)?;
                if let Some(before) = table.identify(identity, at).filter(|before| table.state(*before) == State::Clean)
                {
                    // Its row was there no more: somebody deleted it, or it went with another one.
                    let node = Node { table: rows.table, at: before };
                    table.set_state(before, State::Deleted);
                    log.push(Written { node, what: Wrote::Delete });
                    gone.push(node);
                }
                log.push(Written { node: Node { table: rows.table, at }, what: Wrote::Insert });
            }
            self.know_new(rows.table, mark);
        }
        Ok(())
    }

    async fn update_rows(&mut self, updates: Vec<(Rows, Columns)>, moves: &Moves) -> Result<()> {
        updates.iter().try_for_each(|(rows, _)| self.point_all(rows))?;
        let Self { tables, unit, pool, log, collections, .. } = self;
        write::update(unit.target(pool), tables, &updates).await?;
        for (rows, _) in updates {
            let Some(table) = tables.get_mut(rows.table as usize) else { continue };
            for at in rows.rows {
                let node = Node { table: rows.table, at };
                if moves.switches.iter().any(|(_, new)| *new == node) {
                    table.entities.forget_base(at);
                    continue;
                }
                let before = table.entities.base_identity(at)?;
                table.unidentify(&before, at);
                table.entities.settle(at);
                let identity = table.entities.identity(at)?;
                table.identify(identity, at);
                table.set_state(at, State::Clean);
                log.push(Written { node, what: Wrote::Update });
                if table.has_expired(at) {
                    // Where it points is the database's to say now, also for those that are new.
                    table.stir(at);
                    collections.iter_mut().filter(|all| all.children == rows.table).for_each(Collection::expire);
                }
            }
        }
        Ok(())
    }

    async fn delete_rows(&mut self, groups: Vec<Rows>, taken: &HashSet<Node>, gone: &mut Vec<Node>) -> Result<()> {
        let Self { tables, unit, pool, log, .. } = self;
        write::delete(unit.target(pool), tables, &groups, taken).await?;
        for rows in groups {
            let Some(table) = tables.get_mut(rows.table as usize) else { continue };
            for at in rows.rows {
                table.bury(at)?;
                let node = Node { table: rows.table, at };
                log.push(Written { node, what: Wrote::Delete });
                gone.push(node);
            }
        }
        Ok(())
    }

    /// Whatever belongs to objects that were just inserted is known: nobody else could point at them.
    fn know_new(&mut self, number: u32, mark: usize) {
        for written in self.log.get(mark..).unwrap_or_default() {
            let at = written.node.at;
            self.collections.iter_mut().filter(|all| all.parents == number).for_each(|all| all.complete(at));
            for set in &mut self.links {
                let sides = set.tables;
                (0..).zip(sides).filter(|(_, table)| *table == number).for_each(|(side, _)| set.complete(side, at));
            }
        }
    }

    /// What the database did to rows that pointed at deleted ones is done to their objects as well.
    fn follow_deleted(&mut self, mut gone: Vec<Node>) -> Result<()> {
        while !gone.is_empty() {
            let mut deleted: HashMap<Identity, Vec<Node>, Seeded> = HashMap::default();
            for node in std::mem::take(&mut gone) {
                self.forget_relations_of(node);
                if let Some(table) = self.tables.get(node.table as usize) {
                    deleted.entry(table.entities.identity(node.at)?).or_default().push(node);
                }
            }
            for number in 0..self.tables.len() as u32 {
                for (relation, def) in relations(self.table(number).map(|table| table.def)) {
                    if matches!(def.on_delete, OnDelete::Cascade | OnDelete::SetNull) {
                        self.follow_foreign_key(number, relation, def, &deleted, &mut gone)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn follow_foreign_key(
        &mut self,
        number: u32,
        relation: u8,
        def: &'static RelationDef,
        deleted: &HashMap<Identity, Vec<Node>, Seeded>,
        gone: &mut Vec<Node>,
    ) -> Result<()> {
        let target = (def.target)();
        let is_target = |node: &&Node| self.def(**node).is_some_and(|def| ptr::eq(def, target));
        if !deleted.values().flatten().any(|node| is_target(&node)) {
            return Ok(());
        }
        let Some(table) = self.tables.get(number as usize) else { return Ok(()) };
        let mut pointing: Vec<(u32, Node)> = table
            .in_state(|state| state == State::Clean)
            .filter_map(|at| {
                let nodes = deleted.get(&Identity::pointed(&*table.entities, at, def.columns)?)?;
                nodes.iter().find(is_target).map(|node| (at, *node))
            })
            .collect();
        // A new row may have the key of one that was deleted before it came.
        pointing.retain(|(at, deleted)| {
            let object = self.pointed_object(Node { table: number, at: *at }, relation);
            object.is_none_or(|object| object == *deleted || !is_alive(self.state_of(object)))
        });
        let Self { tables, log, .. } = self;
        let Some(table) = tables.get_mut(number as usize) else { return Ok(()) };
        for (at, _) in pointing {
            let node = Node { table: number, at };
            if def.on_delete == OnDelete::Cascade {
                table.bury(at)?;
                log.push(Written { node, what: Wrote::Delete });
                gone.push(node);
            } else {
                table.entities.keep(at);
                if let Some(pointer) = table.entities.pointer(at, relation) {
                    pointer.point(None);
                }
                table.entities.settle(at);
                table.stir(at);
                log.push(Written { node, what: Wrote::Update });
            }
        }
        Ok(())
    }

    /// Writes the links that were added or taken away. Those of objects that are gone went with them, or never came.
    async fn write_links(&mut self) -> Result<()> {
        let Self { tables, unit, pool, links, .. } = self;
        let mut changed = Vec::new();
        for set in links.iter() {
            let [first, second] = set.tables;
            let alive = |[a, b]: &[u32; 2]| {
                let saved = |number: u32, at: u32| {
                    let state = tables.get(number as usize).map(|table| table.state(at));
                    matches!(state, Some(State::Clean | State::Touched))
                };
                saved(first, *a) && saved(second, *b)
            };
            let key = |number: u32, at: u32| match tables.get(number as usize) {
                Some(table) => table.entities.identity(at),
                None => Ok(Identity::default()),
            };
            let keys = |pairs: Vec<[u32; 2]>| -> Result<Vec<[Identity; 2]>> {
                pairs
                    .into_iter()
                    .filter(|pair| alive(pair))
                    .map(|[a, b]| Ok([key(first, a)?, key(second, b)?]))
                    .collect()
            };
            let [added, removed] = set.changes();
            changed.push(Links { table: set.def, removed: keys(removed)?, added: keys(added)? });
        }
        write::link(unit.target(pool), changed).await?;
        links.iter_mut().for_each(LinkSet::written);
        Ok(())
    }

    /// Writes the foreign keys that had to wait until the rows they point at were there.
    async fn write_held(&mut self, held: &[(Node, &'static RelationDef)]) -> Result<()> {
        let mut groups = Vec::new();
        for (rows, def) in by_field(held) {
            self.point_all(&rows)?;
            let mut columns = Columns::none();
            columns.extend(def.columns);
            groups.push((rows, columns));
        }
        write::update(self.unit.target(&self.pool), &self.tables, &groups).await
    }

    /// Takes the foreign keys away that hold rows which are about to be deleted.
    async fn write_loosened(&mut self, loosened: &[(Node, &'static RelationDef)]) -> Result<()> {
        write::loosen(self.unit.target(&self.pool), &self.tables, &by_field(loosened)).await
    }

    pub(super) fn def(&self, node: Node) -> Option<&'static TableDef> {
        self.tables.get(node.table as usize).map(|table| table.def)
    }

    pub(super) fn table(&mut self, number: u32) -> Option<&mut Table> {
        self.tables.get_mut(number as usize)
    }
}

/// Rows by table and foreign key.
fn by_field(held: &[(Node, &'static RelationDef)]) -> Vec<(Rows, &'static RelationDef)> {
    let mut fields: Vec<(Rows, &'static RelationDef)> = Vec::new();
    for (node, def) in held {
        match fields.iter_mut().find(|(rows, other)| rows.table == node.table && ptr::eq(*other, *def)) {
            Some((rows, _)) => rows.rows.push(node.at),
            None => fields.push((Rows { table: node.table, rows: vec![node.at] }, def)),
        }
    }
    fields
}
