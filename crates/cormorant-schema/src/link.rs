//! Tables of links between two models, and which foreign key a relation mirrors.

use std::sync::{Mutex, PoisonError};

use crate::{ColumnDef, LinkDef, ManyDef, OnDelete, RelationDef, TableDef, names};

/// The foreign key that a relation mirrors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// The one at this position.
    One(u8),
    /// There is none.
    None,
    /// There are several, and nothing says which.
    Several,
}

impl Found {
    /// Its position. Where there is none, the compiler has said so elsewhere.
    pub const fn position(self) -> u8 {
        match self {
            Self::One(at) => at,
            Self::None | Self::Several => 0,
        }
    }

    /// Whether there is none.
    pub const fn is_none(self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether there are several.
    pub const fn is_several(self) -> bool {
        matches!(self, Self::Several)
    }
}

/// Which foreign key of `table` points at the model that stands at `target`: the one in the field `via`, or the only
/// one but `but`.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn foreign_key_to(table: &TableDef, target: &str, via: Option<&str>, but: Option<u8>) -> Found {
    let (mut at, mut found) = (0, Found::None);
    while at < table.relations.len() {
        let relation = &table.relations[at];
        let said = match via {
            Some(field) => same(relation.field, field),
            None => true,
        };
        let other = match but {
            Some(but) => at != but as usize,
            None => true,
        };
        if said && other && same(relation.target_path, target) {
            found = if found.is_none() { Found::One(at as u8) } else { Found::Several };
        }
        at += 1;
    }
    found
}

/// Whether the foreign key is unique by itself, so that at most one row points at another. True where there is none.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn is_unique(table: &TableDef, relation: Found) -> bool {
    let Found::One(at) = relation else { return true };
    let column = table.relations[at as usize].column;
    if table.columns[column as usize].unique || (table.key.len() == 1 && table.key[0] == column) {
        return true;
    }
    let mut at = 0;
    while at < table.indexes.len() {
        let index = &table.indexes[at];
        if index.unique && index.columns.len() == 1 && index.columns[0] == column {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether the many-to-many relation in `field` is the one that a relation of the other model leads back by: the same
/// table of links, said the same way. True where the other model has none that leads back, but those of other
/// relations.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn sides_agree(own: &TableDef, field: &str, target: &TableDef) -> bool {
    let Some(side) = link(own, field) else { return true };
    let (mut at, mut others) = (0, false);
    while at < target.links.len() {
        let other = &target.links[at];
        if same(other.target_path, own.path) {
            if same_links(side, other) {
                return true;
            }
            others |= !is_side_of_one(own, target.path, other);
        }
        at += 1;
    }
    !others
}

/// Whether a relation that leads back to `own` is the other side of one of its own.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
const fn is_side_of_one(own: &TableDef, target: &str, other: &LinkDef) -> bool {
    let mut at = 0;
    while at < own.links.len() {
        if same(own.links[at].target_path, target) && same_links(&own.links[at], other) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether two relations between the same models have one table of links.
const fn same_links(one: &LinkDef, other: &LinkDef) -> bool {
    match (one.through, other.through) {
        (None, None) => true,
        (Some(one), Some(other)) => same(one, other),
        _ => false,
    }
}

/// Whether no many-to-many relation of `own` but the other side `inverse` has the same table of links.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn is_only_link(own: &TableDef, field: &str, inverse: &str) -> bool {
    let Some(side) = link(own, field) else { return true };
    let mut at = 0;
    while at < own.links.len() {
        let other = &own.links[at];
        let table = match (side.through, other.through) {
            (None, None) => same(side.target_path, other.target_path),
            (Some(one), Some(two)) => same(one, two),
            _ => false,
        };
        if table && !same(other.field, field) && !same(other.field, inverse) {
            return false;
        }
        at += 1;
    }
    true
}

#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
const fn link<'a>(table: &'a TableDef, field: &str) -> Option<&'a LinkDef> {
    let mut at = 0;
    while at < table.links.len() {
        if same(table.links[at].field, field) {
            return Some(&table.links[at]);
        }
        at += 1;
    }
    None
}

/// Whether `own` is the first of a link table's two models: that of the table whose name comes first, or of the schema
/// where the names are equal.
pub const fn is_first(own: &TableDef, target: &TableDef) -> bool {
    let (a, b) = match (own.schema, target.schema) {
        (Some(a), Some(b)) if same(own.name, target.name) => (a, b),
        (None, Some(_)) if same(own.name, target.name) => return true,
        (Some(_), None) if same(own.name, target.name) => return false,
        _ => (own.name, target.name),
    };
    comes_first(a.as_bytes(), b.as_bytes())
}

#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
const fn comes_first(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() <= b.len()
}

#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The table of links that one side of a many-to-many relation describes. Both sides get the same: it is made once, and
/// kept for ever.
pub fn link_table(side: &LinkDef) -> &'static TableDef {
    static TABLES: Mutex<Vec<&'static TableDef>> = Mutex::new(Vec::new());
    let (own, target) = ((side.own)(), (side.target)());
    let own_first = is_first(own, target);
    let (first, second) = if own_first { (side.own, side.target) } else { (side.target, side.own) };
    let name = match side.through {
        Some(name) => name.to_owned(),
        None => names::link_table(first().name, second().name),
    };
    let schema = first().schema;
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    // Not by their paths: models of two functions may have the same.
    let known = tables.iter().find(|table| {
        let targets = table.relations.iter().map(|relation| (relation.target)());
        table.schema == schema
            && table.name == name
            && targets.zip([first(), second()]).all(|(target, side)| std::ptr::eq(target, side))
    });
    if let Some(known) = known {
        return known;
    }
    let table = make(name, schema, first, second);
    tables.push(table);
    table
}

fn make(
    name: String,
    schema: Option<&'static str>,
    first: fn() -> &'static TableDef,
    second: fn() -> &'static TableDef,
) -> &'static TableDef {
    let myself = std::ptr::eq(first(), second());
    let words = if myself { ["from_", "to_"] } else { ["", ""] };
    let sides: Vec<_> = [first, second]
        .into_iter()
        .zip(words)
        .map(|(table, word)| (table, leak(format!("{word}{}", table().singular))))
        .collect();
    let columns = sides.iter().enumerate().map(|(n, (table, field))| {
        let ty = table().key_columns().next().map_or(crate::ColumnType::I64, |key| key.ty);
        let column = ColumnDef::new(field, leak(format!("{field}_id")), ty, false).key(false);
        // The first is the first column of the key, which is an index.
        if n == 0 { column } else { column.index() }
    });
    let model = leak(format!("the links of {} and {}", first().model, second().model));
    let relations = sides.iter().zip(0..).map(|((table, field), column)| RelationDef {
        model,
        field,
        column,
        target: *table,
        target_path: table().path,
        on_delete: OnDelete::Cascade,
        on_update: None,
    });
    Box::leak(Box::new(TableDef {
        model,
        path: model,
        singular: "",
        schema,
        name: leak(name),
        columns: Vec::leak(columns.collect()),
        key: &[0, 1],
        relations: Vec::leak(relations.collect()),
        many: || &[],
        links: &[],
        indexes: &[],
        checks: &[],
        strict: false,
        autoincrement: false,
    }))
}

fn leak(text: String) -> &'static str {
    String::leak(text)
}

/// The tables of links of some models, each once: those that no model describes.
pub fn link_tables(models: &[&'static TableDef]) -> Vec<&'static TableDef> {
    let mut tables: Vec<&'static TableDef> = Vec::new();
    for many in models.iter().flat_map(|model| (model.many)()).filter(|many: &&ManyDef| many.linked) {
        let table = (many.source)();
        if !tables.iter().any(|known| std::ptr::eq(*known, table)) {
            tables.push(table);
        }
    }
    tables
}
