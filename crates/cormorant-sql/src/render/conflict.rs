//! An INSERT of a row that may be there already.

use cormorant_schema::TableDef;

use super::Renderer;
use crate::{Fault, Token};

impl Renderer {
    /// What an INSERT does where a row with the same unique value is there. Another constraint is none of that: what
    /// cannot tell them apart must fail there.
    pub(super) fn conflict(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let unique: Vec<u16> =
            tokens.iter().filter_map(|t| if let Token::Conflict(column) = t { Some(*column) } else { None }).collect();
        let overwritten: Vec<u16> =
            tokens.iter().filter_map(|t| if let Token::Overwrite(column) = t { Some(*column) } else { None }).collect();
        match (unique.as_slice(), overwritten.as_slice()) {
            ([], []) => Ok(()),
            ([], _) => Err(Fault::Malformed("an INSERT overwrites, and names no unique constraint")),
            (unique, overwritten) if self.dialect.names_conflicts() => self.on_conflict(table, unique, overwritten),
            (unique, overwritten) => self.on_duplicate_key(table, unique, overwritten),
        }
    }

    fn on_conflict(&mut self, table: &'static TableDef, unique: &[u16], overwritten: &[u16]) -> Result<(), Fault> {
        for (n, column) in unique.iter().enumerate() {
            self.push(if n == 0 { " ON CONFLICT (" } else { ", " });
            self.column_name(table, *column)?;
        }
        self.push(if overwritten.is_empty() { ") DO NOTHING" } else { ") DO UPDATE" });
        for (n, column) in overwritten.iter().enumerate() {
            self.push(if n == 0 { " SET " } else { ", " });
            self.column_name(table, *column)?;
            self.push(" = excluded.");
            self.column_name(table, *column)?;
        }
        Ok(())
    }

    /// Any unique constraint leads here. The first assignment fails where the row that was met is another than the
    /// one of the named constraint: [`Dialect::met_another_row`](crate::Dialect::met_another_row) knows the error.
    fn on_duplicate_key(&mut self, table: &'static TableDef, unique: &[u16], overwritten: &[u16]) -> Result<(), Fault> {
        let key = *table.key.first().ok_or(Fault::Malformed("a table without a key has no rows to tell apart"))?;
        self.push(" ON DUPLICATE KEY UPDATE ");
        self.column_name(table, key)?;
        self.push(" = IF(");
        for (n, column) in unique.iter().enumerate() {
            self.push(if n == 0 { "" } else { " AND " });
            self.column_name(table, *column)?;
            self.push(" = VALUES(");
            self.column_name(table, *column)?;
            self.push(")");
        }
        self.push(", ");
        self.column_name(table, key)?;
        // NULL by itself would not do: a generated key turns it into 0.
        self.push(", (SELECT NULL UNION ALL SELECT NULL))");
        for column in overwritten {
            self.push(", ");
            self.column_name(table, *column)?;
            self.push(" = VALUES(");
            self.column_name(table, *column)?;
            self.push(")");
        }
        Ok(())
    }
}
