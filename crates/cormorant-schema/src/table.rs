//! Tables as owned values: what is compared, created, and read from a live database.

use std::collections::HashMap;

use crate::{Allowed, ColumnType, DefaultDef, Ident, InvalidIdent, OnDelete, RelationDef, TableDef, names};

/// Tables, in an order in which they can be created: a table stands behind those it points at, where no cycle
/// prevents it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// The tables.
    pub tables: Vec<Table>,
}

impl Schema {
    /// The schema of some models.
    ///
    /// # Errors
    /// [`InvalidIdent`] when a name cannot be written into SQL.
    pub fn of<'a>(models: impl IntoIterator<Item = &'a TableDef>) -> Result<Self, InvalidIdent> {
        let tables = models.into_iter().map(Table::of).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { tables: creation_order(tables) })
    }
}

/// Puts every table behind the tables it points at. Of a cycle, the table that was given first goes first.
fn creation_order(tables: Vec<Table>) -> Vec<Table> {
    let mut waiting = tables;
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let next = next_to_create(&waiting);
        ordered.push(waiting.remove(next));
    }
    ordered
}

/// The position of a table that points at none that waits, or else of the first in a cycle.
fn next_to_create(waiting: &[Table]) -> usize {
    let positions: HashMap<TableName, usize> = waiting.iter().enumerate().map(|(n, t)| (t.full_name(), n)).collect();
    let waits_for = |at: usize| {
        let keys = waiting.get(at).map_or([].as_slice(), |table| &table.foreign_keys).iter();
        let targets = keys.filter_map(|key| positions.get(&(key.target_schema.clone(), key.target.clone())).copied());
        targets.filter(|target| *target != at).min()
    };
    if let Some(ready) = (0..waiting.len()).find(|at| waits_for(*at).is_none()) {
        return ready;
    }
    // Every table waits for another: following them leads into a cycle, and once round it.
    let follow = |at: usize| waits_for(at).unwrap_or(at);
    let inside = (0..waiting.len()).fold(0, |at, _| follow(at));
    let (mut first, mut at) = (inside, follow(inside));
    while at != inside {
        first = first.min(at);
        at = follow(at);
    }
    first
}

type TableName = (Option<Ident>, Ident);

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The model it comes from, for messages; empty for a table read from a database.
    pub model: String,
    /// The database schema.
    pub schema: Option<Ident>,
    /// The name.
    pub name: Ident,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: PrimaryKey,
    /// The foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Unique constraints and indexes.
    pub indexes: Vec<Index>,
    /// Checks.
    pub checks: Vec<Check>,
    /// SQLite: a STRICT table.
    pub strict: bool,
    /// SQLite: keys are never used again.
    pub autoincrement: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name.
    pub name: Ident,
    /// What it holds.
    pub ty: ColumnType,
    /// Whether it may be NULL.
    pub null: bool,
    /// The value the database gives when none is sent.
    pub default: Option<Default>,
    /// Whether the database generates it (an integer key).
    pub generated: bool,
}

/// The value a column gets when none is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Default {
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A number, in decimal notation.
    Number(String),
    /// Text, quoted by the dialect.
    Text(String),
    /// SQL, written as it stands.
    Sql(String),
}

/// A primary key.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimaryKey {
    /// The constraint's name.
    pub name: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// The schema of the table it points at.
    pub target_schema: Option<Ident>,
    /// The table it points at.
    pub target: Ident,
    /// The columns it points at.
    pub target_columns: Vec<Ident>,
    /// What happens when the target is deleted.
    pub on_delete: OnDelete,
    /// What happens when the target's key changes, where the model says it.
    pub on_update: Option<OnDelete>,
}

/// An index or a unique constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The name.
    pub name: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// Whether the columns together are unique.
    pub unique: bool,
}

/// A check.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The constraint's name.
    pub name: Ident,
    /// The condition.
    pub condition: Condition,
}

/// What a check demands.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// SQL, written as it stands.
    Sql(String),
    /// A column holds one of these texts.
    Texts(Ident, Vec<String>),
    /// A column holds one of these integers.
    Integers(Ident, Vec<i64>),
}

impl Table {
    /// The table of a model, with every name made by rule.
    ///
    /// # Errors
    /// [`InvalidIdent`] when a name cannot be written into SQL.
    pub fn of(def: &TableDef) -> Result<Self, InvalidIdent> {
        let columns = (0..=u16::MAX)
            .zip(def.columns)
            .map(|(position, column)| {
                Ok(Column {
                    name: Ident::new(column.name)?,
                    ty: def.type_of(position).unwrap_or(column.ty),
                    null: column.null,
                    default: column.default.and_then(owned_default),
                    generated: column.generated,
                })
            })
            .collect::<Result<Vec<_>, InvalidIdent>>()?;
        let key = def.key_columns().map(|column| Ident::new(column.name)).collect::<Result<Vec<_>, _>>()?;
        let foreign_keys =
            def.relations.iter().map(|relation| foreign_key(def, relation)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            model: def.model.to_owned(),
            schema: def.schema.map(Ident::new).transpose()?,
            name: Ident::new(def.name)?,
            columns,
            primary_key: PrimaryKey { name: Ident::new(names::primary_key(def.name))?, columns: key },
            foreign_keys,
            indexes: once(indexes(def)?),
            checks: once(checks(def)?),
            strict: def.strict,
            autoincrement: def.autoincrement,
        })
    }

    fn full_name(&self) -> TableName {
        (self.schema.clone(), self.name.clone())
    }
}

fn owned_default(default: DefaultDef) -> Option<Default> {
    Some(match default {
        DefaultDef::Bool(value) => Default::Bool(value),
        DefaultDef::Int(value) => Default::Number(value.to_string()),
        DefaultDef::Number(text) => Default::Number(text.to_owned()),
        DefaultDef::Text(text) => Default::Text(text.to_owned()),
        DefaultDef::Sql(sql) => Default::Sql(sql.to_owned()),
        DefaultDef::Constant(value) => return value().and_then(owned_default),
    })
}

/// What the model says twice is made once: a field's index that the struct names as well.
fn once<T: PartialEq>(said: Vec<T>) -> Vec<T> {
    let mut once = Vec::with_capacity(said.len());
    for item in said {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}

fn foreign_key(def: &TableDef, relation: &RelationDef) -> Result<ForeignKey, InvalidIdent> {
    let columns = names_of(def, relation.columns);
    let target = (relation.target)();
    Ok(ForeignKey {
        name: Ident::new(names::foreign_key(def.name, &columns))?,
        columns: columns.into_iter().map(Ident::new).collect::<Result<_, _>>()?,
        target_schema: target.schema.map(Ident::new).transpose()?,
        target: Ident::new(target.name)?,
        target_columns: target.key_columns().map(|key| Ident::new(key.name)).collect::<Result<_, _>>()?,
        on_delete: relation.on_delete,
        on_update: relation.on_update,
    })
}

fn names_of(def: &TableDef, columns: &[u16]) -> Vec<&'static str> {
    columns.iter().filter_map(|position| def.column(*position)).map(|column| column.name).collect()
}

/// Unique columns and indexed columns first, in the order of the fields, then what the struct declares.
fn indexes(def: &TableDef) -> Result<Vec<Index>, InvalidIdent> {
    let single = def.columns.iter().filter(|column| column.unique || column.index).map(|column| {
        let name = if column.unique { names::unique } else { names::index };
        Ok(Index {
            name: Ident::new(name(def.name, &[column.name]))?,
            columns: vec![Ident::new(column.name)?],
            unique: column.unique,
        })
    });
    let several = def.indexes.iter().map(|index| {
        let columns = names_of(def, index.columns);
        let by_rule = if index.unique { names::unique } else { names::index };
        Ok(Index {
            name: match index.name {
                Some(name) => Ident::new(name)?,
                None => Ident::new(by_rule(def.name, &columns))?,
            },
            columns: columns.into_iter().map(Ident::new).collect::<Result<_, _>>()?,
            unique: index.unique,
        })
    });
    single.chain(several).collect()
}

/// Those of columns first, in the order of the fields, then what the struct declares.
fn checks(def: &TableDef) -> Result<Vec<Check>, InvalidIdent> {
    let mut checks = Vec::new();
    for column in def.columns {
        if let (Some(name), Some(allowed)) = (column.allowed_name(def.name), column.allowed) {
            checks.push(Check { name: Ident::new(name)?, condition: one_of(Ident::new(column.name)?, allowed) });
        }
        if let (Some(name), Some(sql)) = (column.check_name(def.name), column.check) {
            checks.push(Check { name: Ident::new(name)?, condition: Condition::Sql(sql.to_owned()) });
        }
    }
    for check in def.checks {
        let name = Ident::new(names::check(def.name, check.name))?;
        checks.push(Check { name, condition: Condition::Sql(check.sql.to_owned()) });
    }
    Ok(checks)
}

fn one_of(column: Ident, allowed: Allowed) -> Condition {
    match allowed {
        Allowed::Texts(texts) => Condition::Texts(column, texts.iter().map(|text| (*text).to_owned()).collect()),
        Allowed::Integers(integers) => Condition::Integers(column, integers.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &'static str, targets: &[&'static str]) -> Table {
        let ident = |name: &'static str| Ident::new(name).unwrap();
        let key = |target: &&'static str| ForeignKey {
            name: ident("fk"),
            columns: vec![ident("x_id")],
            target_schema: None,
            target: ident(target),
            target_columns: vec![ident("id")],
            on_delete: OnDelete::Restrict,
            on_update: None,
        };
        Table {
            model: String::new(),
            schema: None,
            name: ident(name),
            columns: Vec::new(),
            primary_key: PrimaryKey { name: ident("pk"), columns: Vec::new() },
            foreign_keys: targets.iter().map(key).collect(),
            indexes: Vec::new(),
            checks: Vec::new(),
            strict: false,
            autoincrement: false,
        }
    }

    fn order(tables: &[(&'static str, &[&'static str])]) -> String {
        let tables = tables.iter().map(|(name, targets)| table(name, targets)).collect();
        let names: Vec<String> = creation_order(tables).iter().map(|table| table.name.to_string()).collect();
        names.join(" ")
    }

    #[test]
    fn a_table_stands_behind_what_it_points_at() {
        assert_eq!(order(&[("c", &["b"]), ("b", &["a"]), ("a", &[])]), "a b c");
        assert_eq!(order(&[("b", &["b", "elsewhere"]), ("a", &["a"])]), "b a", "itself, or what is not created");
    }

    #[test]
    fn only_a_cycle_breaks_the_order() {
        assert_eq!(order(&[("b", &["c"]), ("c", &["b"])]), "b c");
        assert_eq!(order(&[("a", &["c"]), ("b", &["c"]), ("c", &["b"])]), "b c a", "a is in no cycle");
        assert_eq!(order(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["b"])]), "b a d c");
    }

    const PLAIN: TableDef = TableDef {
        model: "",
        path: "",
        singular: "",
        schema: None,
        name: "t",
        columns: &[],
        key: &[0],
        relations: &[],
        many: || &[],
        links: &[],
        indexes: &[],
        checks: &[],
        strict: false,
        autoincrement: false,
    };
    const FOREIGN: crate::ColumnDef =
        crate::ColumnDef::new("next", "next_id", ColumnType::Text { max_length: Some(255) }, false);
    const fn to(target: fn() -> &'static TableDef) -> RelationDef {
        RelationDef {
            model: "",
            field: "next",
            columns: &[0],
            target,
            target_path: "",
            on_delete: OnDelete::Restrict,
            on_update: None,
        }
    }
    const LONG: crate::ColumnDef = crate::ColumnDef::new("id", "id", ColumnType::Text { max_length: Some(300) }, false);
    static LAST: TableDef = TableDef { columns: &[LONG], ..PLAIN };
    static MIDDLE: TableDef = TableDef { columns: &[FOREIGN], relations: &[to(|| &LAST)], ..PLAIN };
    static FIRST: TableDef = TableDef { columns: &[FOREIGN], relations: &[to(|| &MIDDLE)], ..PLAIN };
    static ROUND: TableDef = TableDef { columns: &[FOREIGN], relations: &[to(|| &ROUND)], ..PLAIN };

    #[test]
    fn a_foreign_key_holds_what_the_key_holds() {
        let columns = Table::of(&FIRST).unwrap().columns;
        assert_eq!(columns[0].ty, LONG.ty, "the key that it points at is a foreign key itself");
        assert_eq!(ROUND.type_of(0), Some(FOREIGN.ty), "a key that points at itself ends somewhere");
        assert_eq!(ROUND.type_of(1), None);
    }

    static PAIR: TableDef =
        TableDef { columns: &[crate::ColumnDef::new("n", "n", ColumnType::I16, false), LONG], key: &[1, 0], ..PLAIN };
    static TO_PAIR: TableDef = TableDef {
        columns: &[FOREIGN, FOREIGN],
        relations: &[RelationDef { columns: &[0, 1], ..to(|| &PAIR) }],
        key: &[0, 1],
        ..PLAIN
    };
    static BEHIND: TableDef = TableDef {
        columns: &[FOREIGN, FOREIGN],
        relations: &[RelationDef { columns: &[0, 1], ..to(|| &TO_PAIR) }],
        ..PLAIN
    };

    #[test]
    fn each_column_of_a_foreign_key_holds_what_that_of_the_key_does() {
        for table in [&TO_PAIR, &BEHIND] {
            assert_eq!([table.type_of(0), table.type_of(1)], [Some(LONG.ty), Some(ColumnType::I16)]);
        }
        // One that has fewer columns than the key is as it says itself.
        let odd = TableDef { relations: const { &[to(|| &PAIR)] }, ..MIDDLE };
        assert_eq!(odd.type_of(0), Some(FOREIGN.ty));
        assert_eq!(TO_PAIR.fields([0, 1]), "next", "a field is named once");
    }
}
