//! Prepared statements of one connection, by their text.

use cormorant_sql::Parameter;
use foldhash::HashMap;
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
    /// What the server was told about each value.
    parameters: Box<[Parameter]>,
    used: u64,
}

impl Kept {
    fn fits(&self, call: &Call<'_>) -> bool {
        let takes = self.statement.params();
        if takes.len() != call.values.len() {
            return false;
        }
        // A statement that was built says it of every value, and always the same.
        if takes.len() == call.parameters.len() && *self.parameters == *call.parameters {
            return true;
        }
        let fits = |(declared, takes): (Type, &Type)| declared == Type::UNKNOWN || declared == *takes;
        types::declared(call).zip(takes).all(fits)
    }
}

impl Statements {
    /// The statement of this text, if it takes values of these types.
    pub(super) fn get(&mut self, call: &Call<'_>) -> Option<Statement> {
        let kept = self.by_text.get_mut(call.sql)?;
        if !kept.fits(call) {
            return None;
        }
        self.clock += 1;
        kept.used = self.clock;
        Some(kept.statement.clone())
    }

    pub(super) fn put(&mut self, call: &Call<'_>, statement: Statement) {
        // Looking at all of them costs far less than the round trip that has just been made.
        if self.by_text.len() >= STATEMENTS
            && let Some(oldest) = self.by_text.iter().min_by_key(|(_, kept)| kept.used).map(|(sql, _)| sql.clone())
        {
            self.by_text.remove(&oldest);
        }
        self.clock += 1;
        let parameters = call.parameters.into();
        self.by_text.insert(call.sql.into(), Kept { statement, parameters, used: self.clock });
    }

    pub(super) fn forget(&mut self, sql: &str) {
        self.by_text.remove(sql);
    }
}
