//! Unique values that move from one row to another within a flush: who has a value gives it up before somebody else
//! takes it. Statements are otherwise ordered by foreign keys alone, and would collide.

use std::collections::{BTreeSet, HashMap, HashSet};

use cormorant_driver::Result;
use cormorant_sql::Value;
use cormorant_sql::schema::{ColumnType, TableDef};

use super::Session;
use super::above::{Above, cascades_from, join, tables_above};
use super::handle::Node;
use super::plan::relations;
use super::table::State;
use crate::Columns;
use crate::identity::Identity;

/// What is done before anything else, so that unique values are free.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Rows that are deleted at once, and those that are deleted because they point at them.
    pub(super) deletes: HashSet<Node>,
    /// Columns of rows that are written one by one, in order; with a value that only holds the place where rows take
    /// each other's values.
    pub(super) updates: Vec<(Node, Vec<u16>, Option<Value<'static>>)>,
    /// New objects that take over the row of a deleted one with the same key.
    pub(super) switches: Vec<(Node, Node)>,
}

/// A unique constraint of a table, its number, and the values of a row in it.
type Place = (u32, usize, Identity);

/// The columns of every unique constraint; the key comes first.
fn uniques(def: &'static TableDef) -> impl Iterator<Item = Vec<u16>> {
    let columns = (0..).zip(def.columns).filter(|(_, column)| column.unique).map(|(position, _)| vec![position]);
    let indexes = def.indexes.iter().filter(|index| index.unique).map(|index| index.columns.to_vec());
    std::iter::once(def.key.to_vec()).chain(columns).chain(indexes)
}

impl Session {
    /// Whether columns of a table stand in one of its unique constraints.
    pub(super) fn is_unique(&self, table: u32, columns: Columns) -> bool {
        let def = self.tables.get(table as usize).map(|table| table.def);
        def.is_some_and(|def| uniques(def).flatten().any(|column| columns.contains(column)))
    }

    /// Finds what has to be free before it is taken. `changed` has the objects that change in unique columns, `all` those
    /// that change, and `below` pairs of rows to delete, the second of which is deleted behind the first.
    pub(super) fn moves(
        &mut self,
        new: &[Node],
        changed: &[(Node, Columns)],
        doomed: &[Node],
        all: &[(Node, Columns)],
        below: &[(Node, Node)],
    ) -> Result<Moves> {
        let mut moves = Moves::default();
        if changed.is_empty() && (new.is_empty() || doomed.is_empty()) {
            return Ok(moves);
        }
        let dying: HashSet<Node> = doomed.iter().copied().collect();
        // What is given up: by rows to delete, and by rows that change.
        let mut given: HashMap<Place, Node> = HashMap::new();
        for node in doomed {
            for (constraint, columns) in self.constraints(*node) {
                given.extend(self.place_of(*node, constraint, &columns).map(|place| (place, *node)));
            }
        }
        let mut moving: Vec<(Node, usize, Vec<u16>)> = Vec::new();
        for (node, columns_changed) in changed {
            for (constraint, columns) in self.constraints(*node) {
                if columns.iter().any(|column| columns_changed.contains(*column)) {
                    if let Some(values) = self.base_of(*node, &columns)? {
                        given.insert((node.table, constraint, values), *node);
                    }
                    moving.push((*node, constraint, columns));
                }
            }
        }
        let takers = new.iter().flat_map(|node| {
            self.constraints(*node).into_iter().map(|(constraint, columns)| (*node, constraint, columns))
        });
        let takers: Vec<_> = takers.collect();
        let going = self.going(takers.iter().chain(&moving), &dying, &mut given);
        if given.is_empty() {
            return Ok(moves);
        }
        // Rows that change after another one gave its value up: each, and whom it waits for.
        let mut waits: HashMap<Node, Vec<Node>> = HashMap::new();
        let mut wanted: HashSet<Node> = HashSet::new();
        for (at, (node, constraint, columns)) in takers.iter().chain(&moving).enumerate() {
            let Some(place) = self.place_of(*node, *constraint, columns) else { continue };
            let Some(giver) = given.get(&place).copied().filter(|giver| giver != node) else { continue };
            if at < takers.len() && *constraint == 0 && dying.contains(&giver) && self.is_whole(*node) {
                // One row is taken over once: who comes behind collides.
                given.remove(&place);
                moves.switches.push((giver, *node));
                continue;
            }
            wanted.insert(giver);
            if at >= takers.len() {
                waits.entry(*node).or_default().push(giver);
            }
        }
        let mut giving: Vec<Node> = wanted.iter().copied().collect();
        giving.retain(|node| dying.contains(node) || going.contains_key(node));
        let left = if giving.is_empty() { Left::default() } else { self.left(new, all, &dying) };
        let below = if giving.is_empty() { HashMap::new() } else { by_second(below) };
        for node in giving {
            // One of those that it goes with is enough.
            let above = going.get(&node).map_or(std::slice::from_ref(&node), Vec::as_slice);
            let mut early = above.iter().map(|node| with_those_below(*node, &below));
            if let Some(early) = early.find(|rows| !rows.iter().any(|node| left.has(*node, self.def(*node)))) {
                moves.deletes.extend(early);
                continue;
            }
            if going.contains_key(&node) {
                // Whether it goes at all, only the database knows: its row is not touched.
                continue;
            }
            // Rows that point at it now will not when this flush is done: it is deleted behind them, as all are.
            for (_, columns) in self.constraints(node).into_iter().skip(1) {
                let held = self.tables.get(node.table as usize).and_then(|table| stand_in(table.def, &columns));
                moves.updates.extend(held.zip(columns.first()).map(|(held, first)| (node, vec![*first], Some(held))));
            }
        }
        let early: Vec<_> = moving.into_iter().filter(|(node, ..)| wanted.contains(node)).collect();
        self.order_moves(&early, &waits, &mut moves);
        Ok(moves)
    }

    /// Puts rows that change behind those whose values they take. Where they go round in a circle, one of them takes a
    /// value for the time being.
    fn order_moves(&self, early: &[(Node, usize, Vec<u16>)], waits: &HashMap<Node, Vec<Node>>, moves: &mut Moves) {
        let mut entries: HashMap<Node, Vec<usize>> = HashMap::new();
        for (at, (node, ..)) in early.iter().enumerate() {
            entries.entry(*node).or_default().push(at);
        }
        // Who waits for a row, and for how many others each of them does.
        let mut waiting: HashMap<Node, Vec<Node>> = HashMap::new();
        let mut blocked: HashMap<Node, usize> = HashMap::new();
        for node in entries.keys() {
            for giver in waits.get(node).into_iter().flatten().filter(|giver| entries.contains_key(giver)) {
                waiting.entry(*giver).or_default().push(*node);
                *blocked.entry(*node).or_default() += 1;
            }
        }
        let mut left: BTreeSet<usize> = (0..early.len()).collect();
        let is_free = |(_, (node, ..)): &(usize, &(Node, usize, Vec<u16>))| !blocked.contains_key(node);
        let mut ready: BTreeSet<usize> = early.iter().enumerate().filter(is_free).map(|(at, _)| at).collect();
        while let Some(first) = left.first().copied() {
            let free = ready.pop_first();
            let at = free.unwrap_or(first);
            left.remove(&at);
            let Some((node, _, columns)) = early.get(at) else { continue };
            let held = match free {
                Some(_) => None,
                None => self.tables.get(node.table as usize).and_then(|table| stand_in(table.def, columns)),
            };
            let columns = match (&held, columns.first()) {
                (Some(_), Some(first)) => vec![*first],
                _ => columns.clone(),
            };
            moves.updates.push((*node, columns, held));
            if entries.get(node).into_iter().flatten().any(|at| left.contains(at)) {
                continue;
            }
            for waiter in waiting.remove(node).into_iter().flatten() {
                let Some(others) = blocked.get_mut(&waiter) else { continue };
                *others -= 1;
                if *others == 0 {
                    blocked.remove(&waiter);
                    ready.extend(entries.get(&waiter).into_iter().flatten().filter(|at| left.contains(at)));
                }
            }
        }
    }

    /// Objects that are not deleted themselves but go with those that are, and hold what others take: each with the
    /// deleted ones that it goes with. What they hold is given up then.
    fn going<'t>(
        &mut self,
        takers: impl Iterator<Item = &'t (Node, usize, Vec<u16>)>,
        dying: &HashSet<Node>,
        given: &mut HashMap<Place, Node>,
    ) -> HashMap<Node, Vec<Node>> {
        let mut going = HashMap::new();
        let mut deleted = Vec::new();
        dying.iter().filter_map(|node| self.def(*node)).for_each(|def| join(&mut deleted, &[def]));
        let goes_with = |def: &&TableDef| deleted.iter().any(|deleted| std::ptr::eq(*deleted, *def));
        let below: Vec<bool> = self
            .tables
            .iter()
            .map(|table| !deleted.is_empty() && tables_above(table.def).iter().any(goes_with))
            .collect();
        let mut wanted: HashMap<(u32, usize), (Vec<u16>, HashSet<Place>)> = HashMap::new();
        for (node, constraint, columns) in takers.filter(|(node, ..)| below.get(node.table as usize) == Some(&true)) {
            let Some(place) = self.place_of(*node, *constraint, columns) else { continue };
            if !given.contains_key(&place) {
                let (_, places) =
                    wanted.entry((node.table, *constraint)).or_insert_with(|| (columns.clone(), HashSet::new()));
                places.insert(place);
            }
        }
        for ((number, constraint), (columns, places)) in wanted {
            let Some(table) = self.tables.get(number as usize) else { continue };
            let saved = table.in_state(|state| matches!(state, State::Clean | State::Touched));
            let held = saved.filter_map(|at| {
                let node = Node { table: number, at };
                self.place_of(node, constraint, &columns).filter(|place| places.contains(place)).zip(Some(node))
            });
            for (place, node) in held.collect::<Vec<_>>() {
                let mut above = Vec::new();
                self.climb(node, &mut |step| match step {
                    Above::Object(object) if dying.contains(&object) => {
                        above.push(object);
                        false
                    }
                    _ => true,
                });
                if !above.is_empty() {
                    given.insert(place, node);
                    going.insert(node, above);
                }
            }
        }
        going
    }

    /// Rows to delete that have to stay until others are written: those are on their way from them, or would go with them.
    fn left(&mut self, new: &[Node], changed: &[(Node, Columns)], dying: &HashSet<Node>) -> Left {
        let mut left = Left::default();
        let mut stay = |above: Above| {
            match above {
                Above::Object(object) if dying.contains(&object) => _ = left.rows.insert(object),
                Above::Object(_) => {}
                Above::Row(table) => join(&mut left.tables, &tables_above(table)),
            }
            true
        };
        for node in new {
            for (relation, key) in relations(self.def(*node)) {
                let Some(above) = self.above(*node, relation, key) else { continue };
                stay(above);
                if let Above::Object(object) = above {
                    self.climb(object, &mut stay);
                }
            }
        }
        for (node, _) in changed {
            self.climb(*node, &mut stay);
        }
        for (node, columns) in changed {
            for (_, key) in relations(self.def(*node)) {
                if key.columns.iter().any(|column| columns.contains(*column)) {
                    join(&mut left.tables, &cascades_from((key.target)()));
                }
            }
        }
        left
    }

    fn constraints(&self, node: Node) -> Vec<(usize, Vec<u16>)> {
        self.tables.get(node.table as usize).map_or(Vec::new(), |table| uniques(table.def).enumerate().collect())
    }

    /// The place that an object has in a unique constraint; none with NULL, or with a key that is not known yet.
    fn place_of(&self, node: Node, constraint: usize, columns: &[u16]) -> Option<Place> {
        let table = self.tables.get(node.table as usize)?;
        // Once it was written, it has what was left to the database.
        if table.state(node.at) == State::New && columns.iter().any(|column| table.omitted(node.at).contains(*column)) {
            return None;
        }
        let values = columns.iter().map(|column| table.entities.value(node.at, *column).ok().map(Value::into_owned));
        let identity = Identity(values.collect::<Option<_>>()?);
        (!identity.0.iter().any(Value::is_null)).then_some((node.table, constraint, identity))
    }

    /// The values that the database holds in some columns of an object's row.
    fn base_of(&self, node: Node, columns: &[u16]) -> Result<Option<Identity>> {
        let Some(table) = self.tables.get(node.table as usize) else { return Ok(None) };
        let values = table.entities.base_values(node.at, columns)?;
        Ok((!values.iter().any(Value::is_null)).then(|| Identity(values.into())))
    }

    /// Whether a new object says every column itself.
    fn is_whole(&self, node: Node) -> bool {
        self.tables.get(node.table as usize).is_some_and(|table| table.omitted(node.at).is_empty())
    }
}

/// What is not deleted early.
#[derive(Default)]
struct Left {
    rows: HashSet<Node>,
    /// All of these tables' rows.
    tables: Vec<&'static TableDef>,
}

impl Left {
    fn has(&self, node: Node, def: Option<&'static TableDef>) -> bool {
        let whole = def.is_some_and(|def| self.tables.iter().any(|table| std::ptr::eq(*table, def)));
        whole || self.rows.contains(&node)
    }
}

fn by_second(pairs: &[(Node, Node)]) -> HashMap<Node, Vec<Node>> {
    let mut by_second: HashMap<Node, Vec<Node>> = HashMap::new();
    for (first, second) in pairs {
        by_second.entry(*second).or_default().push(*first);
    }
    by_second
}

/// A row to delete, and those that have to be deleted before it.
fn with_those_below(node: Node, below: &HashMap<Node, Vec<Node>>) -> HashSet<Node> {
    let mut rows = HashSet::from([node]);
    let mut next = vec![node];
    while let Some(node) = next.pop() {
        next.extend(below.get(&node).into_iter().flatten().filter(|node| rows.insert(**node)));
    }
    rows
}

/// A value that no row has, to stand in a column for as long as two rows exchange theirs; none for types with few values.
fn stand_in(def: &'static TableDef, columns: &[u16]) -> Option<Value<'static>> {
    let position = *columns.first()?;
    let column = def.column(position)?;
    if column.null {
        return Some(Value::Null);
    }
    // What else a column may hold, only the database knows.
    if column.allowed.is_some()
        || column.check.is_some()
        || def.relations.iter().any(|key| key.columns.contains(&position))
    {
        return None;
    }
    let id = uuid::Uuid::now_v7();
    // The last bytes are random; the first are the time.
    let number = id.as_u128() as u32 & 0x3fff_ffff;
    Some(match def.type_of(position)? {
        ColumnType::Text { max_length } => {
            let text: String = id.simple().to_string().chars().rev().collect();
            Value::Text(text.chars().take(max_length.map_or(32, |most| most as usize)).collect::<String>().into())
        }
        ColumnType::I16 => Value::Int(-i64::from(number & 0x7fff) - 1),
        ColumnType::I32 => Value::Int(-i64::from(number) - 1),
        ColumnType::I64 => Value::Int(-(i64::from(number) << 30) - 1),
        ColumnType::Uuid => Value::Uuid(id),
        _ => return None,
    })
}
