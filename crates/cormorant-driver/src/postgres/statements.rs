//! Prepared statements of one connection, by their text.

use std::collections::HashMap;

use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use super::types;
use crate::Call;

/// Statements kept prepared per connection.
const STATEMENTS: usize = 256;

/// The statements used last. One that is dropped is closed on the server.
#[derive(Debug, Default)]
pub(super) struct Statements {
    by_text: HashMap<Box<str>, Kept>,
    clock: u64,
}

#[derive(Debug)]
struct Kept {
    statement: Statement,
    used: u64,
}

impl Statements {
    /// The statement of this text, if it takes values of these types.
    pub(super) fn get(&mut self, call: Call<'_>) -> Option<Statement> {
        let kept = self.by_text.get_mut(call.sql)?;
        let takes = kept.statement.params();
        let fits = |(declared, takes): (Type, &Type)| declared == Type::UNKNOWN || declared == *takes;
        if takes.len() != call.values.len() || !types::declared(call).zip(takes).all(fits) {
            return None;
        }
        self.clock += 1;
        kept.used = self.clock;
        Some(kept.statement.clone())
    }

    pub(super) fn put(&mut self, sql: &str, statement: Statement) {
        // Looking at all of them costs far less than the round trip that has just been made.
        if self.by_text.len() >= STATEMENTS
            && let Some(oldest) = self.by_text.iter().min_by_key(|(_, kept)| kept.used).map(|(sql, _)| sql.clone())
        {
            self.by_text.remove(&oldest);
        }
        self.clock += 1;
        self.by_text.insert(sql.into(), Kept { statement, used: self.clock });
    }

    pub(super) fn forget(&mut self, sql: &str) {
        self.by_text.remove(sql);
    }
}
