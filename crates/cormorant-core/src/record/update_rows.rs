//! Many rows that take values of their own, whatever holds them.

use std::slice::Iter;

use cormorant_driver::{Error, Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Binary, Kind, Lock, Route, Token, Unary, Value};
use smallvec::SmallVec;

use super::batch::{lists, most_rows};
use super::keys::Keys;
use crate::executor::{Target, statement};
use crate::mapper::by_key;
use crate::query::class_of;
use crate::step::{Answer, Step};
use crate::{ErrorKind, Unstorable};

/// UPDATEs of many rows, each with values of its own, in as few statements as fit. What they find together is how many
/// of the rows are there: whoever wants all or none compares the number, in a transaction.
///
/// The values stand row by row: those of the columns in `set`, those of the key, then those that the columns in
/// `compared` must still have for the row to count as found. No two rows have the same key.
pub(crate) fn update_rows<'v>(
    target: Target<'_>,
    table: &'static TableDef,
    set: &[u16],
    compared: &[u16],
    values: Vec<Value<'v>>,
) -> Vec<Step<'v>> {
    let columns: Vec<u16> = set.iter().chain(table.key).chain(compared).copied().collect();
    let width = columns.len().max(1);
    let most = most_rows(target, width);
    let mut values = values.into_iter();
    let mut steps = Vec::with_capacity(values.len().div_ceil(most * width));
    while values.len() > 0 {
        let these: Vec<Value<'_>> = values.by_ref().take(most * width).collect();
        let (tokens, values) = match these.len() / width {
            ..=1 => one_row(table, set, compared, these),
            rows => many_rows(target, table, set, compared, these, rows),
        };
        let columns = columns.clone();
        steps.push(Step { kind: Kind::Update, table, tokens, values, columns, written: set.len() });
    }
    steps
}

/// The version that a row had before it was counted up.
pub(crate) fn before(version: Result<Value<'_>, Unstorable>) -> Value<'static> {
    match version {
        Ok(Value::Int(version)) => Value::Int(version.wrapping_sub(1)),
        _ => Value::Null,
    }
}

type Tokens = SmallVec<[Token; 16]>;

/// The UPDATE that saves one record.
fn one_row<'v>(
    table: &'static TableDef,
    set: &[u16],
    compared: &[u16],
    values: Vec<Value<'v>>,
) -> (Tokens, Vec<Value<'v>>) {
    let mut tokens = Tokens::new();
    for column in set {
        tokens.push(Token::Bind(class_of(table, *column)));
        tokens.push(Token::Set(*column));
    }
    tokens.extend(by_key(table));
    let mut bound = values;
    let old = bound.split_off(bound.len().saturating_sub(compared.len()));
    for (column, value) in compared.iter().zip(old) {
        tokens.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
        if value.is_null() {
            tokens.push(Token::Unary(Unary::IsNull));
        } else {
            tokens.push(Token::Bind(class_of(table, *column)));
            tokens.push(Token::Binary(Binary::Eq));
            bound.push(value);
        }
        tokens.push(Token::Filter);
    }
    (tokens, bound)
}

fn many_rows<'v>(
    target: Target<'_>,
    table: &'static TableDef,
    set: &[u16],
    compared: &[u16],
    values: Vec<Value<'v>>,
    rows: usize,
) -> (Tokens, Vec<Value<'v>>) {
    let mut tokens: Tokens = set.iter().map(|column| Token::Into(*column)).collect();
    tokens.extend(table.key.iter().chain(compared).map(|column| Token::Match(*column)));
    let width = tokens.len();
    match target.dialect().takes_lists() {
        true => {
            tokens.push(Token::Lists);
            (tokens, lists(values, width))
        }
        false => {
            tokens.push(Token::Rows(rows as u32));
            (tokens, values)
        }
    }
}

/// Whether the next so many UPDATEs, all of which ran, found fewer rows than they were to change.
pub(crate) fn finds_fewer(answers: &mut Iter<'_, Answer>, updates: usize, rows: u64) -> bool {
    let ran = answers.len() >= updates;
    let found: u64 = answers.take(updates).map(|answer| answer.rows).sum();
    ran && found < rows
}

/// What to say where fewer rows were found than were to be changed; `keys` are those of all of them.
#[cold]
pub(crate) async fn stale_rows(target: Target<'_>, table: &'static TableDef, keys: Vec<Value<'static>>) -> Error {
    let mut keys = Keys::new(table, keys);
    // One that nobody had to ask about is the one.
    let gone = if keys.len() == 1 { vec![0] } else { missing(target, table, &mut keys).await.unwrap_or_default() };
    let what = match (keys.shown(&gone).as_deref(), gone.len()) {
        (_, 0) => "a row is not as it was read any more".to_owned(),
        (Some([key]), _) => format!("the row with key {key} is not there any more"),
        (Some(shown), count) => {
            let first: Vec<String> = shown.iter().take(MOST_SHOWN).map(i64::to_string).collect();
            let more = if count > MOST_SHOWN { format!(" and {} more", count - MOST_SHOWN) } else { String::new() };
            format!("the rows with keys {}{more} are not there any more", first.join(", "))
        }
        (None, 1) => "one of the rows is not there any more".to_owned(),
        (None, count) => format!("{count} of the rows are not there any more"),
    };
    let why = "so nothing was saved: someone has changed or deleted what was read";
    Error::new(ErrorKind::Stale, format!("{what}, {why}")).with_model(table.model)
}

/// At most so many keys in one message.
const MOST_SHOWN: usize = 10;

/// Which of some rows are not there.
async fn missing(target: Target<'_>, table: &'static TableDef, keys: &mut Keys) -> Result<Vec<usize>> {
    let mut query = keys.query(&[]);
    if target.dialect().locks_rows() {
        // Without a lock a transaction may be shown what was there when it began.
        query.push(Token::Lock(Lock::Share.into()));
    }
    let mut there = vec![false; keys.len()];
    let mut sink = |row: &mut Row<'_>| {
        if let Some(there) = keys.place(row)?.and_then(|place| there.get_mut(place)) {
            *there = true;
        }
        Ok(())
    };
    target.run(&statement(Kind::Select, table, &query.tokens), &query.values, &mut sink).await?;
    Ok(there.iter().zip(0..).filter(|(there, _)| !**there).map(|(_, place)| place).collect())
}

#[cfg(test)]
mod tests {
    use cormorant_macros::Model;

    use super::*;
    use crate::{Database, Executor, Mapper, Model, Wait, models};

    #[derive(Model, Clone)]
    #[model(crate = "crate", table = "update_rows_docs")]
    struct Doc {
        id: i64,
        version: i64,
        owner: Option<String>,
        text: String,
    }

    const VERSION: u16 = 1;
    const OWNER: u16 = 2;
    const TEXT: u16 = 3;

    /// Sets the text and the version of rows that have this old version and owner; gives how many.
    fn set(db: &Database, rows: &[(i64, i64, Option<&'static str>)]) -> u64 {
        let mut values = Vec::new();
        for (id, version, owner) in rows {
            let owner = owner.map_or(Value::Null, |owner| Value::Text(owner.into()));
            values.extend([
                Value::Text("new".into()),
                Value::Int(version + 1),
                Value::Int(*id),
                Value::Int(*version),
                owner,
            ]);
        }
        let steps = update_rows(db.target(), Doc::TABLE, &[TEXT, VERSION], &[VERSION, OWNER], values);
        async { db.target().run_all(&steps).await.all() }.wait().unwrap().iter().map(|answer| answer.rows).sum()
    }

    #[test]
    fn rows_count_that_have_the_old_values() {
        let db = Database::connect("sqlite::memory:").wait().unwrap();
        db.create(models![Doc]).wait().unwrap();
        let doc = |n: i64| Doc { id: 0, version: n, owner: (n > 1).then(|| "ann".into()), text: String::new() };
        Doc::insert_many(&db, (1..4).map(doc)).wait().unwrap();
        assert_eq!(set(&db, &[(1, 1, None), (2, 2, Some("bob")), (3, 9, Some("ann"))]), 1);
        assert_eq!(set(&db, &[(1, 1, None)]), 0);
        assert_eq!(set(&db, &[(1, 2, Some("ann"))]), 0);
        assert_eq!(set(&db, &[(1, 2, None)]), 1);
        assert_eq!(set(&db, &[(2, 2, Some("ann")), (3, 3, Some("ann"))]), 2);
        assert_eq!(set(&db, &[]), 0);
        let versions: Vec<i64> =
            Doc::query().select(|d| d.version()).order_by(|d| d.id().asc()).all(&db).wait().unwrap();
        assert_eq!(versions, [3, 3, 4]);
    }
}
