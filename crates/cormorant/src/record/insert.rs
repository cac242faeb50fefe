//! Inserting.

use cormorant_driver::{Call, Done, Error, Result, Sink};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Kind, Token, Value};
use smallvec::SmallVec;

use super::{Record, State};
use crate::executor::{Target, no_rows, statement};
use crate::{Columns, Executor, IntoModel, Model, Transaction, problem, validate};

/// At most so many rows in one statement: more make it slower on SQLite, and hold locks longer elsewhere.
const MOST_ROWS: usize = 1_000;

/// At most so many where their values travel as lists: the statement is the same for any number.
const MOST_IN_LISTS: usize = 10_000;

impl<M: Model> Record<M> {
    /// Inserts a model, or a complete builder, and gives its record, with what the database generated.
    ///
    /// # Errors
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) before anything is sent; the database's.
    pub async fn insert(model: impl IntoModel<Model = M>, db: &impl Executor) -> Result<Self> {
        let mut record = Self::unsaved(model.into_unsaved());
        record.insert_into(db.target(), &[]).await?;
        Ok(record)
    }

    /// Inserts this record's row. Where `conflict` names a unique constraint and a row is there by it, nothing is
    /// written, and that is `false`.
    pub(crate) async fn insert_into(&mut self, target: Target<'_>, conflict: &[Token]) -> Result<bool> {
        let omitted = self.prepare();
        let mut values: SmallVec<[Value<'_>; 8]> = SmallVec::new();
        validate::values::<M>(&self.entity, written(M::TABLE, omitted), |value| values.push(value))?;
        let dialect = target.dialect();
        let key_alone = omitted == key_of(M::TABLE);
        let returns = !(key_alone && dialect.insert_tells_key() || !dialect.insert_returning());
        let insert = Insert { table: M::TABLE, omitted, rows: Token::Rows(1), conflict, returns };
        let done = if returns {
            // What comes back is written where the values are borrowed from.
            let values: SmallVec<[Value<'static>; 8]> = values.into_iter().map(Value::into_owned).collect();
            let entity = &mut self.entity;
            let mut sink = |cells: &mut cormorant_driver::Row<'_>| {
                omitted.iter().try_for_each(|column| M::assign(entity, column, cells))
            };
            insert.run(target, &values, &mut sink).await?
        } else {
            let done = insert.run(target, &values, &mut no_rows).await?;
            drop(values);
            done
        };
        if !conflict.is_empty() && done.rows == 0 {
            return Ok(false);
        }
        self.state = State::Clean;
        if !returns && !omitted.is_empty() {
            if let Some(key) = done.key.filter(|_| M::TABLE.generated_key().is_some_and(|key| omitted.contains(key))) {
                M::set_generated_key(&mut self.entity, key)?;
            }
            if !key_alone {
                // What the database filled in besides its key, on one that gives no rows back.
                self.read_again(target).await?;
            }
        }
        Ok(true)
    }

    /// Makes the entity ready to be inserted; gives the columns that are left to the database.
    #[inline]
    pub(super) fn prepare(&mut self) -> Columns {
        M::prepare(&mut self.entity);
        M::as_stored(&mut self.entity);
        let mut omitted = match &self.state {
            State::New(Some(omitted)) => **omitted,
            _ => Columns::none(),
        };
        // A generated key at its type's default is the database's to choose.
        if let Some(key) = M::TABLE.generated_key()
            && matches!(M::value(&self.entity, key), Ok(Value::Int(0)))
        {
            omitted.add(key);
        }
        omitted
    }
}

/// Inserts many: validated first, then in as few statements as fit, all or none.
pub(crate) async fn insert_many<M: Model>(target: Target<'_>, mut records: Vec<Record<M>>) -> Result<Vec<Record<M>>> {
    if let [record] = records.as_mut_slice() {
        record.insert_into(target, &[]).await?;
        return Ok(records);
    }
    let chunks = chunks(&mut records, target)?;
    if chunks.len() < 2 {
        insert_chunks(target, &mut records, &chunks).await?;
        return Ok(records);
    }
    let unit = Transaction::around(target).await?;
    let result = insert_chunks(Target::Transaction(&unit), &mut records, &chunks).await;
    unit.settle(result).await?;
    Ok(records)
}

/// Rows that one statement writes: neighbours that leave the same columns to the database.
#[derive(Clone, Copy)]
struct Chunk {
    omitted: Columns,
    rows: usize,
}

/// The statements that some records take, all of them ready and valid.
fn chunks<M: Model>(records: &mut [Record<M>], target: Target<'_>) -> Result<Vec<Chunk>> {
    let key = key_of(M::TABLE);
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut most = 1;
    for record in records {
        let omitted = record.prepare();
        let known = chunks.last_mut().filter(|last| last.omitted == omitted);
        if known.is_none() {
            let columns = written(M::TABLE, omitted).count();
            // Rows come back in any order: several are told apart by the key alone, which sorts as they were sent.
            let apart = columns == 0 || !(omitted.is_empty() || omitted == key);
            most = if apart { 1 } else { most_rows(target, columns) };
        }
        match known.filter(|last| last.rows < most) {
            Some(last) => last.rows += 1,
            None => chunks.push(Chunk { omitted, rows: 1 }),
        }
        validate::values::<M>(&record.entity, written(M::TABLE, omitted), drop)?;
    }
    Ok(chunks)
}

fn most_rows(target: Target<'_>, columns: usize) -> usize {
    match target.dialect().inserts_lists() {
        true => MOST_IN_LISTS,
        false => (target.pool().max_parameters() / columns).clamp(1, MOST_ROWS),
    }
}

async fn insert_chunks<M: Model>(target: Target<'_>, records: &mut [Record<M>], chunks: &[Chunk]) -> Result<()> {
    let mut records = records;
    let step = key_step(target).await?;
    for chunk in chunks {
        let (these, rest) = records.split_at_mut_checked(chunk.rows).unwrap_or_default();
        match these {
            [record] => drop(record.insert_into(target, &[]).await?),
            _ => insert_chunk(target, these, chunk.omitted, step).await?,
        }
        records = rest;
    }
    Ok(())
}

/// Inserts several rows in one statement.
async fn insert_chunk<M: Model>(
    target: Target<'_>,
    records: &mut [Record<M>],
    omitted: Columns,
    step: i64,
) -> Result<()> {
    let dialect = target.dialect();
    let columns = written(M::TABLE, omitted).count();
    let mut values = Vec::with_capacity(records.len() * columns);
    for record in &*records {
        validate::values::<M>(&record.entity, written(M::TABLE, omitted), |value| values.push(value))?;
    }
    let mut rows = Token::Rows(records.len() as u32);
    if dialect.inserts_lists() {
        (rows, values) = (Token::Lists, lists(values, columns));
    }
    let mut keys = Vec::new();
    let mut sink = |row: &mut cormorant_driver::Row<'_>| {
        keys.push(row.read(|cell| cell.int())?);
        Ok(())
    };
    let insert = Insert { table: M::TABLE, omitted, rows, conflict: &[], returns: dialect.insert_returning() };
    let mut first = None;
    if dialect.counts_keys_up() && !omitted.is_empty() {
        first = Insert { returns: false, ..insert }.run(target, &values, &mut no_rows).await?.key;
    }
    // Where no key was told nothing was inserted, and each key has to be given back.
    if first.is_none() {
        first = insert.run(target, &values, &mut sink).await?.key;
    }
    drop(values);
    if !omitted.is_empty() {
        if keys.is_empty() {
            // The key of the first row; those of one statement follow each other.
            let first = first.ok_or_else(no_key)?;
            keys.extend((0..records.len() as i64).map(|n| first + n * step));
        }
        keys.sort_unstable();
        if keys.len() != records.len() {
            return Err(no_key());
        }
        for (record, key) in records.iter_mut().zip(keys) {
            M::set_generated_key(&mut record.entity, key)?;
        }
    }
    records.iter_mut().for_each(|record| record.state = State::Clean);
    Ok(())
}

/// A list of each column's values, of values that stand row by row.
fn lists(values: Vec<Value<'_>>, columns: usize) -> Vec<Value<'_>> {
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

/// An INSERT, whatever the model.
#[derive(Clone, Copy)]
pub(super) struct Insert<'a> {
    pub(super) table: &'static TableDef,
    pub(super) omitted: Columns,
    pub(super) rows: Token,
    /// The clauses for a row that is there already.
    pub(super) conflict: &'a [Token],
    /// Whether what was left to the database is given back.
    pub(super) returns: bool,
}

impl Insert<'_> {
    #[inline]
    pub(super) async fn run(&self, target: Target<'_>, values: &[Value<'_>], sink: Sink<'_>) -> Result<Done> {
        let tokens = self.tokens();
        let done = target.run(&statement(Kind::Insert, self.table, &tokens), values, sink).await;
        done.map_err(|error| self.problem(error, values))
    }

    fn tokens(&self) -> SmallVec<[Token; 24]> {
        let mut tokens = SmallVec::new();
        for column in written(self.table, self.omitted) {
            tokens.push(Token::Into(column));
        }
        tokens.push(self.rows);
        tokens.extend_from_slice(self.conflict);
        if self.returns {
            tokens.extend(self.omitted.iter().map(Token::Returning));
        }
        tokens
    }

    #[cold]
    fn problem(&self, error: Error, values: &[Value<'_>]) -> Error {
        let written: Vec<u16> = written(self.table, self.omitted).collect();
        problem::of_write(error, self.table, &written, values)
    }
}

/// How far apart the keys of one statement's rows are, where the first alone is told.
async fn key_step(target: Target<'_>) -> Result<i64> {
    let mut step = 1;
    if let Some(sql) = target.dialect().key_step() {
        let mut sink = |row: &mut cormorant_driver::Row<'_>| {
            step = row.read(|cell| cell.int())?;
            Ok(())
        };
        target.call(&Call { writes: false, ..Call::text(sql) }, &mut sink).await?;
    }
    Ok(step)
}

fn no_key() -> Error {
    Error::new(crate::ErrorKind::Database, "the database did not say which keys it generated")
}

/// The columns that are written.
#[inline]
pub(super) fn written(table: &'static TableDef, omitted: Columns) -> impl Iterator<Item = u16> {
    (0..table.columns.len() as u16).filter(move |column| !omitted.contains(*column))
}

/// The generated key as a set of columns; empty where there is none.
fn key_of(table: &'static TableDef) -> Columns {
    let mut columns = Columns::none();
    if let Some(key) = table.generated_key() {
        columns.add(key);
    }
    columns
}
