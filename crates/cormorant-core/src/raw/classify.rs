//! What SQL text of the program's own does, by its words: the library has to know who writes, and what outlives the
//! statement.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::Dialect;

/// What SQL text does to a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StatementClass {
    Read = 1,
    Write,
    /// Changes the session, which the next user of the connection must not see.
    Session,
}

/// What a statement does, by its first words and by what it calls. In doubt it writes.
pub(super) fn classify(sql: &str) -> Result<StatementClass> {
    // PostgreSQL nests comments and the others do not: both readings count.
    let flat = class_of_words(sql, false)?;
    let nested = class_of_words(sql, true)?;
    Ok(flat.max(nested))
}

fn class_of_words(sql: &str, nested: bool) -> Result<StatementClass> {
    let (word, rest) = first_word(sql, nested);
    let class = match word.as_str() {
        // EXPLAIN ANALYZE runs what it explains.
        "EXPLAIN" if sql.to_ascii_uppercase().contains("ANALY") => StatementClass::Write,
        "SELECT" | "VALUES" | "EXPLAIN" | "SHOW" => StatementClass::Read,
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "ABORT" => {
            return Err(controls(&word));
        }
        "PREPARE" if first_word(rest, nested).0 == "TRANSACTION" => return Err(controls("PREPARE TRANSACTION")),
        "SET" | "RESET" | "USE" | "PRAGMA" | "ATTACH" | "DETACH" | "LISTEN" | "UNLISTEN" | "LOCK" | "UNLOCK"
        | "DISCARD" | "PREPARE" | "DEALLOCATE" | "DECLARE" | "XA" | "FLUSH" | "HANDLER" => StatementClass::Session,
        _ => StatementClass::Write,
    };
    Ok(if leaves_a_mark(sql, &word) { StatementClass::Session } else { class })
}

fn controls(words: &str) -> Error {
    Error::new(
        ErrorKind::Misuse,
        format!(
            "{words} in raw SQL would change the connection behind the library's back: use `db.transaction(…)`, `db.begin()` and `commit`"
        ),
    )
}

/// Whether a statement makes a temporary table, takes a lock that the session holds, or changes a setting. Quoted text
/// is read like any other: to take a word in it for a call costs a connection, and no more.
fn leaves_a_mark(sql: &str, first: &str) -> bool {
    const LOCKS: [&str; 5] = [
        "GET_LOCK",
        "PG_ADVISORY_LOCK",
        "PG_ADVISORY_LOCK_SHARED",
        "PG_TRY_ADVISORY_LOCK",
        "PG_TRY_ADVISORY_LOCK_SHARED",
    ];
    let is_one_of = |word: &str, words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other));
    let mut before = "";
    for word in sql.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
        let made = match first {
            "CREATE" => true,
            "SELECT" | "WITH" => is_one_of(before, &["INTO", "LOCAL", "GLOBAL"]),
            _ => false,
        };
        if is_one_of(word, &LOCKS)
            || (made && is_one_of(word, &["TEMP", "TEMPORARY"]))
            || (word.eq_ignore_ascii_case("SET_CONFIG") && !sets_for_transaction(sql))
        {
            return true;
        }
        before = word;
    }
    false
}

/// Whether every `set_config` holds for its transaction alone: its last argument is the word `true`.
fn sets_for_transaction(sql: &str) -> bool {
    let dense: String = sql.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    dense.split("SET_CONFIG").skip(1).all(|call| {
        let mut depth = 0_i32;
        let end = call.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth <= 0
        });
        end.and_then(|end| call.get(..end)).is_some_and(|arguments| arguments.ends_with(",TRUE"))
    })
}

/// The word a statement begins with, in capitals, and what follows it: behind comments, brackets and empty statements.
fn first_word(sql: &str, nested: bool) -> (String, &str) {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ';' | '(' | '\u{feff}'));
        rest = if let Some(inside) = rest.strip_prefix("/*!").or_else(|| rest.strip_prefix("/*M!")) {
            // MySQL runs what stands in such a comment, behind a version.
            inside.trim_start_matches(|c: char| c.is_ascii_digit())
        } else if rest.starts_with("--") || rest.starts_with('#') {
            rest.split_once('\n').map_or("", |(_, next)| next)
        } else if let Some(inside) = rest.strip_prefix("/*") {
            behind_comment(inside, nested)
        } else if let Some(next) = rest.strip_prefix("*/") {
            next
        } else {
            break;
        };
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    (word.to_ascii_uppercase(), rest)
}

/// What follows a comment that has begun.
fn behind_comment(inside: &str, nested: bool) -> &str {
    let mut depth = 1u32;
    let mut rest = inside;
    while depth > 0 {
        let Some((before, next)) = rest.split_once("*/") else { return "" };
        match before.split_once("/*") {
            Some((_, deeper)) if nested => {
                depth += 1;
                rest = rest.get(rest.len() - deeper.len() - next.len() - 2..).unwrap_or_default();
            }
            _ => {
                depth -= 1;
                rest = next;
            }
        }
    }
    rest
}

/// What is known of one `sql!`. Its text stays the same but for the length of its lists, so it is read once, and where
/// it has none it is written once.
#[derive(Debug)]
pub struct Known {
    /// What it was found to do; 0 is not yet.
    class: AtomicU8,
    /// The text, in the dialect that was asked for first: a program rarely has two.
    text: OnceLock<(Dialect, String)>,
}

impl Known {
    /// Nothing yet.
    #[allow(clippy::new_without_default, reason = "derived code makes one in a static")]
    pub const fn new() -> Self {
        Self { class: AtomicU8::new(0), text: OnceLock::new() }
    }

    #[inline]
    pub(super) fn classify(&self, sql: &str) -> Result<StatementClass> {
        use StatementClass::{Read, Session, Write};
        let known = self.class.load(Ordering::Relaxed);
        if let Some(class) = [Read, Write, Session].into_iter().find(|class| *class as u8 == known) {
            return Ok(class);
        }
        let class = classify(sql)?;
        self.class.store(class as u8, Ordering::Relaxed);
        Ok(class)
    }

    /// The text of one without lists.
    pub(super) fn text(&'static self, dialect: Dialect, write: impl Fn() -> String) -> Cow<'static, str> {
        match self.text.get_or_init(|| (dialect, write())) {
            (known, text) if *known == dialect => Cow::Borrowed(text),
            _ => Cow::Owned(write()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_once_for_the_dialect_that_came_first() {
        static KNOWN: Known = Known::new();
        let again = || "written again".to_owned();
        assert_eq!(KNOWN.text(Dialect::Sqlite, || "?1".to_owned()), "?1");
        assert_eq!(KNOWN.text(Dialect::Sqlite, again), "?1");
        assert_eq!(KNOWN.text(Dialect::Postgres, || "$1".to_owned()), "$1");
        assert_eq!(KNOWN.text(Dialect::Sqlite, again), "?1");
    }

    #[test]
    fn what_changes_a_session_is_told_from_what_does_not() {
        for sql in [
            "FLUSH TABLES WITH READ LOCK",
            "/* a /* b */ */ HANDLER items OPEN",
            "CREATE /* a */ TEMP TABLE t (n integer)",
            "create or replace temporary table t (n integer)",
            "SELECT 1 INTO LOCAL TEMPORARY t",
            "SELECT 1 FROM t WHERE pg_catalog.pg_try_advisory_lock(1)",
            "DO get_lock ('a', 1)",
            "SELECT set_config('a', 'b', false)",
            "SELECT set_config('a', 'b', $1)",
            "SELECT set_config('a', 'b', true), set_config ('c', 'd', 1 > 2)",
            "SELECT set_config /* , true) */ ('a', 'b', false)",
            "SELECT set_config('a', upper(true), f(1)) AND f(1, true)",
            "PREPARE x AS SELECT 1",
        ] {
            assert!(classify(sql).is_ok_and(|class| class == StatementClass::Session), "{sql}");
        }
        for (sql, class) in [
            ("SELECT temp, local FROM temporary", StatementClass::Read),
            ("INSERT INTO temp VALUES (1)", StatementClass::Write),
            ("SELECT pg_advisory_xact_lock(1)", StatementClass::Read),
            ("SELECT set_config('a', 'it''s', TRUE )", StatementClass::Read),
            ("SELECT SET_CONFIG ('a', lower('b'), true), set_config('a', 'b',\ntrue)", StatementClass::Read),
        ] {
            assert!(classify(sql).is_ok_and(|found| found == class), "{sql}");
        }
    }
}
