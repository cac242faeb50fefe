//! What a flush writes, and in which order.

use std::collections::{HashMap, HashSet};
use std::ptr;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::{OnDelete, RelationDef, TableDef};

use super::collections::Collection;
use super::handle::Node;
use super::identity::{Identity, Seeded};
use super::links::LinkSet;
use super::moves::Moves;
use super::order::{Edge, Order, order};
use super::relations::is_alive;
use super::table::{State, Table};
use super::write::Held;
use super::{Hook, Session, Written, Wrote, write};
use crate::{Columns, validate};

/// What a flush writes.
#[derive(Debug, Default)]
struct Plan {
    /// Rows of one table each, in order.
    inserts: Vec<Rows>,
    /// Foreign keys of new rows that are written once the rows they point at are there.
    held: Vec<(Node, &'static RelationDef)>,
    updates: Vec<(Rows, Columns)>,
    /// Foreign keys that are taken away before the rows they point at are deleted.
    loosened: Vec<(Node, &'static RelationDef)>,
    /// Unique values that have to be free before they are taken.
    moves: Moves,
    /// Whether links were added or taken away.
    links: bool,
    deletes: Vec<Rows>,
}

/// Rows of one table.
#[derive(Debug)]
struct Rows {
    table: u32,
    rows: Vec<u32>,
}

/// Where objects stand in a list of them.
struct Positions(Vec<Vec<usize>>);

impl Positions {
    const NONE: usize = usize::MAX;

    fn of(nodes: &[Node]) -> Self {
        let mut tables: Vec<Vec<usize>> = Vec::new();
        for (position, node) in nodes.iter().enumerate() {
            let (table, at) = (node.table as usize, node.at as usize);
            tables.resize_with(tables.len().max(table + 1), Vec::new);
            let Some(places) = tables.get_mut(table) else { continue };
            places.resize(places.len().max(at + 1), Self::NONE);
            if let Some(place) = places.get_mut(at) {
                *place = position;
            }
        }
        Self(tables)
    }

    fn get(&self, node: Node) -> Option<usize> {
        let position = *self.0.get(node.table as usize)?.get(node.at as usize)?;
        (position != Self::NONE).then_some(position)
    }
}

impl Rows {
    fn remove(&mut self, node: Node) {
        self.rows.retain(|at| node != Node { table: self.table, at: *at });
    }

    /// Takes some of the rows out.
    fn split(&mut self, nodes: &HashSet<Node>) -> Self {
        let table = self.table;
        let (out, rest) = self.rows.iter().partition(|at| nodes.contains(&Node { table, at: **at }));
        self.rows = rest;
        Self { table, rows: out }
    }
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.inserts.is_empty() && self.updates.is_empty() && self.deletes.is_empty() && !self.links
    }
}

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

    fn plan(&mut self) -> Result<Plan> {
        let mut plan = Plan::default();
        if self.deleted {
            self.drop_orphans();
        }
        self.tables.iter_mut().for_each(Table::prune);
        self.plan_inserts(&mut plan)?;
        self.plan_updates(&mut plan)?;
        self.plan_deletes(&mut plan)?;
        self.plan_moves(&mut plan)?;
        plan.links = self.links.iter().any(LinkSet::is_pending);
        Ok(plan)
    }

    /// New objects that point at deleted ones: the database would delete them too, or make their foreign key NULL, had
    /// they been there.
    fn drop_orphans(&mut self) {
        let mut again = true;
        while std::mem::take(&mut again) {
            for number in 0..self.tables.len() as u32 {
                let Some(table) = self.table(number) else { continue };
                let (def, new) = (table.def, table.new.clone());
                for node in new.into_iter().map(|at| Node { table: number, at }) {
                    for (relation, key) in relations(def) {
                        if self.state_of(node) != State::New || !self.points_at_deleted(node, relation) {
                            continue;
                        }
                        let Some(table) = self.table(number) else { continue };
                        if key.on_delete == OnDelete::Cascade {
                            table.set_state(node.at, State::Detached);
                            again = true;
                        } else if key.on_delete == OnDelete::SetNull
                            && let Some(pointer) = table.entities.pointer(node.at, relation)
                        {
                            pointer.point(None);
                        }
                    }
                }
            }
        }
    }

    fn points_at_deleted(&mut self, node: Node, relation: u8) -> bool {
        let object = self.table(node.table).and_then(|table| table.entities.pointer(node.at, relation)?.object());
        let target = object.and_then(|place| self.find_place(place).ok()).map(|target| self.state_of(target));
        matches!(target, Some(State::Doomed | State::Deleted | State::Detached))
    }

    /// The new objects, in the order that what they point at asks for.
    fn plan_inserts(&mut self, plan: &mut Plan) -> Result<()> {
        let mut nodes = Vec::new();
        for (number, table) in (0u32..).zip(&mut self.tables) {
            for at in table.new.clone() {
                table.prepare(at);
                nodes.push(Node { table: number, at });
            }
        }
        if nodes.is_empty() {
            return Ok(());
        }
        let places = Positions::of(&nodes);
        let given = self.given_keys(&nodes)?;
        let mut edges = Vec::new();
        for (from, node) in nodes.iter().enumerate() {
            let mut waiting = Columns::none();
            for (relation, def) in relations(self.def(*node)) {
                let mut target = self.pointed_new(*node, relation, def)?;
                if target.is_some() {
                    waiting.extend(def.columns);
                } else if !given.is_empty() {
                    target = self.given(&given, *node, def);
                }
                if let Some(to) = target.and_then(|target| places.get(target)) {
                    edges.push(Edge { from, to, relation, nullable: nullable(self.def(*node), def) });
                }
            }
            self.check(*node, None, waiting)?;
        }
        let ordered = self.ordered(&nodes, &edges, &[])?;
        plan.held.extend(ordered.held.iter().filter_map(|edge| relation_of(self, &nodes, edges.get(*edge)?)));
        plan.inserts = ordered.groups.iter().map(|group| rows_of(&nodes, group)).collect();
        Ok(())
    }

    /// New objects whose keys the program gave: foreign keys may say them, without a handle.
    fn given_keys(&self, nodes: &[Node]) -> Result<HashMap<(u32, Identity), Node, Seeded>> {
        let mut given = HashMap::default();
        for node in nodes {
            let Some(table) = self.tables.get(node.table as usize) else { continue };
            let omitted = table.omitted(node.at);
            if !table.def.key.iter().any(|column| omitted.contains(*column))
                // One that points at a row without a key has none itself, yet.
                && let Ok(identity) = table.entities.identity(node.at)
            {
                given.insert((node.table, identity), *node);
            }
        }
        Ok(given)
    }

    fn given(
        &self,
        given: &HashMap<(u32, Identity), Node, Seeded>,
        node: Node,
        def: &'static RelationDef,
    ) -> Option<Node> {
        let number = self.tables.iter().position(|table| ptr::eq(table.def, (def.target)()))?;
        let entities = &*self.tables.get(node.table as usize)?.entities;
        given.get(&(u32::try_from(number).ok()?, Identity::pointed(entities, node.at, def.columns)?)).copied()
    }

    fn plan_updates(&mut self, plan: &mut Plan) -> Result<()> {
        for number in 0..self.tables.len() as u32 {
            let groups = self.changed_groups(number);
            // Those that are touched stay so, also where one of them was refused.
            if let Some(table) = self.table(number) {
                table.prune();
            }
            plan.updates.extend(groups?.into_iter().map(|(columns, rows)| (Rows { table: number, rows }, columns)));
        }
        Ok(())
    }

    /// The changed objects of a table, by the columns to write.
    fn changed_groups(&mut self, number: u32) -> Result<Vec<(Columns, Vec<u32>)>> {
        let mut groups: Vec<(Columns, Vec<u32>)> = Vec::new();
        for at in self.table(number).map(|table| table.touched.clone()).unwrap_or_default() {
            let node = Node { table: number, at };
            let mut waiting = Columns::none();
            for (relation, def) in relations(self.def(node)) {
                if self.pointed_new(node, relation, def)?.is_some() {
                    waiting.extend(def.columns);
                }
            }
            let Some(table) = self.table(number) else { continue };
            let mut changed = table.entities.changed(at);
            if changed.is_empty() {
                table.entities.reset(at)?;
                table.set_state(at, State::Clean);
                continue;
            }
            table.entities.bump(at).into_iter().for_each(|version| changed.add(version));
            self.check(node, Some(changed), waiting)?;
            match groups.iter_mut().find(|(columns, _)| *columns == changed) {
                Some((_, rows)) => rows.push(at),
                None => groups.push((changed, vec![at])),
            }
        }
        Ok(groups)
    }

    /// Whether what an object says of some columns, or of all that are written, can be stored. Foreign keys that wait for
    /// a key are looked at when they have it.
    fn check(&self, node: Node, columns: Option<Columns>, waiting: Columns) -> Result<()> {
        let Some(table) = self.tables.get(node.table as usize) else { return Ok(()) };
        let omitted = table.omitted(node.at);
        let written = |column: &u16| match columns {
            Some(columns) => columns.contains(*column),
            None => !omitted.contains(*column),
        };
        let positions =
            (0..table.def.columns.len() as u16).filter(|column| written(column) && !waiting.contains(*column));
        validate::values_of(table.def, positions, |column| table.entities.value(node.at, column), drop)
    }

    /// The deleted objects, in the order that what points at them asks for.
    fn plan_deletes(&mut self, plan: &mut Plan) -> Result<()> {
        let mut nodes = Vec::new();
        for (number, table) in (0u32..).zip(&mut self.tables) {
            for at in &table.doomed {
                // What it points at in the database counts.
                table.entities.reset(*at)?;
                nodes.push(Node { table: number, at: *at });
            }
        }
        if nodes.is_empty() {
            return Ok(());
        }
        let places = Positions::of(&nodes);
        let mut edges = Vec::new();
        for (from, node) in nodes.iter().enumerate() {
            for (relation, def) in relations(self.def(*node)) {
                if let Some(target) = self.pointed_by_key(*node, def)
                    && let Some(to) = places.get(target)
                {
                    edges.push(Edge { from, to, relation, nullable: nullable(self.def(*node), def) });
                }
            }
        }
        let ordered = self.ordered(&nodes, &edges, &self.cascades(&nodes))?;
        plan.loosened.extend(ordered.held.iter().filter_map(|edge| relation_of(self, &nodes, edges.get(*edge)?)));
        plan.deletes = ordered.groups.iter().rev().map(|group| rows_of(&nodes, group)).collect();
        Ok(())
    }

    /// What has to be done first because a unique value moves.
    fn plan_moves(&mut self, plan: &mut Plan) -> Result<()> {
        let nodes = |rows: &Rows| {
            let table = rows.table;
            rows.rows.iter().map(move |at| Node { table, at: *at }).collect::<Vec<_>>()
        };
        // Nothing is given up where nothing is deleted and no unique column changes.
        let moving: Vec<(Rows, Columns)> =
            plan.updates.extract_if(.., |(rows, columns)| self.is_unique(rows.table, *columns)).collect();
        if plan.deletes.is_empty() && moving.is_empty() {
            return Ok(());
        }
        let new: Vec<Node> = plan.inserts.iter().flat_map(nodes).collect();
        let changed: Vec<(Node, Columns)> =
            moving.iter().flat_map(|(rows, columns)| nodes(rows).into_iter().map(|node| (node, *columns))).collect();
        let doomed: Vec<Node> = plan.deletes.iter().flat_map(nodes).collect();
        plan.updates.extend(moving);
        let all: Vec<(Node, Columns)> = plan
            .updates
            .iter()
            .flat_map(|(rows, columns)| nodes(rows).into_iter().map(|node| (node, *columns)))
            .collect();
        plan.moves = self.moves(&new, &changed, &doomed, &all)?;
        for (old, new) in plan.moves.switches.clone() {
            plan.inserts.iter_mut().for_each(|rows| rows.remove(new));
            plan.deletes.iter_mut().for_each(|rows| rows.remove(old));
            plan.loosened.retain(|(node, _)| *node != old);
            let Some(table) = self.table(new.table) else { continue };
            table.entities.inherit(old.at, new.at);
            let mut columns = table.entities.changed(new.at);
            if !columns.is_empty() {
                table.entities.bump(new.at).into_iter().for_each(|version| columns.add(version));
                plan.updates.push((Rows { table: new.table, rows: vec![new.at] }, columns));
            }
        }
        if plan.moves.deletes.is_empty() {
            return Ok(());
        }
        // Parents stand behind their children.
        for rows in plan.deletes.iter().rev() {
            for node in nodes(rows) {
                let mut pointed = relations(self.def(node)).filter_map(|(_, def)| self.pointed_by_key(node, def));
                if pointed.any(|target| plan.moves.deletes.contains(&target)) {
                    plan.moves.deletes.insert(node);
                }
            }
        }
        Ok(())
    }

    /// Tables of deleted objects, each with one whose rows take its rows along when they go, over rows between them that
    /// nobody has here as well.
    fn cascades(&self, nodes: &[Node]) -> Vec<(u32, u32)> {
        let mut tables: Vec<u32> = nodes.iter().map(|node| node.table).collect();
        tables.dedup();
        let mut pairs = Vec::new();
        for from in &tables {
            let way = self.tables.get(*from as usize).map_or(Vec::new(), |table| cascades_from(table.def));
            let reached = |to: &&u32| {
                let def = self.tables.get(**to as usize).map(|table| table.def);
                *to != from && def.is_some_and(|def| way.iter().any(|known| ptr::eq(*known, def)))
            };
            pairs.extend(tables.iter().filter(reached).map(|to| (*from, *to)));
        }
        pairs
    }

    fn ordered(&self, nodes: &[Node], edges: &[Edge], behind: &[(u32, u32)]) -> Result<Order> {
        let tables: Vec<u32> = nodes.iter().map(|node| node.table).collect();
        order(&tables, edges, behind).map_err(|cycle| {
            let fields: Vec<String> = cycle
                .iter()
                .filter_map(|edge| relation_of(self, nodes, edges.get(*edge)?))
                .map(|(_, def)| format!("{}.{}", def.model, def.field))
                .collect();
            Error::new(
                ErrorKind::Misuse,
                format!(
                    "the objects point at each other in a circle, so none can be written first: {}; make one of these foreign keys an Option",
                    fields.join(" -> ")
                ),
            )
        })
    }

    /// The new object that a foreign key points at. One that has a key gives it to the foreign key at once.
    fn pointed_new(&mut self, node: Node, relation: u8, def: &'static RelationDef) -> Result<Option<Node>> {
        let object = self.table(node.table).and_then(|table| table.entities.pointer(node.at, relation)?.object());
        let Some(place) = object else { return Ok(None) };
        let refuse = |why: &str| {
            Error::new(ErrorKind::Misuse, format!("it points at a {} that {why}", (def.target)().model))
                .with_model(def.model)
                .with_field(def.field)
        };
        let found = self.find_place(place);
        let alive = found.is_ok_and(|target| is_alive(self.state_of(target)));
        if !alive && self.is_stored(node, def.columns) {
            // What was said long ago is not said again: only the key is left of it.
            return Ok(None);
        }
        let target = found.map_err(refuse)?;
        match self.state_of(target) {
            State::New => return Ok(Some(target)),
            State::Clean | State::Touched => self.point(node, relation, target)?,
            State::Doomed | State::Deleted => return Err(refuse("is deleted")),
            State::Detached | State::Free => return Err(refuse("was never saved")),
        }
        Ok(None)
    }

    /// Whether columns say what the row in the database does.
    fn is_stored(&mut self, node: Node, columns: &[u16]) -> bool {
        let table = self.table(node.table).filter(|table| table.state(node.at) == State::Touched);
        table.is_some_and(|table| {
            let changed = table.entities.changed(node.at);
            !columns.iter().any(|column| changed.contains(*column))
        })
    }

    /// The object that a foreign key's value is the key of.
    fn pointed_by_key(&self, node: Node, def: &'static RelationDef) -> Option<Node> {
        let number = self.tables.iter().position(|table| ptr::eq(table.def, (def.target)()))?;
        let entities = &*self.tables.get(node.table as usize)?.entities;
        let at = self.tables.get(number)?.find(&Identity::pointed(entities, node.at, def.columns)?)?;
        Some(Node { table: u32::try_from(number).ok()?, at })
    }

    /// Gives a foreign key the key of the object it points at.
    fn point(&mut self, node: Node, relation: u8, target: Node) -> Result<()> {
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
            self.write_loosened(&plan.loosened).await?;
            for rows in &mut plan.deletes {
                let early = rows.split(&plan.moves.deletes);
                self.delete_rows(early, &mut gone).await?;
            }
        }
        for (node, columns, value) in plan.moves.updates {
            let Self { tables, unit, pool, .. } = self;
            let Some(table) = tables.get_mut(node.table as usize) else { continue };
            write::move_value(unit.target(pool), table, node.at, &columns, value).await?;
        }
        let held: Held =
            plan.held.iter().flat_map(|(node, def)| def.columns.iter().map(|column| (*node, *column))).collect();
        for rows in plan.inserts {
            self.point_all(&rows)?;
            let Self { tables, unit, pool, log, .. } = self;
            let Some(table) = tables.get_mut(rows.table as usize) else { continue };
            write::insert(unit.target(pool), (rows.table, table), &rows.rows, &held).await?;
            let mark = log.len();
            for at in rows.rows {
                table.set_state(at, State::Clean);
                let identity = table.entities.identity(at)?;
                table.identify(identity, at);
                log.push(Written { node: Node { table: rows.table, at }, what: Wrote::Insert });
            }
            self.know_new(rows.table, mark);
        }
        self.write_held(&plan.held).await?;
        for (rows, columns) in plan.updates {
            self.point_all(&rows)?;
            let Self { tables, unit, pool, log, collections, .. } = self;
            let Some(table) = tables.get_mut(rows.table as usize) else { continue };
            write::update(unit.target(pool), table, columns, &rows.rows).await?;
            for at in rows.rows {
                let node = Node { table: rows.table, at };
                if plan.moves.switches.iter().any(|(_, new)| *new == node) {
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
        self.write_links().await?;
        self.write_loosened(&plan.loosened).await?;
        for rows in plan.deletes {
            self.delete_rows(rows, &mut gone).await?;
        }
        self.follow_deleted(gone)?;
        self.tables.iter_mut().for_each(Table::prune);
        if switched {
            // Whoever belonged to the old object belongs to the new one.
            self.forget_relations();
        }
        Ok(())
    }

    async fn delete_rows(&mut self, rows: Rows, gone: &mut Vec<Node>) -> Result<()> {
        let Self { tables, unit, pool, log, .. } = self;
        let Some(table) = tables.get_mut(rows.table as usize) else { return Ok(()) };
        write::delete(unit.target(pool), table, &rows.rows).await?;
        for at in rows.rows {
            let identity = table.entities.identity(at)?;
            table.unidentify(&identity, at);
            table.set_state(at, State::Deleted);
            log.push(Written { node: Node { table: rows.table, at }, what: Wrote::Delete });
            gone.push(Node { table: rows.table, at });
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
                let identity = table.entities.identity(at)?;
                table.unidentify(&identity, at);
                table.set_state(at, State::Deleted);
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
        for set in 0..self.links.len() {
            let Self { tables, unit, pool, links, .. } = self;
            let Some(set) = links.get_mut(set) else { continue };
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
            let (added, removed) = (keys(added)?, keys(removed)?);
            write::unlink(unit.target(pool), set.def, removed).await?;
            write::link(unit.target(pool), set.def, added).await?;
            set.written();
        }
        Ok(())
    }

    /// Writes the foreign keys that had to wait until the rows they point at were there.
    async fn write_held(&mut self, held: &[(Node, &'static RelationDef)]) -> Result<()> {
        for (table, def, rows) in by_field(held) {
            let rows = Rows { table, rows };
            self.point_all(&rows)?;
            let mut columns = Columns::none();
            columns.extend(def.columns);
            let Self { tables, unit, pool, .. } = self;
            let Some(table) = tables.get_mut(rows.table as usize) else { continue };
            write::update(unit.target(pool), table, columns, &rows.rows).await?;
        }
        Ok(())
    }

    /// Takes the foreign keys away that hold rows which are about to be deleted.
    async fn write_loosened(&mut self, loosened: &[(Node, &'static RelationDef)]) -> Result<()> {
        for (table, def, rows) in by_field(loosened) {
            let Self { tables, unit, pool, .. } = self;
            let Some(table) = tables.get_mut(table as usize) else { continue };
            write::loosen(unit.target(pool), table, def.columns, &rows).await?;
        }
        Ok(())
    }

    fn def(&self, node: Node) -> Option<&'static TableDef> {
        self.tables.get(node.table as usize).map(|table| table.def)
    }

    fn table(&mut self, number: u32) -> Option<&mut Table> {
        self.tables.get_mut(number as usize)
    }
}

/// A table, and those whose rows take its rows along when they are deleted.
pub(super) fn cascades_from(def: &'static TableDef) -> Vec<&'static TableDef> {
    let mut way = vec![def];
    let mut next = 0;
    while let Some(def) = way.get(next).copied() {
        next += 1;
        for key in def.relations.iter().filter(|key| key.on_delete == OnDelete::Cascade) {
            let target = (key.target)();
            if !way.iter().any(|known| ptr::eq(*known, target)) {
                way.push(target);
            }
        }
    }
    way
}

/// The foreign keys of a table, by their numbers.
fn relations(def: impl Into<Option<&'static TableDef>>) -> impl Iterator<Item = (u8, &'static RelationDef)> {
    (0..).zip(def.into().map_or(&[][..], |def| def.relations))
}

pub(super) fn nullable(table: Option<&'static TableDef>, def: &RelationDef) -> bool {
    let null = |column: &u16| table.and_then(|table| table.column(*column)).is_some_and(|column| column.null);
    def.columns.iter().all(null)
}

fn relation_of(session: &Session, nodes: &[Node], edge: &Edge) -> Option<(Node, &'static RelationDef)> {
    let node = *nodes.get(edge.from)?;
    Some((node, session.def(node)?.relations.get(usize::from(edge.relation))?))
}

fn rows_of(nodes: &[Node], group: &[usize]) -> Rows {
    let nodes: Vec<Node> = group.iter().filter_map(|at| nodes.get(*at).copied()).collect();
    Rows { table: nodes.first().map_or(0, |node| node.table), rows: nodes.into_iter().map(|node| node.at).collect() }
}

/// Rows by table and foreign key.
fn by_field(held: &[(Node, &'static RelationDef)]) -> Vec<(u32, &'static RelationDef, Vec<u32>)> {
    let mut fields: Vec<(u32, &'static RelationDef, Vec<u32>)> = Vec::new();
    for (node, def) in held {
        match fields.iter_mut().find(|(table, other, _)| *table == node.table && ptr::eq(*other, *def)) {
            Some((.., rows)) => rows.push(node.at),
            None => fields.push((node.table, def, vec![node.at])),
        }
    }
    fields
}
