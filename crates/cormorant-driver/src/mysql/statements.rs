//! Prepared statements of one connection, by their text. mysql_async keeps them as well, but looks for names of values
//! in the whole text each time.

use foldhash::HashMap;
use mysql_async::Statement;

/// Statements kept prepared per connection.
const STATEMENTS: usize = 256;

/// The statements used last.
#[derive(Default)]
pub(super) struct Statements {
    by_text: HashMap<Box<str>, Kept>,
    clock: u64,
}

struct Kept {
    statement: Statement,
    used: u64,
}

impl Statements {
    pub(super) fn get(&mut self, sql: &str) -> Option<Statement> {
        let kept = self.by_text.get_mut(sql)?;
        self.clock += 1;
        kept.used = self.clock;
        Some(kept.statement.clone())
    }

    /// Keeps a statement, and gives the one that has to make room for it: the server is to close that.
    pub(super) fn put(&mut self, sql: &str, statement: Statement) -> Option<Statement> {
        let mut oldest = None;
        // Looking at all of them costs far less than the round trip that has just been made.
        if self.by_text.len() >= STATEMENTS
            && let Some(sql) = self.by_text.iter().min_by_key(|(_, kept)| kept.used).map(|(sql, _)| sql.clone())
        {
            oldest = self.by_text.remove(&sql).map(|kept| kept.statement);
        }
        self.clock += 1;
        self.by_text.insert(sql.into(), Kept { statement, used: self.clock });
        oldest
    }

    pub(super) fn forget(&mut self, sql: &str) {
        self.by_text.remove(sql);
    }
}
