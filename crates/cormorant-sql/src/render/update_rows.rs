//! An UPDATE of many rows, each of which takes values of its own.

use cormorant_schema::TableDef;

use super::Renderer;
use super::write::{rows, written};
use crate::{Class, Fault, Token};

/// Whether an UPDATE is one of many rows.
pub(super) fn is_one(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Rows(_) | Token::Lists))
}

impl Renderer {
    /// The values are a table `v`, a column for each that is written and then for each that a row is found by.
    pub(super) fn update_rows(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let set = written(tokens);
        let found_by: Vec<u16> = tokens
            .iter()
            .filter_map(|token| if let Token::Match(column) = token { Some(*column) } else { None })
            .collect();
        if set.is_empty() || found_by.is_empty() {
            return Err(Fault::Malformed("an UPDATE of many rows sets nothing, or finds none"));
        }
        let columns: Vec<u16> = set.iter().chain(&found_by).copied().collect();
        let by_join = self.dialect.updates_by_join();
        self.push("UPDATE ");
        self.table(table)?;
        self.push(" AS t");
        if by_join {
            self.push(" JOIN ");
            self.values_table(table, tokens, &columns)?;
            self.found_by(" ON ", table, set.len(), &found_by)?;
        }
        for (n, column) in set.iter().enumerate() {
            self.push(if n == 0 { " SET " } else { ", " });
            // Of two tables it has to be said which is written; of one it must not be.
            self.push(if by_join { "t." } else { "" });
            self.column_name(table, *column)?;
            self.push(" = v.");
            self.column_of_values(n);
        }
        if !by_join {
            self.push(" FROM ");
            self.values_table(table, tokens, &columns)?;
            self.found_by(" WHERE ", table, set.len(), &found_by)?;
        }
        Ok(())
    }

    fn values_table(&mut self, table: &'static TableDef, tokens: &[Token], columns: &[u16]) -> Result<(), Fault> {
        if tokens.contains(&Token::Lists) {
            self.unnest(columns.len())?;
            for n in 0..columns.len() {
                self.push(if n == 0 { " AS v (" } else { ", " });
                self.column_of_values(n);
            }
            self.push(")");
            return Ok(());
        }
        let casts: Vec<Option<String>> =
            columns.iter().map(|column| table.type_of(*column).and_then(|ty| self.dialect.cast_in_rows(ty))).collect();
        self.push("(");
        if self.dialect.updates_by_join() {
            self.no_row(table, columns)?;
        }
        self.push("VALUES ");
        for row in 0..rows(tokens) as usize {
            self.push(if row == 0 { "" } else { ", " });
            self.push(self.dialect.row_word());
            for (n, cast) in casts.iter().enumerate() {
                self.push(if n == 0 { "(" } else { ", " });
                self.push(if cast.is_some() { "CAST(" } else { "" });
                self.next_value(row * casts.len() + n)?;
                if let Some(ty) = cast {
                    self.push(" AS ");
                    self.push(ty);
                    self.push(")");
                }
            }
            self.push(")");
        }
        self.push(") AS v");
        Ok(())
    }

    /// No row of the table, with which the columns of VALUES begin where they have no names, and where they would take
    /// the types and the lengths of some of their values.
    fn no_row(&mut self, table: &'static TableDef, columns: &[u16]) -> Result<(), Fault> {
        for (n, column) in columns.iter().enumerate() {
            self.push(if n == 0 { "SELECT " } else { ", " });
            self.column_name(table, *column)?;
            self.push(" AS ");
            self.column_of_values(n);
        }
        self.push(" FROM ");
        self.table(table)?;
        self.push(" WHERE FALSE UNION ALL ");
        Ok(())
    }

    /// A column of VALUES, by the name that SQLite and PostgreSQL give it.
    fn column_of_values(&mut self, n: usize) {
        self.push("column");
        self.push(&(n + 1).to_string());
    }

    /// The condition that a row has the values it is found by.
    fn found_by(&mut self, word: &str, table: &'static TableDef, before: usize, columns: &[u16]) -> Result<(), Fault> {
        for (n, column) in columns.iter().enumerate() {
            let definition = table.column(*column).ok_or(Fault::Malformed("a column has no definition"))?;
            self.push(if n == 0 { word } else { " AND " });
            self.push("t.");
            self.column_name(table, *column)?;
            self.push(if definition.null { self.dialect.equal_or_both_null() } else { " = " });
            self.push("v.");
            self.column_of_values(before + n);
            // What was converted has a collation of its own.
            let text = matches!(Class::of(definition.ty), Class::Text | Class::Uuid);
            if text && self.dialect.cast_in_rows(definition.ty).is_some() {
                self.push(self.dialect.binary_collation());
            }
        }
        Ok(())
    }
}
