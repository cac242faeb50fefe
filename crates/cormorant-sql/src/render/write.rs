//! INSERT, UPDATE and DELETE.

use cormorant_schema::TableDef;

use super::clauses::Clauses;
use super::nested::depths;
use super::nodes::Nodes;
use super::select::{Shown, column_output};
use super::{Renderer, enough_values, shorten};
use crate::{Class, Dialect, Fault, Kind, Parameter, Token};

impl Renderer {
    pub(super) fn insert(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let (columns, rows) = (written(tokens), rows(tokens));
        self.push("INSERT INTO ");
        self.table(table)?;
        match (columns.as_slice(), rows) {
            (_, 0) => return Err(Fault::Malformed("an INSERT writes no row")),
            ([], 1) => self.push(self.dialect.insert_defaults()),
            ([], _) => return Err(Fault::Malformed("several rows without a value need a statement each")),
            (columns, rows) => {
                for (n, column) in columns.iter().enumerate() {
                    self.push(if n == 0 { " (" } else { ", " });
                    self.column_name(table, *column)?;
                }
                self.push(") VALUES ");
                let mut value = 0;
                for row in 0..rows {
                    self.push(if row == 0 { "(" } else { ", (" });
                    for n in 0..columns.len() {
                        self.push(if n == 0 { "" } else { ", " });
                        self.placeholder(value)?;
                        value += 1;
                    }
                    self.push(")");
                }
            }
        }
        let returning = tokens.iter().filter_map(|t| if let Token::Returning(c) = t { Some(*c) } else { None });
        self.returning(Kind::Insert, table, returning)
    }

    pub(super) fn update(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, 0)?;
        if clauses.set.is_empty() {
            return Err(Fault::Malformed("an UPDATE sets nothing"));
        }
        self.change(Kind::Update, table, tokens, &clauses)
    }

    pub(super) fn delete(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, 0)?;
        self.change(Kind::Delete, table, tokens, &clauses)
    }

    /// Changes the rows that the clauses find: by their condition where that is all, by their keys otherwise.
    fn change(
        &mut self,
        kind: Kind,
        table: &'static TableDef,
        tokens: &[Token],
        clauses: &Clauses,
    ) -> Result<(), Fault> {
        if !clauses.group_by.is_empty() || !clauses.combined.is_empty() {
            return Err(Fault::Unsupported {
                what: "groups of rows and combined queries cannot be changed".to_owned(),
                instead: "select their keys, and change the rows with these keys",
            });
        }
        self.push(if kind == Kind::Update { "UPDATE " } else { "DELETE FROM " });
        self.enter(table, tokens)?;
        let nodes = Nodes::of(tokens, &self.tables(), 0)?;
        let depths = depths(tokens)?;
        let nests = |at: usize| -> Result<bool, Fault> {
            let expression = depths.get(nodes.get(at)?.start..=at).unwrap_or_default();
            Ok(expression.iter().any(|depth| *depth != Some(0)))
        };
        let mut set_nests = false;
        for (_, at) in &clauses.set {
            set_nests |= nests(*at)?;
            refuse_joins(table, tokens, &depths, nodes.get(*at)?.start, *at)?;
        }
        let mut filter_nests = false;
        for at in &clauses.filter {
            filter_nests |= nests(*at)?;
        }
        let reads = self.dialect.reads_what_it_changes();
        let scope = self.scopes.last_mut().ok_or(Fault::Malformed("a statement has no table"))?;
        let direct = clauses.only_filters() && scope.joins.is_empty() && (reads || !filter_nests);
        // What stands in the statement itself has no joins; only nested queries have to say whose columns they mean.
        scope.joins.clear();
        scope.qualified = set_nests || (direct && filter_nests);
        let (alias, qualified) = (scope.alias, scope.qualified);
        self.table(table)?;
        if qualified {
            self.push(" AS ");
            self.alias(alias);
        }
        for (n, (column, at)) in clauses.set.iter().enumerate() {
            self.push(if n == 0 { " SET " } else { ", " });
            self.column_name(table, *column)?;
            self.push(" = ");
            let integer = table.column(*column).is_some_and(|column| column.ty.is_integer());
            let calculated = matches!(tokens.get(*at), Some(Token::Binary(_) | Token::Unary(_)));
            let check = self.dialect.checks_stored_integers().filter(|_| integer && calculated);
            self.push(check.unwrap_or_default());
            self.expression(tokens, &nodes, *at)?;
            self.push(if check.is_some() { ")" } else { "" });
        }
        if direct {
            self.conditions(" WHERE ", tokens, &nodes, &clauses.filter)?;
            self.scopes.pop();
        } else {
            self.scopes.pop();
            self.by_key(table, tokens, clauses)?;
        }
        self.returning(kind, table, clauses.returning.iter().copied())
    }

    /// The rows whose keys a query finds, for a statement that cannot find them itself.
    fn by_key(&mut self, table: &'static TableDef, tokens: &[Token], clauses: &Clauses) -> Result<(), Fault> {
        let several = match table.key {
            [] => return Err(Fault::Malformed("a table without a key has no rows to tell apart")),
            key => key.len() > 1,
        };
        self.push(if several { " WHERE (" } else { " WHERE " });
        for (n, column) in table.key.iter().enumerate() {
            self.push(if n == 0 { "" } else { ", " });
            self.column_name(table, *column)?;
        }
        self.push(if several { ") IN (" } else { " IN (" });
        // MySQL refuses to read the table it changes, unless the rows it reads are a table of their own.
        let wrap = !self.dialect.reads_what_it_changes();
        self.push(if wrap { "SELECT * FROM (" } else { "" });
        self.query(table, tokens, 0, clauses, Shown::Key)?;
        self.push(if wrap { ") AS picked)" } else { ")" });
        Ok(())
    }

    fn returning(
        &mut self,
        kind: Kind,
        table: &'static TableDef,
        columns: impl Iterator<Item = u16>,
    ) -> Result<(), Fault> {
        let (able, verb) = match kind {
            Kind::Update => (self.dialect.update_returning(), "UPDATE"),
            Kind::Delete => (self.dialect.delete_returning(), "DELETE"),
            _ => (self.dialect.insert_returning(), "INSERT"),
        };
        for (n, column) in columns.enumerate() {
            if !able {
                return Err(Fault::Unsupported {
                    what: format!("{} gives no rows back from {verb}", self.dialect),
                    instead: "select the rows in the same transaction",
                });
            }
            self.push(if n == 0 { " RETURNING " } else { ", " });
            self.column_name(table, column)?;
            self.outputs.push(column_output(table, column));
        }
        Ok(())
    }
}

/// An UPDATE sees the columns of its own table only.
fn refuse_joins(
    table: &'static TableDef,
    tokens: &[Token],
    depths: &[Option<usize>],
    start: usize,
    end: usize,
) -> Result<(), Fault> {
    let tokens = tokens.get(start..=end).unwrap_or_default();
    for (token, depth) in tokens.iter().zip(depths.get(start..=end).unwrap_or_default()) {
        if let Token::Column { via, column, outer } = *token
            && *depth == Some(usize::from(outer))
            && !shorten(table, via, column)?.0.is_root()
        {
            return Err(Fault::Unsupported {
                what: "an update cannot set a column to a related row's column".to_owned(),
                instead: "read the value first, or use a column of the same table",
            });
        }
    }
    Ok(())
}

fn written(tokens: &[Token]) -> Vec<u16> {
    tokens.iter().filter_map(|token| if let Token::Into(column) = token { Some(*column) } else { None }).collect()
}

fn rows(tokens: &[Token]) -> u32 {
    tokens.iter().find_map(|token| if let Token::Rows(n) = token { Some(*n) } else { None }).unwrap_or(1)
}

/// An INSERT binds its columns' values row by row.
pub(super) fn insert_parameters(
    table: &'static TableDef,
    tokens: &[Token],
    dialect: Dialect,
) -> Result<Vec<Parameter>, Fault> {
    let class = |column: u16| table.column(column).map_or(Class::Text, |column| Class::of(column.ty));
    let row: Vec<Parameter> =
        written(tokens).into_iter().map(|column| Parameter { class: class(column), list: false }).collect();
    let values = usize::try_from(rows(tokens)).ok().and_then(|rows| rows.checked_mul(row.len()));
    let values = values.unwrap_or(usize::MAX);
    enough_values(dialect, values)?;
    // Before memory runs out: SQLite's own limit is lower.
    let limit = usize::from(u16::MAX) * 4;
    match values <= limit {
        true => Ok(row.iter().copied().cycle().take(values).collect()),
        false => Err(Fault::TooMuch { what: "values", limit }),
    }
}
