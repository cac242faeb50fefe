//! What a flush writes, and in which order: worked out before anything is sent.

use std::collections::{HashMap, HashSet};
use std::ptr;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::{OnDelete, RelationDef, TableDef};

use super::Session;
use super::above::{Above, cascades_from, join, tables_above};
use super::handle::Node;
use super::links::LinkSet;
use super::moves::Moves;
use super::order::{Edge, Order, order};
use super::relations::is_alive;
use super::table::{State, Table};
use crate::identity::{Identity, Seeded};
use crate::{Columns, validate};

/// What a flush writes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Rows of one table each, in order.
    pub(super) inserts: Vec<Rows>,
    /// Foreign keys of new rows that are written once the rows they point at are there.
    pub(super) held: Vec<(Node, &'static RelationDef)>,
    pub(super) updates: Vec<(Rows, Columns)>,
    /// Foreign keys that are taken away before the rows they point at are deleted.
    pub(super) loosened: Vec<(Node, &'static RelationDef)>,
    /// Unique values that have to be free before they are taken.
    pub(super) moves: Moves,
    /// Whether links were added or taken away.
    pub(super) links: bool,
    pub(super) deletes: Vec<Rows>,
    /// Deleted rows, each with one that has to be deleted behind it.
    pub(super) below: Vec<(Node, Node)>,
    /// Deleted rows that may go with others, over rows that are not here, and the tables of those others.
    pub(super) open: HashMap<Node, Vec<&'static TableDef>>,
    /// Those of them that may be gone when it is their turn.
    pub(super) taken: HashSet<Node>,
}

/// Rows of one table.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: u32,
    pub(super) rows: Vec<u32>,
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
    pub(super) fn split(&mut self, nodes: &HashSet<Node>) -> Self {
        let table = self.table;
        let (out, rest) = self.rows.iter().partition(|at| nodes.contains(&Node { table, at: **at }));
        self.rows = rest;
        Self { table, rows: out }
    }
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.inserts.is_empty() && self.updates.is_empty() && self.deletes.is_empty() && !self.links
    }
}

impl Session {
    /// What a flush has to write. Nothing is sent.
    ///
    /// # Errors
    /// What is invalid, and circles that nothing breaks.
    pub(super) fn plan(&mut self) -> Result<Plan> {
        let mut plan = Plan::default();
        self.drop_orphans();
        self.tables.iter_mut().for_each(Table::prune);
        self.plan_inserts(&mut plan)?;
        self.plan_updates(&mut plan)?;
        self.plan_deletes(&mut plan)?;
        self.plan_moves(&mut plan)?;
        self.plan_taken(&mut plan);
        plan.links = self.links.iter().any(LinkSet::is_pending);
        Ok(plan)
    }

    /// New objects that point at those to delete: the database would delete them too, or make their foreign key NULL, had
    /// they been there. Who points at one that was gone before is told so.
    fn drop_orphans(&mut self) {
        let mut gone: HashSet<Node> = std::mem::take(&mut self.dropped).into_iter().collect();
        let mut again = !gone.is_empty() || self.tables.iter().any(|table| !table.doomed.is_empty());
        while std::mem::take(&mut again) {
            for number in 0..self.tables.len() as u32 {
                let Some(table) = self.table(number) else { continue };
                let (def, new) = (table.def, table.new.clone());
                for node in new.into_iter().map(|at| Node { table: number, at }) {
                    for (relation, key) in relations(def) {
                        if self.state_of(node) != State::New || !self.points_at_deleted(node, relation, &gone) {
                            continue;
                        }
                        let Some(table) = self.table(number) else { continue };
                        if key.on_delete == OnDelete::Cascade {
                            table.set_state(node.at, State::Detached);
                            again |= gone.insert(node);
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

    fn points_at_deleted(&mut self, node: Node, relation: u8, gone: &HashSet<Node>) -> bool {
        let object = self.table(node.table).and_then(|table| table.entities.pointer(node.at, relation)?.object());
        let target = object.and_then(|place| self.find_place(place).ok());
        target.is_some_and(|target| gone.contains(&target) || self.state_of(target) == State::Doomed)
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
        let (mut edges, mut unknown) = (Vec::new(), Vec::new());
        for (from, node) in nodes.iter().enumerate() {
            for (relation, def) in relations(self.def(*node)) {
                let nullable = nullable(self.def(*node), def);
                let mut behind = |above: Above| match above {
                    Above::Object(object) => {
                        let to = places.get(object);
                        edges.extend(to.map(|to| Edge { from, to, relation, nullable }));
                        to.is_none()
                    }
                    Above::Row(table) => {
                        if def.on_delete == OnDelete::Cascade {
                            unknown.push((*node, table));
                        }
                        false
                    }
                };
                if let Some(above) = self.above(*node, relation, def)
                    && behind(above)
                    && let Above::Object(object) = above
                    && def.on_delete != OnDelete::SetNull
                {
                    // It may go with one further up, which may go with this one.
                    let itself = |above: Above| matches!(above, Above::Object(object) if object == *node);
                    self.climb(object, &mut |above| !itself(above) && behind(above));
                }
            }
            unknown.extend(self.may_point_elsewhere(*node).map(|table| (*node, table)));
        }
        let ordered = self.ordered(&nodes, &edges, &self.cascades(&nodes))?;
        plan.loosened.extend(ordered.held.iter().filter_map(|edge| relation_of(self, &nodes, edges.get(*edge)?)));
        plan.deletes = ordered.groups.iter().rev().map(|group| rows_of(&nodes, group)).collect();
        let pair = |edge: &Edge| Some((*nodes.get(edge.from)?, *nodes.get(edge.to)?));
        plan.below = edges.iter().filter_map(pair).collect();
        plan.open = self.open(&nodes, &unknown);
        if plan.open.is_empty() {
            return Ok(());
        }
        // What may go with a row that a deleted one points at may take that one along as well.
        for from in ordered.groups.iter().flatten() {
            let first = edges.partition_point(|edge| edge.from < *from);
            for edge in edges.iter().skip(first).take_while(|edge| edge.from == *from) {
                let key = relation_of(self, &nodes, edge).filter(|(_, def)| def.on_delete == OnDelete::Cascade);
                if let (Some((node, _)), Some((_, to))) = (key, pair(edge))
                    && let Some(tables) = plan.open.get(&to).cloned()
                {
                    join(plan.open.entry(node).or_default(), &tables);
                }
            }
        }
        Ok(())
    }

    /// Deleted rows that may go with others, of those that point at `unknown` rows of some tables.
    fn open(&self, nodes: &[Node], unknown: &[(Node, &'static TableDef)]) -> HashMap<Node, Vec<&'static TableDef>> {
        let mut deleted: Vec<&'static TableDef> = Vec::new();
        if !unknown.is_empty() {
            nodes.iter().filter_map(|node| self.def(*node)).for_each(|def| join(&mut deleted, &[def]));
        }
        let mut ways: Vec<(&'static TableDef, Vec<&'static TableDef>)> = Vec::new();
        let mut open: HashMap<Node, Vec<&'static TableDef>> = HashMap::new();
        for (node, table) in unknown {
            if !ways.iter().any(|(known, _)| ptr::eq(*known, *table)) {
                let mut above = tables_above(table);
                above.retain(|table| deleted.iter().any(|other| ptr::eq(*other, *table)));
                ways.push((table, above));
            }
            let above = ways.iter().find(|(known, above)| ptr::eq(*known, *table) && !above.is_empty());
            if let Some((_, above)) = above {
                join(open.entry(*node).or_default(), above);
            }
        }
        open
    }

    /// Finds the rows that may be gone, with others, when it is their turn to be deleted.
    fn plan_taken(&self, plan: &mut Plan) {
        if plan.open.is_empty() {
            return;
        }
        let mut before: Vec<&'static TableDef> = Vec::new();
        for early in [true, false] {
            for rows in &plan.deletes {
                let nodes = rows.rows.iter().map(|at| Node { table: rows.table, at: *at });
                let together: Vec<Node> = nodes.filter(|node| plan.moves.deletes.contains(node) == early).collect();
                let Some(def) = together.first().and_then(|node| self.def(*node)) else { continue };
                if together.len() > 1 {
                    join(&mut before, &[def]);
                }
                let gone = |table: &&TableDef| before.iter().any(|other| ptr::eq(*other, *table));
                let may = |node: &&Node| plan.open.get(node).is_some_and(|tables| tables.iter().any(gone));
                plan.taken.extend(together.iter().filter(may));
                join(&mut before, &[def]);
            }
        }
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
        plan.moves = self.moves(&new, &changed, &doomed, &all, &plan.below)?;
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
    pub(super) fn pointed_new(&mut self, node: Node, relation: u8, def: &'static RelationDef) -> Result<Option<Node>> {
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
}

/// The foreign keys of a table, by their numbers.
pub(super) fn relations(def: impl Into<Option<&'static TableDef>>) -> impl Iterator<Item = (u8, &'static RelationDef)> {
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
