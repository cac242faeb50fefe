//! What a row goes with: those it points at by foreign keys that cascade, and what they go with.

use std::collections::HashSet;
use std::ptr;

use cormorant_sql::schema::{OnDelete, RelationDef, TableDef};

use super::Session;
use super::handle::Node;
use super::plan::relations;
use crate::identity::Identity;

/// What a foreign key points at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Above {
    Object(Node),
    /// A row of this table that the session does not have, or that may have changed since.
    Row(&'static TableDef),
}

impl Session {
    /// What a foreign key of an object points at; none where it is NULL.
    pub(super) fn above(&mut self, node: Node, relation: u8, def: &'static RelationDef) -> Option<Above> {
        if let Some(object) = self.pointed_object(node, relation) {
            return Some(Above::Object(object));
        }
        let table = self.tables.get(node.table as usize)?;
        let identity = Identity::pointed(&*table.entities, node.at, def.columns)?;
        let target = (def.target)();
        let found = (0..).zip(&self.tables).find(|(_, table)| ptr::eq(table.def, target));
        let object = found.and_then(|(number, table)| Some(Node { table: number, at: table.find(&identity)? }));
        Some(object.map_or(Above::Row(target), Above::Object))
    }

    /// The table of an object that the database may hold something else of.
    pub(super) fn may_point_elsewhere(&self, node: Node) -> Option<&'static TableDef> {
        let table = self.tables.get(node.table as usize)?;
        table.slots.get(node.at as usize)?.expired.then_some(table.def)
    }

    /// Goes up from an object over every row that it goes with, and past those of which `on` says so.
    pub(super) fn climb(&mut self, from: Node, on: &mut impl FnMut(Above) -> bool) {
        let mut seen = HashSet::new();
        let mut next = vec![from];
        while let Some(node) = next.pop() {
            for (relation, def) in relations(self.def(node)) {
                if def.on_delete != OnDelete::Cascade {
                    continue;
                }
                let Some(above) = self.above(node, relation, def) else { continue };
                if on(above)
                    && let Above::Object(object) = above
                    && object != from
                    && seen.insert(object)
                {
                    next.push(object);
                }
            }
            if let Some(def) = self.may_point_elsewhere(node) {
                on(Above::Row(def));
            }
        }
    }
}

/// A table, and those whose rows take its rows along when they are deleted.
pub(super) fn cascades_from(def: &'static TableDef) -> Vec<&'static TableDef> {
    let mut way = vec![def];
    let mut next = 0;
    while let Some(def) = way.get(next).copied() {
        next += 1;
        for key in def.relations.iter().filter(|key| key.on_delete == OnDelete::Cascade) {
            join(&mut way, &[(key.target)()]);
        }
    }
    way
}

/// The tables whose rows may take a row of a table along.
pub(super) fn tables_above(def: &'static TableDef) -> Vec<&'static TableDef> {
    let mut above: Vec<&'static TableDef> = Vec::new();
    for key in def.relations.iter().filter(|key| key.on_delete == OnDelete::Cascade) {
        join(&mut above, &cascades_from((key.target)()));
    }
    above
}

/// Adds those tables to a few that are not among them.
pub(super) fn join(tables: &mut Vec<&'static TableDef>, others: &[&'static TableDef]) {
    for other in others {
        if !tables.iter().any(|known| ptr::eq(*known, *other)) {
            tables.push(other);
        }
    }
}
