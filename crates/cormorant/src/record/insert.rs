//! Inserting.

use cormorant_driver::{Error, Result};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Kind, Token, Value};
use smallvec::SmallVec;

use super::Record;
use crate::executor::{Target, statement};
use crate::{Executor, Model, Transaction, problem, validate};

/// At most so many rows in one statement: more make it slower on SQLite, and hold locks longer elsewhere.
const MOST_ROWS: usize = 1_000;

impl<M: Model> Record<M> {
    /// Inserts a model and gives its record, with the key that the database generated.
    ///
    /// # Errors
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) before anything is sent; the database's.
    pub async fn insert(entity: M, db: &impl Executor) -> Result<Self> {
        let mut record = Self::new(entity);
        record.insert_into(db.target()).await?;
        Ok(record)
    }

    /// Inserts this record's row.
    pub(super) async fn insert_into(&mut self, target: Target<'_>) -> Result<()> {
        M::prepare(&mut self.entity);
        M::as_stored(&mut self.entity);
        let mut values = validate::values::<M>(&self.entity)?;
        let generated = take_generated(M::TABLE, &mut values);
        let written = written(M::TABLE, generated);
        let returning = generated.filter(|_| !target.dialect().insert_tells_key());
        let tokens = tokens(&written, 1, returning);
        let entity = &mut self.entity;
        let mut sink = |row: &mut cormorant_driver::Row<'_>| match returning {
            Some(column) => M::assign(entity, column, row),
            None => Ok(()),
        };
        let done = target
            .run(&statement(Kind::Insert, M::TABLE, &tokens), &values, &mut sink)
            .await
            .map_err(|error| problem::of_write(error, M::TABLE, &written))?;
        if let (Some(_), None, Some(key)) = (generated, returning, done.key) {
            M::set_generated_key(&mut self.entity, key)?;
        }
        self.state = super::State::Clean;
        Ok(())
    }
}

/// Inserts many: validated first, then in as few statements as fit, all or none.
pub(crate) async fn insert_many<M: Model>(target: Target<'_>, models: Vec<M>) -> Result<Vec<Record<M>>> {
    let mut records: Vec<Record<M>> = models.into_iter().map(Record::new).collect();
    let mut rows = Vec::with_capacity(records.len());
    for record in &mut records {
        M::prepare(&mut record.entity);
        M::as_stored(&mut record.entity);
        let mut values = validate::values::<M>(&record.entity)?;
        let generated = take_generated(M::TABLE, &mut values);
        rows.push((generated, values));
    }
    // Rows that leave the key to the database and rows that bring their own are different statements.
    let columns = |generated: Option<u16>| written(M::TABLE, generated).len().max(1);
    let most = |generated| (target.pool().max_parameters() / columns(generated)).clamp(1, MOST_ROWS);
    let mut chunks: Vec<(Option<u16>, usize)> = Vec::new();
    for (generated, _) in &rows {
        match chunks.last_mut() {
            Some((same, n)) if same == generated && *n < most(*generated) && columns(*generated) > 0 => *n += 1,
            _ => chunks.push((*generated, 1)),
        }
    }
    if chunks.len() < 2 {
        for (generated, n) in chunks {
            insert_chunk(target, generated, &mut records, rows.drain(..n).flat_map(|(_, values)| values)).await?;
        }
        return Ok(records);
    }
    let transaction: Transaction = match target {
        Target::Database(pool) => Transaction::begin(pool, crate::Begin::default()).await?,
        Target::Transaction(outer) => outer.savepoint().await?,
    };
    let mut first = 0;
    let mut rows = rows.into_iter();
    for (generated, n) in chunks {
        let values = rows.by_ref().take(n).flat_map(|(_, values)| values);
        let end = first + n;
        let chunk = records.get_mut(first..end).unwrap_or_default();
        if let Err(error) = insert_chunk(Target::Transaction(&transaction), generated, chunk, values).await {
            transaction.rollback().await?;
            return Err(error);
        }
        first = end;
    }
    transaction.commit().await?;
    Ok(records)
}

async fn insert_chunk<M: Model>(
    target: Target<'_>,
    generated: Option<u16>,
    records: &mut [Record<M>],
    values: impl Iterator<Item = Value>,
) -> Result<()> {
    let written = written(M::TABLE, generated);
    let values: Vec<Value> = values.collect();
    let dialect = target.dialect();
    let one = records.len() == 1;
    let returning = generated.filter(|_| if one { !dialect.insert_tells_key() } else { dialect.insert_returning() });
    let tokens = tokens(&written, records.len() as u32, returning);
    let mut keys = Vec::with_capacity(if returning.is_some() { records.len() } else { 0 });
    let mut sink = |row: &mut cormorant_driver::Row<'_>| {
        keys.push(row.read(|cell| cell.int())?);
        Ok(())
    };
    let done = target
        .run(&statement(Kind::Insert, M::TABLE, &tokens), &values, &mut sink)
        .await
        .map_err(|error| problem::of_write(error, M::TABLE, &written))?;
    if generated.is_some() {
        if returning.is_none() {
            // The key of the first row; those of one statement follow each other.
            let first = done.key.ok_or_else(no_key)?;
            keys.extend((0..records.len() as i64).map(|n| first + n));
        }
        // Rows come back in any order; keys are given in the order of the rows.
        keys.sort_unstable();
        if keys.len() != records.len() {
            return Err(no_key());
        }
        for (record, key) in records.iter_mut().zip(keys) {
            M::set_generated_key(&mut record.entity, key)?;
        }
    }
    records.iter_mut().for_each(|record| record.state = super::State::Clean);
    Ok(())
}

fn no_key() -> Error {
    Error::new(crate::ErrorKind::Database, "the database did not say which keys it generated")
}

/// Takes the key out of the values where the database is to generate it, and says which column that is.
fn take_generated(table: &'static TableDef, values: &mut Vec<Value>) -> Option<u16> {
    let column = table.generated_key()?;
    let at = usize::from(column);
    if values.get(at) == Some(&Value::Int(0)) {
        values.remove(at);
        return Some(column);
    }
    None
}

/// The columns that an insert writes.
fn written(table: &'static TableDef, generated: Option<u16>) -> SmallVec<[u16; 16]> {
    (0..table.columns.len() as u16).filter(|column| Some(*column) != generated).collect()
}

fn tokens(written: &[u16], rows: u32, returning: Option<u16>) -> SmallVec<[Token; 24]> {
    let mut tokens: SmallVec<[Token; 24]> = written.iter().map(|column| Token::Into(*column)).collect();
    tokens.push(Token::Rows(rows));
    tokens.extend(returning.map(Token::Returning));
    tokens
}
