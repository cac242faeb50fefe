//! Inserting many rows, whatever holds them.

use std::ops::Range;

use cormorant_driver::{Call, Done, Error, Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Dialect, Token, Value};

use super::insert::{Insert, written};
use super::many::numbered;
use super::read_back::{insert_and_take, read_again};
use crate::executor::{Target, no_rows};
use crate::{Columns, ErrorKind, Unstorable, validate};

/// At most so many rows in one statement: more make it slower on SQLite, and hold locks longer elsewhere.
const MOST_ROWS: usize = 1_000;

/// At most so many where their values travel as lists: the statement is the same for any number.
const MOST_IN_LISTS: usize = 10_000;

/// New rows of one table, ready to be inserted, and where that is put which the database chooses.
pub(crate) trait Batch: Send + Sync {
    /// Their table.
    fn table(&self) -> &'static TableDef;

    /// How many they are.
    fn len(&self) -> usize;

    /// The columns of a row that are left to the database, a generated key that has no value yet among them.
    fn omitted(&self, row: usize) -> Columns;

    /// The value of a column that is written.
    fn value(&self, row: usize, column: u16) -> Result<Value<'_>, Unstorable>;

    /// Takes over the integer key that the database generated.
    fn set_key(&mut self, row: usize, key: i64) -> Result<()>;

    /// Takes one column's value from the next cell of what the database gave back.
    fn assign(&mut self, row: usize, column: u16, cells: &mut Row<'_>) -> Result<()>;
}

/// Rows that one statement inserts: neighbours that leave the same columns to the database.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(super) omitted: Columns,
    pub(super) rows: Range<usize>,
}

/// The statements that some rows take.
pub(crate) fn chunks(target: Target<'_>, batch: &dyn Batch) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut most = 1;
    for row in 0..batch.len() {
        let omitted = batch.omitted(row);
        let known = chunks.last_mut().filter(|last| last.omitted == omitted);
        if known.is_none() {
            most = most_inserted(target, batch.table(), omitted);
        }
        match known.filter(|last| last.rows.len() < most) {
            Some(last) => last.rows.end = row + 1,
            None => chunks.push(Chunk { omitted, rows: row..row + 1 }),
        }
    }
    chunks
}

/// Whether every row is valid: says of each what is not. [`insert_chunks`] looks at the rows of a statement before it
/// sends it: where that is one, or whoever calls it knows already, they need not be looked at twice.
pub(crate) fn check(batch: &dyn Batch) -> Result<()> {
    let mut faults = Vec::new();
    for row in 0..batch.len() {
        if let Err(error) = values(batch, row, batch.omitted(row), drop) {
            faults.extend(numbered(error.faults(), "model", row));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::validation(batch.table().model, faults)) }
}

/// The values of a row, all valid.
fn values<'b>(batch: &'b dyn Batch, row: usize, omitted: Columns, take: impl FnMut(Value<'b>)) -> Result<()> {
    let table = batch.table();
    validate::values_of(table, written(table, omitted), |column| batch.value(row, column), take)
}

/// How many rows fit one INSERT.
fn most_inserted(target: Target<'_>, table: &'static TableDef, omitted: Columns) -> usize {
    // Several rows are told apart by their keys: those that are written, or integers that the database counts up.
    let untold = |key: &u16| omitted.contains(*key) && table.generated_key() != Some(*key);
    match written(table, omitted).count() {
        // An INSERT of no columns has one row.
        0 => 1,
        _ if table.key.iter().any(untold) => 1,
        columns => most_rows(target, columns),
    }
}

/// How many rows of so many values fit one statement.
pub(super) fn most_rows(target: Target<'_>, values: usize) -> usize {
    match target.dialect().takes_lists() {
        true => MOST_IN_LISTS,
        false => (target.pool().max_parameters() / values.max(1)).clamp(1, MOST_ROWS),
    }
}

/// Inserts rows as [`chunks`] has divided them.
pub(crate) async fn insert_chunks(target: Target<'_>, batch: &mut dyn Batch, chunks: &[Chunk]) -> Result<()> {
    let several = |chunk: &Chunk| chunk.rows.len() > 1 && !chunk.omitted.is_empty();
    let step = if chunks.iter().any(several) { key_step(target).await? } else { 1 };
    for chunk in chunks {
        insert_chunk(target, batch, chunk, step).await?;
    }
    Ok(())
}

/// Inserts rows of several tables, none of which points at a row of another one, in as few statements as fit. It begins
/// no transaction, and each statement's rows are looked at before it is sent: whoever wants all or none does that, and
/// looks at all of them first. Where the server takes a statement before the last is answered, those are sent together
/// that give back no more than keys.
pub(crate) async fn insert_batches(target: Target<'_>, batches: &mut [impl Batch]) -> Result<()> {
    let mut together: Vec<(usize, Chunk)> = Vec::new();
    for (n, batch) in batches.iter_mut().enumerate() {
        let chunks = chunks(target, batch);
        let key = batch.table().generated_key();
        let keys_alone = |chunk: &Chunk| chunk.omitted.iter().all(|column| Some(column) == key);
        match target.dialect().pipelines() && chunks.iter().all(keys_alone) {
            true => together.extend(chunks.into_iter().map(|chunk| (n, chunk))),
            false => insert_chunks(target, batch, &chunks).await?,
        }
    }
    // Not so many at once that their values take much room.
    let mut rows = together.first().map_or(0, |(_, first)| first.rows.len());
    let windows = together.chunk_by(|_, (_, next)| {
        let fits = rows + next.rows.len() <= MOST_IN_LISTS;
        rows = next.rows.len() + if fits { rows } else { 0 };
        fits
    });
    for these in windows {
        insert_together(target, batches, these).await?;
    }
    Ok(())
}

async fn insert_together(target: Target<'_>, batches: &mut [impl Batch], chunks: &[(usize, Chunk)]) -> Result<()> {
    let mut steps = Vec::with_capacity(chunks.len());
    for (n, chunk) in chunks {
        let Some(batch) = batches.get(*n) else { continue };
        let (rows, values) = bound(target.dialect(), batch, chunk)?;
        let insert = Insert { table: batch.table(), omitted: chunk.omitted, rows, clauses: &[], returns: true };
        steps.push(insert.step(values));
    }
    let answers = target.run_all(&steps).await.all()?;
    drop(steps);
    for ((n, chunk), answer) in chunks.iter().zip(answers) {
        if let Some(batch) = batches.get_mut(*n) {
            set_keys(batch, chunk, answer.keys)?;
        }
    }
    Ok(())
}

/// Takes over the keys that a chunk's rows were given. They come back in any order, and sort as the rows were sent.
fn set_keys(batch: &mut dyn Batch, chunk: &Chunk, mut keys: Vec<i64>) -> Result<()> {
    let rows = if chunk.omitted.is_empty() { 0..0 } else { chunk.rows.clone() };
    if keys.len() != rows.len() {
        return Err(no_key());
    }
    keys.sort_unstable();
    rows.zip(keys).try_for_each(|(row, key)| batch.set_key(row, key))
}

async fn insert_chunk(target: Target<'_>, batch: &mut dyn Batch, chunk: &Chunk, step: i64) -> Result<()> {
    let (table, dialect, omitted) = (batch.table(), target.dialect(), chunk.omitted);
    let generated = table.generated_key().filter(|key| omitted.contains(*key));
    let others: Vec<u16> = omitted.iter().filter(|column| Some(*column) != generated).collect();
    if !others.is_empty() && dialect.insert_returning() {
        return insert_and_take(target, batch, chunk).await;
    }
    let (rows, values) = bound(dialect, batch, chunk)?;
    let insert = Insert { table, omitted, rows, clauses: &[], returns: false };
    let mut keys = Vec::new();
    match generated {
        Some(_) => keys = insert_for_keys(target, insert, &values, chunk.rows.len(), step).await?,
        None => drop(insert.run(target, &values, &mut no_rows).await?),
    }
    drop(values);
    for (row, key) in chunk.rows.clone().zip(keys) {
        batch.set_key(row, key)?;
    }
    match others.as_slice() {
        [] => Ok(()),
        // What the database filled in besides its key, on one that gives no rows back.
        others => read_again(target, batch, chunk.rows.clone(), others).await,
    }
}

/// The token for a chunk's rows, and their values as it wants them, all valid.
pub(super) fn bound<'b>(dialect: Dialect, batch: &'b dyn Batch, chunk: &Chunk) -> Result<(Token, Vec<Value<'b>>)> {
    let columns = written(batch.table(), chunk.omitted).count();
    let mut bound = Vec::with_capacity(chunk.rows.len() * columns);
    for row in chunk.rows.clone() {
        values(batch, row, chunk.omitted, |value| bound.push(value))?;
    }
    Ok(match chunk.rows.len() {
        1 => (Token::Rows(1), bound),
        _ if dialect.takes_lists() => (Token::Lists, lists(bound, columns)),
        rows => (Token::Rows(rows as u32), bound),
    })
}

/// Runs an INSERT of some rows; gives the keys that the database generated, in the order of the rows.
async fn insert_for_keys(
    target: Target<'_>,
    insert: Insert<'_>,
    values: &[Value<'_>],
    rows: usize,
    step: i64,
) -> Result<Vec<i64>> {
    let dialect = target.dialect();
    let tells = if rows == 1 { dialect.insert_tells_key() } else { dialect.counts_keys_up() };
    let mut done = Done::default();
    if tells {
        done = insert.run(target, values, &mut no_rows).await?;
    }
    let mut keys = Vec::new();
    // Where no key of several rows was told nothing was inserted, and each key has to be given back.
    if done.key.is_none() && !(tells && rows == 1) {
        let mut sink = |row: &mut Row<'_>| {
            keys.push(row.read(|cell| cell.int())?);
            Ok(())
        };
        done = Insert { returns: dialect.insert_returning(), ..insert }.run(target, values, &mut sink).await?;
    }
    if keys.is_empty() {
        // The key of the first row; those of one statement follow each other.
        let first = done.key.ok_or_else(no_key)?;
        keys.extend((0..rows as i64).map(|n| first + n * step));
    }
    // Rows come back in any order; their keys sort as they were sent.
    keys.sort_unstable();
    if keys.len() == rows { Ok(keys) } else { Err(no_key()) }
}

/// A list of each column's values, of values that stand row by row.
pub(super) fn lists(values: Vec<Value<'_>>, columns: usize) -> Vec<Value<'_>> {
    let mut lists: Vec<Vec<Value<'_>>> = Vec::new();
    lists.resize_with(columns, || Vec::with_capacity(values.len() / columns.max(1)));
    let mut values = values.into_iter().peekable();
    while values.peek().is_some() {
        for list in &mut lists {
            list.extend(values.next());
        }
    }
    lists.into_iter().map(Value::List).collect()
}

/// How far apart the keys of one statement's rows are, where the first alone is told.
async fn key_step(target: Target<'_>) -> Result<i64> {
    let mut step = 1;
    if let Some(sql) = target.dialect().key_step() {
        let mut sink = |row: &mut Row<'_>| {
            step = row.read(|cell| cell.int())?;
            Ok(())
        };
        target.call(&Call { writes: false, ..Call::text(sql) }, &mut sink).await?;
    }
    Ok(step)
}

pub(super) fn no_key() -> Error {
    Error::new(ErrorKind::Database, "the database did not say which keys it generated")
}
