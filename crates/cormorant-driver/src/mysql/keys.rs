//! Which tables' keys are told by the first of them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Call;

/// How often this program has changed a schema, anywhere.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// What a connection knows of the tables that it inserts several rows at once into.
#[derive(Default)]
pub(super) struct Keys {
    /// Whether the keys of one INSERT follow each other, by the query that asks it; `None` where it was not asked yet.
    /// There are few of them, and their texts are long: comparing is faster than hashing.
    follow: Vec<(Box<str>, Option<bool>)>,
    /// The changes there were before all of this was asked.
    changes: u64,
    /// The session's settings are not those it began with.
    changed_by_hand: bool,
}

impl Keys {
    /// Whether they are known to; `None` where it has to be asked. That takes as long as giving back a thousand keys:
    /// the first INSERT does so instead.
    pub(super) fn follow(&mut self, query: &str) -> Option<bool> {
        if self.changed_by_hand {
            return Some(false);
        }
        let changes = CHANGES.load(Ordering::Acquire);
        if changes != self.changes {
            self.follow.clear();
            self.changes = changes;
        }
        match self.follow.iter().find(|(asked, _)| **asked == *query) {
            Some((_, known)) => *known,
            None => {
                self.follow.push((query.into(), None));
                Some(false)
            }
        }
    }

    pub(super) fn learn(&mut self, query: &str, follow: bool) {
        if let Some((_, known)) = self.follow.iter_mut().find(|(asked, _)| **asked == *query) {
            *known = Some(follow);
        }
    }

    /// A statement is about to be sent.
    pub(super) fn before(&mut self, call: &Call<'_>) {
        self.changed_by_hand |= call.session;
        if changes_schema(call.sql) {
            CHANGES.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// A statement was answered: what others asked while it ran may be outdated.
    pub(super) fn after(&self, call: &Call<'_>) {
        if changes_schema(call.sql) {
            CHANGES.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Whether text that is not the builder's may change a table or its triggers.
fn changes_schema(sql: &str) -> bool {
    const ROWS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    const SCHEMA: [&str; 5] = ["CREATE", "ALTER", "DROP", "RENAME", "EXECUTE"];
    if ROWS.iter().any(|word| sql.starts_with(word)) {
        return false;
    }
    let sql = sql.as_bytes();
    let has = |word: &&str| sql.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    SCHEMA.iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_change_by_ddl_alone() {
        for sql in ["CREATE TRIGGER t", " alter table t", "/* why */ DROP TRIGGER t", "BEGIN NOT ATOMIC ALTER TABLE t"]
        {
            assert!(changes_schema(sql), "{sql}");
        }
        for sql in ["SELECT 'CREATE'", "INSERT INTO t VALUES ('DROP')", "\n  WITH a AS (SELECT 1) SELECT 2", "CALL p()"]
        {
            assert!(!changes_schema(sql), "{sql}");
        }
    }

    #[test]
    fn what_was_asked_before_a_change_is_asked_again() {
        let (mut keys, mut other) = (Keys::default(), Keys::default());
        assert_eq!((keys.follow("users"), keys.follow("users")), (Some(false), None), "the first does not ask");
        keys.learn("users", true);
        assert_eq!((keys.follow("users"), keys.follow("posts")), (Some(true), Some(false)));
        other.before(&Call::text("ALTER TABLE users ENGINE = MyISAM"));
        assert_eq!((keys.follow("users"), keys.follow("users")), (Some(false), None));
        keys.learn("users", true);
        other.before(&Call { session: true, ..Call::text("SET auto_increment_increment = 5") });
        assert_eq!((keys.follow("users"), other.follow("users")), (Some(true), Some(false)));
    }
}
