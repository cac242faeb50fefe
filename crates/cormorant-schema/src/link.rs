//! Tables of links between two models, and which foreign key a relation mirrors.

use std::sync::{Mutex, PoisonError};

use crate::{ColumnDef, IndexDef, LinkDef, ManyDef, OnDelete, RelationDef, TableDef, names};

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
    let columns = table.relations[at as usize].columns;
    if stands_in(table.key, columns) {
        return true;
    }
    let mut at = 0;
    while at < columns.len() {
        if table.columns[columns[at] as usize].unique {
            return true;
        }
        at += 1;
    }
    let mut at = 0;
    while at < table.indexes.len() {
        let index = &table.indexes[at];
        if index.unique && stands_in(index.columns, columns) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether each of some columns is one of others.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
const fn stands_in(these: &[u16], others: &[u16]) -> bool {
    let mut at = 0;
    while at < these.len() {
        let mut other = 0;
        while other < others.len() && others[other] != these[at] {
            other += 1;
        }
        if other == others.len() {
            return false;
        }
        at += 1;
    }
    true
}

/// What is wrong with the columns that a foreign key says it references: those of the key that it points at, in the
/// order of that. A key of one column is not named.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
pub const fn wrong_references(field: &str, target: &TableDef, named: &[&str]) -> Option<Message> {
    let wanted = if target.key.len() == 1 { 0 } else { target.key.len() };
    let mut right = named.len() == wanted;
    let mut at = 0;
    while right && at < named.len() {
        right = same(named[at], target.columns[target.key[at] as usize].name);
        at += 1;
    }
    if right {
        return None;
    }
    let message = Message::new().with("`").with(field).with("` points at `").with(target.model);
    if wanted == 0 {
        return Some(message.with("`, whose key is one column: leave `references` away"));
    }
    let columns = Message::new().with_key(target);
    let message = message.with("`, whose key is (").with(columns.text());
    Some(message.with("): write `#[model(references(").with(columns.text()).with("))]`"))
}

/// A message that is put together while the program is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    bytes: [u8; 1024],
    length: usize,
}

#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
impl Message {
    const fn new() -> Self {
        Self { bytes: [0; 1024], length: 0 }
    }

    /// With more text behind it, if there is room.
    const fn with(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if self.length + text.len() <= self.bytes.len() {
            let mut at = 0;
            while at < text.len() {
                self.bytes[self.length + at] = text[at];
                at += 1;
            }
            self.length += text.len();
        }
        self
    }

    /// With the columns of a table's key, as `references` takes them.
    const fn with_key(mut self, table: &TableDef) -> Self {
        let mut at = 0;
        while at < table.key.len() {
            let name = table.columns[table.key[at] as usize].name;
            let quote = if is_word(name.as_bytes()) { "" } else { "\"" };
            self = self.with(if at == 0 { "" } else { ", " }).with(quote).with(name).with(quote);
            at += 1;
        }
        self
    }

    /// The text.
    pub const fn text(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

/// Whether a name can stand in Rust without quotes.
#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
const fn is_word(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() && (name[at] == b'_' || name[at].is_ascii_alphabetic() || at > 0 && name[at].is_ascii_digit())
    {
        at += 1;
    }
    at == name.len()
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
    let (mut columns, mut relations, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
    let model = leak(format!("the links of {} and {}", first().model, second().model));
    for (n, (table, field)) in sides.into_iter().enumerate() {
        let start = columns.len();
        match table().key {
            [key] => {
                let column = link_column(field, "id", table(), *key);
                // The first is the first column of the key, which is an index.
                columns.push(if n == 0 { column } else { column.index() });
            }
            key => columns.extend(key.iter().map(|key| {
                let name = table().column(*key).map_or("", |column| column.name);
                link_column(field, name, table(), *key)
            })),
        }
        let positions: &'static [u16] = Vec::leak((start as u16..columns.len() as u16).collect());
        if n > 0 && positions.len() > 1 {
            indexes.push(IndexDef { name: None, columns: positions, unique: false });
        }
        relations.push(RelationDef {
            model,
            field,
            columns: positions,
            target: table,
            target_path: table().path,
            on_delete: OnDelete::Cascade,
            on_update: None,
        });
    }
    Box::leak(Box::new(TableDef {
        model,
        path: model,
        singular: "",
        schema,
        name: leak(name),
        key: Vec::leak((0..columns.len() as u16).collect()),
        columns: Vec::leak(columns),
        relations: Vec::leak(relations),
        many: || &[],
        links: &[],
        indexes: Vec::leak(indexes),
        checks: &[],
        strict: false,
        autoincrement: false,
    }))
}

/// The column of a table of links that holds what a column of a model's key does.
fn link_column(field: &'static str, name: &str, table: &TableDef, key: u16) -> ColumnDef {
    let ty = table.column(key).map_or(crate::ColumnType::I64, |key| key.ty);
    ColumnDef::new(field, leak(format!("{field}_{name}")), ty, false).key(false)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnType;

    const PLAIN: TableDef = TableDef {
        model: "Line",
        path: "shop::Line",
        singular: "line",
        schema: None,
        name: "lines",
        columns: &[],
        key: &[0, 2],
        relations: &[],
        many: || &[],
        links: &[],
        indexes: &[],
        checks: &[],
        strict: false,
        autoincrement: false,
    };
    const fn column(name: &'static str) -> ColumnDef {
        ColumnDef::new(name, name, ColumnType::I64, false)
    }
    static LINES: TableDef = TableDef { columns: &[column("order_id"), column("title"), column("number")], ..PLAIN };
    static TAGS: TableDef =
        TableDef { model: "Tag", singular: "tag", name: "tags", columns: &[column("id")], key: &[0], ..PLAIN };

    fn wrong(target: &TableDef, named: &[&str]) -> Option<String> {
        wrong_references("Shipment.line", target, named).map(|message| message.text().to_owned())
    }

    #[test]
    fn a_foreign_key_references_the_key_in_its_order() {
        assert_eq!(wrong(&LINES, &["order_id", "number"]), None);
        assert_eq!(wrong(&TAGS, &[]), None);
        let message = "`Shipment.line` points at `Line`, whose key is (order_id, number): write `#[model(references(order_id, number))]`";
        for named in
            [&[][..], &["order_id"], &["number", "order_id"], &["order_id", "title"], &["order_id", "number", "title"]]
        {
            assert_eq!(wrong(&LINES, named).as_deref(), Some(message), "{named:?}");
        }
        let message = "`Shipment.line` points at `Tag`, whose key is one column: leave `references` away";
        assert_eq!(wrong(&TAGS, &["id"]).as_deref(), Some(message));
        let kebab = TableDef { columns: const { &[column("order-id"), column("2nd"), column("type")] }, ..LINES };
        let told = wrong(&kebab, &[]).unwrap();
        assert!(told.ends_with("write `#[model(references(\"order-id\", type))]`"), "{told}");
    }

    #[test]
    fn a_message_that_is_too_long_is_cut_between_its_parts() {
        let text = "é".repeat(300);
        let message = Message::new().with(&text).with(&text).with("end");
        assert_eq!(message.text(), format!("{text}end"));
    }

    #[test]
    fn a_foreign_key_is_unique_where_some_of_its_columns_are() {
        const fn to_lines(columns: &'static [u16]) -> RelationDef {
            RelationDef {
                model: "",
                field: "line",
                columns,
                target: || &LINES,
                target_path: "",
                on_delete: OnDelete::Restrict,
                on_update: None,
            }
        }
        const fn unique(columns: &'static [u16]) -> IndexDef {
            IndexDef { name: None, columns, unique: true }
        }
        const BASE: TableDef = TableDef {
            columns: &[column("id"), column("a"), column("b"), column("c")],
            key: &[0],
            relations: &[to_lines(&[1, 2])],
            ..PLAIN
        };
        let is = |table: &TableDef| is_unique(table, Found::One(0));
        assert!(!is(&BASE));
        assert!(!is(&TableDef { indexes: const { &[unique(&[1, 3]), unique(&[1, 2, 3])] }, ..BASE }));
        assert!(!is(&TableDef { indexes: const { &[IndexDef { unique: false, ..unique(&[1, 2]) }] }, ..BASE }));
        assert!(is(&TableDef { indexes: const { &[unique(&[1, 3]), unique(&[2, 1])] }, ..BASE }));
        assert!(is(&TableDef { indexes: const { &[unique(&[2])] }, ..BASE }));
        assert!(is(&TableDef { key: &[1, 2], ..BASE }));
        assert!(!is(&TableDef { key: &[1, 3], ..BASE }));
        let alone =
            TableDef { columns: const { &[column("id"), column("a"), column("b").unique(), column("c")] }, ..BASE };
        assert!(is(&alone));
    }

    #[test]
    fn links_hold_each_column_of_a_key() {
        let side = LinkDef { field: "tags", own: || &LINES, target: || &TAGS, target_path: "", through: None };
        let table = link_table(&side);
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(names, ["line_order_id", "line_number", "tag_id"]);
        assert_eq!((table.name, table.key), ("lines_tags", &[0, 1, 2][..]));
        assert_eq!(table.relations.iter().map(|relation| relation.columns).collect::<Vec<_>>(), [&[0, 1][..], &[2]]);
        assert!(table.columns[2].index && table.indexes.is_empty(), "the first are the first of the key");
        let other = LinkDef { field: "lines", own: || &TAGS, target: || &LINES, target_path: "", through: None };
        assert!(std::ptr::eq(link_table(&other), table));
        let twice = LinkDef { field: "like", own: || &LINES, target: || &LINES, target_path: "", through: None };
        let table = link_table(&twice);
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(names, ["from_line_order_id", "from_line_number", "to_line_order_id", "to_line_number"]);
        assert_eq!(table.indexes.iter().map(|index| index.columns).collect::<Vec<_>>(), [&[2, 3][..]]);
    }
}
