//! INSERT, UPDATE and DELETE.

use cormorant_schema::TableDef;

use super::Renderer;
use super::nodes::{Nodes, nested};
use super::select::{Clauses, column_output};
use crate::{Class, Fault, Parameter, Token};

impl Renderer {
    pub(super) fn insert(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let columns = written(tokens);
        let rows = rows(tokens);
        self.push("INSERT INTO ");
        self.table(table)?;
        if columns.is_empty() {
            if rows > 1 {
                return Err(Fault::Malformed("several rows without a value need a statement each"));
            }
            self.push(self.dialect.insert_defaults());
        } else {
            for (n, column) in columns.iter().enumerate() {
                self.push(if n == 0 { " (" } else { ", " });
                self.own_column(table, *column)?;
            }
            self.push(") VALUES ");
            let mut value = 0;
            for row in 0..rows {
                self.push(if row == 0 { "(" } else { ", (" });
                for n in 0..columns.len() {
                    if n > 0 {
                        self.push(", ");
                    }
                    self.placeholder(value);
                    value += 1;
                }
                self.push(")");
            }
        }
        let mut first = true;
        for token in tokens {
            if let Token::Returning(column) = *token {
                self.push(if first { " RETURNING " } else { ", " });
                first = false;
                self.own_column(table, column)?;
                self.outputs.push(column_output(table, column));
            }
        }
        Ok(())
    }

    pub(super) fn update(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, 0)?;
        if clauses.set.is_empty() {
            return Err(Fault::Malformed("an UPDATE sets nothing"));
        }
        let direct = self.finds_its_rows(table, tokens, &clauses)?;
        self.push("UPDATE ");
        self.change(table, tokens, &clauses, direct, true)
    }

    pub(super) fn delete(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, 0)?;
        // MariaDB gives no alias to the table of a DELETE, so nested queries could not refer to it.
        let direct = self.finds_its_rows(table, tokens, &clauses)?
            && (self.dialect.reads_what_it_changes() || nested(tokens)?.is_empty());
        self.push("DELETE FROM ");
        self.change(table, tokens, &clauses, direct, false)
    }

    /// Whether the statement itself can say which rows: no joins, no limit.
    fn finds_its_rows(&mut self, table: &'static TableDef, tokens: &[Token], clauses: &Clauses) -> Result<bool, Fault> {
        self.enter(table, tokens)?;
        let joins = self.scopes.pop().is_some_and(|scope| !scope.joins.is_empty());
        self.aliases = 0;
        Ok(!joins && clauses.only_filters())
    }

    fn change(
        &mut self,
        table: &'static TableDef,
        tokens: &[Token],
        clauses: &Clauses,
        direct: bool,
        set: bool,
    ) -> Result<(), Fault> {
        self.enter(table, tokens)?;
        if let Some(scope) = self.scopes.last_mut().filter(|_| !direct) {
            // The rows are found by a query of their own: what is set may use this table's columns only.
            scope.joins.clear();
            scope.qualified = false;
        }
        let (alias, qualified) = (self.scope(0)?.alias, self.scope(0)?.qualified);
        let nodes = Nodes::of(tokens, &self.tables(), 0)?;
        self.table(table)?;
        if qualified {
            self.push(" AS ");
            self.alias(alias);
        }
        if set {
            for (n, (column, at)) in clauses.set.iter().enumerate() {
                self.push(if n == 0 { " SET " } else { ", " });
                self.own_column(table, *column)?;
                self.push(" = ");
                self.refuse_joins(tokens, &nodes, *at)?;
                self.expression(tokens, &nodes, *at)?;
            }
        }
        if direct {
            self.conditions(" WHERE ", tokens, &nodes, &clauses.filter)?;
            self.scopes.pop();
            return Ok(());
        }
        self.scopes.pop();
        self.push(" WHERE ");
        let several = table.key.len() > 1;
        if several {
            self.push("(");
        }
        for (n, column) in table.key.iter().enumerate() {
            if n > 0 {
                self.push(", ");
            }
            self.own_column(table, *column)?;
        }
        self.push(if several { ") IN (" } else { " IN (" });
        self.keys(table, tokens, clauses)?;
        self.push(")");
        Ok(())
    }

    fn refuse_joins(&self, tokens: &[Token], nodes: &Nodes, at: usize) -> Result<(), Fault> {
        let range = nodes.get(at)?.start..=at;
        let related = tokens
            .get(range)
            .unwrap_or_default()
            .iter()
            .any(|token| matches!(token, Token::Column { via, outer: 0, .. } if !via.is_root()));
        match related {
            true => Err(Fault::Unsupported {
                what: "an update cannot set a column to a related row's column".to_owned(),
                instead: "read the value first, or use a column of the same table",
            }),
            false => Ok(()),
        }
    }

    fn own_column(&mut self, table: &'static TableDef, column: u16) -> Result<(), Fault> {
        let column = table.column(column).ok_or(Fault::Malformed("a column has no definition"))?;
        self.name(column.name)
    }
}

fn written(tokens: &[Token]) -> Vec<u16> {
    tokens.iter().filter_map(|token| if let Token::Into(column) = token { Some(*column) } else { None }).collect()
}

fn rows(tokens: &[Token]) -> u32 {
    tokens.iter().find_map(|token| if let Token::Rows(n) = token { Some(*n) } else { None }).unwrap_or(1)
}

/// An INSERT binds its columns' values row by row.
pub(super) fn insert_parameters(table: &'static TableDef, tokens: &[Token]) -> Vec<Parameter> {
    let row: Vec<Parameter> = written(tokens)
        .into_iter()
        .map(|column| Parameter {
            class: table.column(column).map_or(Class::Text, |column| Class::of(column.ty)),
            list: false,
        })
        .collect();
    let rows = rows(tokens) as usize;
    row.iter().copied().cycle().take(row.len() * rows).collect()
}
