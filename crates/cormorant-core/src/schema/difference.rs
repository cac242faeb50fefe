//! How a table of the database differs from what a model says.
//!
//! The order of columns, the names of keys and indexes, and what a model does not know make no difference, as long
//! as rows can be written.

use cormorant_sql::Dialect;
use cormorant_sql::schema::{Column, ForeignKey, Ident, Index, Table};

use super::live::{LiveColumn, LiveForeignKey, LiveTable};

/// How the database's table differs from the model's, a line each.
pub(super) fn differences(live: &LiveTable, table: &Table, dialect: Dialect) -> Vec<String> {
    let pair = Pair { live, table, dialect };
    let mut lines: Vec<String> = table.columns.iter().flat_map(|column| pair.column(column)).collect();
    lines.extend(live.columns.iter().filter_map(|column| pair.unknown(column)));
    lines.extend(pair.primary_key());
    lines.extend(table.indexes.iter().filter_map(|index| pair.index(index)));
    lines.extend(table.foreign_keys.iter().filter_map(|key| pair.foreign_key(key)));
    let there = |name: &Ident| live.checks.iter().any(|check| dialect.is_check(check, name.as_str()));
    let checks = table.checks.iter().filter(|check| !there(&check.name));
    lines.extend(checks.map(|check| format!("{}: the check {} is missing", table.name, check.name)));
    lines
}

/// The two that are compared.
struct Pair<'a> {
    live: &'a LiveTable,
    table: &'a Table,
    dialect: Dialect,
}

impl Pair<'_> {
    fn column(&self, column: &Column) -> Vec<String> {
        let Self { live, table, dialect } = self;
        let (name, wanted) = (&column.name, dialect.catalog_type(column.ty));
        let Some(found) = live.columns.iter().find(|live| dialect.same_name(&live.name, name.as_str())) else {
            return vec![format!("{}.{name} is missing", table.name)];
        };
        let mut lines = Vec::new();
        if !dialect.same_type(&found.ty, &wanted) {
            lines.push(format!("{}.{name} is {}, the model says {wanted}", table.name, found.ty));
        }
        // SQLite takes a key for nullable that nothing can set to NULL.
        if found.null != column.null && !self.key().iter().any(|key| dialect.same_name(key, name.as_str())) {
            let word = |null| if null { "NULL" } else { "NOT NULL" };
            lines.push(format!("{}.{name} is {}, the model says {}", table.name, word(found.null), word(column.null)));
        }
        lines
    }

    /// A column that the model does not have, and without which no row can be written.
    fn unknown(&self, found: &LiveColumn) -> Option<String> {
        let known = self.table.columns.iter().any(|column| self.dialect.same_name(&found.name, column.name.as_str()));
        (!known && !found.null && !found.filled).then(|| {
            format!("{}.{} is NOT NULL without a default, and the model does not have it", self.table.name, found.name)
        })
    }

    fn key(&self) -> &[String] {
        self.live.indexes.iter().find(|index| index.primary).map_or(&[], |index| &index.columns)
    }

    fn primary_key(&self) -> Option<String> {
        let wanted = &self.table.primary_key.columns;
        let same = self.key().len() == wanted.len() && self.starts(self.key(), wanted);
        (!same).then(|| {
            format!(
                "{}: the primary key is ({}), the model says ({})",
                self.table.name,
                self.key().join(", "),
                listed(wanted)
            )
        })
    }

    /// Another index that begins with the same columns finds rows as well.
    fn index(&self, index: &Index) -> Option<String> {
        let found = self.live.indexes.iter().any(|live| {
            let whole = live.unique && live.columns.len() == index.columns.len();
            (whole || !index.unique) && self.starts(&live.columns, &index.columns)
        });
        let what = if index.unique { "no unique constraint" } else { "no index" };
        (!found).then(|| format!("{}: there is {what} over ({})", self.table.name, listed(&index.columns)))
    }

    fn foreign_key(&self, key: &ForeignKey) -> Option<String> {
        let says = || format!("{}: the foreign key over ({})", self.table.name, listed(&key.columns));
        let same = |live: &&LiveForeignKey| {
            live.columns.len() == key.columns.len() && self.starts(&live.columns, &key.columns)
        };
        let Some(live) = self.live.foreign_keys.iter().find(same) else {
            return Some(format!("{} is missing", says()));
        };
        let named = live.target_columns.is_empty() || self.starts(&live.target_columns, &key.target_columns);
        if !self.dialect.same_name(&live.target, key.target.as_str()) || !named {
            let found = format!("{} ({})", live.target, live.target_columns.join(", "));
            return Some(format!(
                "{} points at {found}, the model says {} ({})",
                says(),
                key.target,
                listed(&key.target_columns)
            ));
        }
        // What the model does not say of a change is left to the database.
        let events = [
            ("is deleted", &live.on_delete, Some(key.on_delete)),
            ("takes another key", &live.on_update, key.on_update),
        ];
        events.into_iter().find_map(|(event, found, wanted)| {
            let wanted = wanted.filter(|wanted| !self.dialect.same_action(found, *wanted))?;
            let wanted = cormorant_sql::ddl::action(wanted);
            Some(format!("{} does {found} when its target {event}, the model says {wanted}", says()))
        })
    }

    /// Whether the columns found begin with those wanted.
    fn starts(&self, found: &[String], wanted: &[Ident]) -> bool {
        found.len() >= wanted.len()
            && found.iter().zip(wanted).all(|(found, wanted)| self.dialect.same_name(found, wanted.as_str()))
    }
}

fn listed(names: &[Ident]) -> String {
    let names: Vec<&str> = names.iter().map(Ident::as_str).collect();
    names.join(", ")
}
