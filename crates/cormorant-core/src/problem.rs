//! Errors of the database, in terms of the model.

use cormorant_driver::{Error, ErrorKind};
use cormorant_sql::Value;
use cormorant_sql::schema::{ColumnDef, RelationDef, TableDef, names};

/// An error of a statement that only read.
pub(crate) fn of_query(error: Error, table: &'static TableDef) -> Error {
    match error.kind() {
        ErrorKind::SchemaMismatch => missing(error, table),
        ErrorKind::Decode | ErrorKind::NotFound | ErrorKind::MultipleRows | ErrorKind::Encode => {
            error.with_model(table.model)
        }
        _ => error,
    }
}

/// An error of a statement that wrote; `written` are the columns of its values, in order, row by row.
pub(crate) fn of_write(error: Error, table: &'static TableDef, written: &[u16], values: &[Value<'_>]) -> Error {
    match error.kind() {
        ErrorKind::SchemaMismatch => missing(error, table),
        ErrorKind::Unique => unique(error, table),
        ErrorKind::ForeignKey => foreign_key(error, table, written, values),
        ErrorKind::NotNull => not_null(error, table),
        ErrorKind::Check => check(error, table),
        ErrorKind::Encode | ErrorKind::OutOfRange | ErrorKind::Decode => {
            let column =
                error.parameter().and_then(|n| written.get(n % written.len().max(1))).and_then(|c| table.column(*c));
            let named = || error.columns().first().and_then(|name| by_name(table, name));
            match column.or_else(named) {
                Some(column) => error.with_model(table.model).with_field(column.field),
                None => error.with_model(table.model),
            }
        }
        _ => error,
    }
}

/// A table or column that the database lacks: names the field where the message names the column.
fn missing(error: Error, table: &'static TableDef) -> Error {
    let message = error.to_string();
    let column = table.columns.iter().find(|column| names_it(&message, column.name));
    let text = format!(
        "{message}; the database is not as the model says: has a migration been applied, or `create_all` been run, since the model changed?"
    );
    let renewed = Error::new(ErrorKind::SchemaMismatch, text).with_model(table.model);
    let renewed = match error.code() {
        Some(code) => renewed.with_code(code),
        None => renewed,
    };
    match column {
        Some(column) => renewed.with_field(column.field),
        None => renewed,
    }
}

/// Whether a message names a column, as a whole word.
fn names_it(message: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    message.match_indices(name).any(|(at, _)| {
        let before = message.get(..at).and_then(|text| text.chars().next_back());
        let after = message.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

fn by_name(table: &'static TableDef, name: &str) -> Option<&'static ColumnDef> {
    table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
}

fn unique(error: Error, table: &'static TableDef) -> Error {
    // SQLite names the columns, the others the constraint.
    for (constraint, columns) in uniques(table) {
        let by_constraint = error.constraint().is_some_and(|name| same(name, &constraint, table));
        let primary = error.constraint() == Some("PRIMARY") && constraint == names::primary_key(table.name);
        let by_columns =
            !error.columns().is_empty() && error.columns().iter().map(String::as_str).eq(names_of(table, &columns));
        if by_constraint || primary || by_columns {
            let constraint = error.constraint().filter(|_| !primary).map_or(constraint, str::to_owned);
            return renew(&error, ErrorKind::Unique, "the value is there already, and it must be unique")
                .with_model(table.model)
                .with_field(&table.fields(columns))
                .with_constraint(&constraint);
        }
    }
    error.with_model(table.model)
}

/// Every unique constraint of a table: its name and its columns.
fn uniques(table: &'static TableDef) -> Vec<(String, Vec<u16>)> {
    let mut uniques = vec![(names::primary_key(table.name), table.key.to_vec())];
    for (position, column) in (0..=u16::MAX).zip(table.columns).filter(|(_, column)| column.unique) {
        uniques.push((names::unique(table.name, &[column.name]), vec![position]));
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        let by_rule = || names::unique(table.name, &names_of(table, index.columns).collect::<Vec<_>>());
        uniques.push((index.name.map_or_else(by_rule, str::to_owned), index.columns.to_vec()));
    }
    uniques
}

fn names_of(table: &'static TableDef, columns: &[u16]) -> impl Iterator<Item = &'static str> {
    columns.iter().filter_map(|position| table.column(*position)).map(|column| column.name)
}

/// MySQL may put the table in front of a key's name.
fn same(found: &str, constraint: &str, table: &TableDef) -> bool {
    found == constraint || found.strip_prefix(table.name).and_then(|rest| rest.strip_prefix('.')) == Some(constraint)
}

fn foreign_key(error: Error, table: &'static TableDef, written: &[u16], values: &[Value<'_>]) -> Error {
    let name =
        |relation: &RelationDef| names::foreign_key(table.name, &names_of(table, relation.columns).collect::<Vec<_>>());
    let named = table.relations.iter().find(|relation| error.constraint() == Some(name(relation).as_str()));
    // SQLite does not say which. Where only one was written with a value, it is that one: NULL points at nothing.
    let points = |relation: &&RelationDef| {
        let mut written = written.iter().cycle().zip(values);
        written.any(|(column, value)| relation.columns.contains(column) && !value.is_null())
    };
    let mut possible = table.relations.iter().filter(points);
    let only = match (error.constraint(), possible.next(), possible.next()) {
        (None, Some(only), None) => Some(only),
        _ => None,
    };
    let Some(relation) = named.or(only) else { return error.with_model(table.model) };
    let target = (relation.target)().model;
    // What was not written may belong to another row of the same table, which points at this one.
    let message = match relation.columns.iter().any(|column| written.contains(column)) {
        true => format!("the row of {target} it points at is missing: insert that one first"),
        false => format!("the row of {target} it points at is missing, or the row is still pointed at"),
    };
    renew(&error, ErrorKind::ForeignKey, &message)
        .with_model(table.model)
        .with_field(relation.field)
        .with_constraint(&name(relation))
}

fn not_null(error: Error, table: &'static TableDef) -> Error {
    let column = error.columns().first().and_then(|name| by_name(table, name));
    let field = column.map_or("", |column| column.field);
    let error = error.with_model(table.model);
    if field.is_empty() { error } else { error.with_field(field) }
}

fn check(error: Error, table: &'static TableDef) -> Error {
    let column = table.columns.iter().find(|column| {
        let mut names = column.allowed_name(table.name).into_iter().chain(column.check_name(table.name));
        names.any(|name| error.constraint() == Some(name.as_str()))
    });
    let error = error.with_model(table.model);
    match column {
        Some(column) => error.with_field(column.field),
        None => error,
    }
}

/// The same error with another message.
fn renew(error: &Error, kind: ErrorKind, message: &str) -> Error {
    let renewed = Error::new(kind, message).with_columns(error.columns().to_vec());
    match error.code() {
        Some(code) => renewed.with_code(code),
        None => renewed,
    }
}
