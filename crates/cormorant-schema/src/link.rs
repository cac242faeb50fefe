//! Tables of links between two models, and which foreign key a relation mirrors.

use std::sync::{Mutex, PoisonError};

use crate::{ColumnDef, LinkDef, ManyDef, OnDelete, RelationDef, TableDef, names};

/// Which foreign key of `table` points at the model that stands at `target`: the one in the field `via`, or the only
/// one but `but`. It runs while the program is compiled.
///
/// # Panics
/// With `none` or `several`, which become the compiler's message.
#[allow(clippy::panic, clippy::indexing_slicing, reason = "while compiling, a panic is the message")]
pub const fn foreign_key_to(
    table: &TableDef,
    target: &str,
    via: Option<&str>,
    but: Option<u8>,
    none: &str,
    several: &str,
) -> u8 {
    let (mut at, mut found) = (0, None);
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
            if found.is_some() {
                panic!("{}", several);
            }
            found = Some(at);
        }
        at += 1;
    }
    match found {
        Some(at) => at as u8,
        None => panic!("{}", none),
    }
}

/// Whether the foreign key at `relation` is unique by itself, so that at most one row points at another.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn is_unique(table: &TableDef, relation: u8) -> bool {
    let column = table.relations[relation as usize].column;
    table.columns[column as usize].unique || (table.key.len() == 1 && table.key[0] == column)
}

/// Whether the many-to-many relation in `field` is the one that a relation of the other model leads back by: the same
/// table of links, said the same way. True where the other model has none that leads back.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn sides_agree(own: &TableDef, field: &str, target: &TableDef) -> bool {
    let Some(side) = link(own, field) else { return true };
    let (mut at, mut others) = (0, false);
    while at < target.links.len() {
        let other = &target.links[at];
        if same(other.target_path, own.path) {
            match (side.through, other.through) {
                (None, None) => return true,
                (Some(one), Some(two)) if same(one, two) => return true,
                _ => others = true,
            }
        }
        at += 1;
    }
    !others
}

/// Whether another many-to-many relation of `own` has the same table of links.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn is_only_link(own: &TableDef, field: &str) -> bool {
    let Some(side) = link(own, field) else { return true };
    let mut at = 0;
    while at < own.links.len() {
        let other = &own.links[at];
        let table = match (side.through, other.through) {
            (None, None) => same(side.target_path, other.target_path),
            (Some(one), Some(two)) => same(one, two),
            _ => false,
        };
        if table && !same(other.field, field) {
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

/// Whether `own` is the first of a link table's two models: that of the table whose name comes first.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn is_first(own: &TableDef, target: &TableDef) -> bool {
    let (a, b) = (own.name.as_bytes(), target.name.as_bytes());
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
    let known = tables.iter().find(|table| {
        table.schema == schema
            && table.name == name
            && table.relations.iter().map(|relation| (relation.target)().path).eq([first().path, second().path])
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
