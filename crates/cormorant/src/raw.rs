//! SQL of the program's own.

use std::borrow::Cow;
use std::fmt;

use cormorant_driver::{Call, Error, ErrorKind, Result};
use cormorant_sql::{Class, Dialect, Parameter, Value};

use crate::{Executor, Field, FromRow, executor, query};

/// SQL text whose braces bind what they hold: `sql!("SELECT name FROM items WHERE id = {id}")`; `{..list}` binds a
/// list. See [`Sql`].
#[macro_export]
macro_rules! sql {
    ($($text:tt)*) => {
        $crate::__private::__sql!($crate, $($text)*)
    };
}

/// SQL text with bound values: what [`sql!`](crate::sql) makes.
///
/// An empty list is spread as `NULL`: no row is `IN` it, and no row is `NOT IN` it either, since SQL cannot tell.
///
/// # Values in braces are bound, lists are spread
/// ```
/// use cormorant::prelude::*;
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// let (name, ids) = ("x'; DROP TABLE items; --", [1, 2, 3]);
/// let row: (String, i64) = sql!("SELECT {name}, count(*) FROM (SELECT 2 AS id) AS t WHERE id IN ({..ids})").one(&db).wait()?;
/// assert_eq!(row, (name.to_owned(), 1));
/// # Ok(())
/// # }
/// ```
#[must_use = "SQL does nothing until it runs: `.all(&db).await?`"]
#[derive(Clone, Debug, Default)]
pub struct Sql {
    pieces: Vec<Piece>,
}

#[derive(Clone)]
enum Piece {
    Text(Cow<'static, str>),
    Value(Result<Value, String>, Class),
    List(Vec<Piece>),
}

/// Shows the text, and of values what they are.
impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Value(_, class) => write!(f, "{{{class:?}}}"),
            Self::List(pieces) => write!(f, "{{..{} values}}", pieces.len()),
        }
    }
}

impl Sql {
    #[doc(hidden)]
    pub fn new() -> Self {
        Self::default()
    }

    #[doc(hidden)]
    pub fn text(mut self, text: &'static str) -> Self {
        self.pieces.push(Piece::Text(Cow::Borrowed(text)));
        self
    }

    #[doc(hidden)]
    pub fn bind<T: Bind + ?Sized>(mut self, value: &T) -> Self {
        self.pieces.push(piece(value));
        self
    }

    #[doc(hidden)]
    pub fn list<'a, T, I>(mut self, values: &'a I) -> Self
    where
        T: Bind + 'a,
        I: ?Sized,
        &'a I: IntoIterator<Item = &'a T>,
    {
        self.pieces.push(Piece::List(values.into_iter().map(piece).collect()));
        self
    }

    /// SQL text that is made while the program runs. The name says what reviewers have to look for: this text
    /// becomes part of the statement as it is, so nothing in it may come from a user.
    pub fn unchecked(text: impl Into<UncheckedSql>) -> Self {
        Self { pieces: vec![Piece::Text(Cow::Owned(text.into().0))] }
    }

    /// Every row.
    ///
    /// # Errors
    /// The database's, and [`ErrorKind::Decode`] when a row is not what the type says.
    pub async fn all<T: FromRow + Send>(self, db: &impl Executor) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.run(db, &mut |row| {
            rows.push(T::from_row(row)?);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// The one row.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none, [`ErrorKind::MultipleRows`] when there are several.
    pub async fn one<T: FromRow + Send>(self, db: &impl Executor) -> Result<T> {
        self.optional(db).await?.ok_or_else(|| query::not_found("sql!"))
    }

    /// The one row, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::MultipleRows`] when there are several.
    pub async fn optional<T: FromRow + Send>(self, db: &impl Executor) -> Result<Option<T>> {
        let mut rows = self.all(db).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            n => Err(Error::new(ErrorKind::MultipleRows, format!("{n} rows were found where one was asked for"))),
        }
    }

    /// Runs it for what it does; gives the number of rows written.
    ///
    /// # Errors
    /// The database's.
    pub async fn execute(self, db: &impl Executor) -> Result<u64> {
        self.run(db, &mut executor::no_rows).await
    }

    async fn run(self, db: &impl Executor, sink: cormorant_driver::Sink<'_>) -> Result<u64> {
        let target = db.target();
        let mut statement = Prepared::default();
        for piece in self.pieces {
            statement.push(piece, target.dialect())?;
        }
        let Prepared { sql, values, parameters } = statement;
        let class = classify(&sql)?;
        let call = Call {
            sql: &sql,
            values: &values,
            parameters: &parameters,
            order: None,
            outputs: &[],
            writes: class != StatementClass::Read,
            keep: true,
            session: class == StatementClass::Session,
            // Whatever its first word says, it may call a function that writes.
            repeats: false,
            single: false,
            highest_key: None,
        };
        Ok(target.call(call, sink).await?.rows)
    }
}

#[derive(Default)]
struct Prepared {
    sql: String,
    values: Vec<Value>,
    parameters: Vec<Parameter>,
}

impl Prepared {
    fn push(&mut self, piece: Piece, dialect: Dialect) -> Result<()> {
        match piece {
            Piece::Text(text) => self.sql.push_str(&text),
            Piece::Value(value, class) => {
                let value =
                    value.map_err(|why| Error::new(ErrorKind::Encode, why).with_parameter(self.values.len()))?;
                self.values.push(value);
                self.parameters.push(Parameter { class, list: false });
                self.sql.push_str(&dialect.parameter(self.values.len()));
            }
            // `IN ()` is no SQL: NULL is in no list.
            Piece::List(pieces) if pieces.is_empty() => self.sql.push_str("NULL"),
            Piece::List(pieces) => {
                for (n, piece) in pieces.into_iter().enumerate() {
                    if n > 0 {
                        self.sql.push_str(", ");
                    }
                    self.push(piece, dialect)?;
                }
            }
        }
        Ok(())
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum StatementClass {
    Read,
    Write,
    /// Changes the session, which the next user of the connection must not see.
    Session,
}

/// What a statement does, by its first words and by what it calls. In doubt it writes.
fn classify(sql: &str) -> Result<StatementClass> {
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

fn piece<T: Bind + ?Sized>(value: &T) -> Piece {
    Piece::Value(value.to_bind(), value.class())
}

/// What the braces of [`sql!`](crate::sql) can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound in `sql!`",
    label = "not a value of a column",
    note = "bind a plain value, an Option of one, a &str; spread a list with `{{..list}}`"
)]
pub trait Bind {
    #[doc(hidden)]
    fn to_bind(&self) -> Result<Value, String>;
    #[doc(hidden)]
    fn class(&self) -> Class;
}

impl<T: Field> Bind for T {
    fn to_bind(&self) -> Result<Value, String> {
        self.value().map_err(|unstorable| unstorable.0)
    }

    fn class(&self) -> Class {
        Class::of(T::TYPE)
    }
}

macro_rules! borrowed {
    ($($type:ty),*) => {$(
        impl Bind for $type {
            fn to_bind(&self) -> Result<Value, String> {
                (**self).to_owned().to_bind()
            }

            fn class(&self) -> Class {
                (**self).to_owned().class()
            }
        }
    )*};
}

borrowed!(&str, &String, &i16, &i32, &i64, &f64, &bool, &uuid::Uuid, &rust_decimal::Decimal, &jiff::Timestamp);

/// Text that becomes SQL as it is. Its name is what a reviewer looks for: nothing in it may come from a user.
#[derive(Clone, Debug)]
pub struct UncheckedSql(String);

impl UncheckedSql {
    /// Vouches for a text.
    pub fn vouch_for(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
