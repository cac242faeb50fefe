//! Inserting.

use cormorant_driver::{Error, Result};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Kind, Token, Value};
use smallvec::SmallVec;

use super::{Record, State};
use crate::executor::{Target, statement};
use crate::{Columns, Executor, IntoModel, Model, Transaction, Unsaved, problem, validate};

/// At most so many rows in one statement: more make it slower on SQLite, and hold locks longer elsewhere.
const MOST_ROWS: usize = 1_000;

impl<M: Model> Record<M> {
    /// Inserts a model, or a complete builder, and gives its record, with what the database generated.
    ///
    /// # Errors
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) before anything is sent; the database's.
    pub async fn insert(model: impl IntoModel<Model = M>, db: &impl Executor) -> Result<Self> {
        let mut record = Self::unsaved(model.into_unsaved());
        record.insert_into(db.target()).await?;
        Ok(record)
    }

    /// Inserts this record's row.
    pub(super) async fn insert_into(&mut self, target: Target<'_>) -> Result<()> {
        let row = New::of(self)?;
        let dialect = target.dialect();
        let key_alone = row.omitted == key_of(M::TABLE);
        let returning: SmallVec<[u16; 4]> = match key_alone && dialect.insert_tells_key() || !dialect.insert_returning()
        {
            true => SmallVec::new(),
            false => row.omitted.iter().collect(),
        };
        let tokens = tokens(&row.written(M::TABLE), 1, &returning);
        let entity = &mut self.entity;
        let mut sink = |cells: &mut cormorant_driver::Row<'_>| {
            returning.iter().try_for_each(|column| M::assign(entity, *column, cells))
        };
        let done = target
            .run(&statement(Kind::Insert, M::TABLE, &tokens), &row.values, &mut sink)
            .await
            .map_err(|error| problem::of_write(error, M::TABLE, &row.written(M::TABLE), &row.values))?;
        self.state = State::Clean;
        if returning.is_empty() && !row.omitted.is_empty() {
            if let Some(key) =
                done.key.filter(|_| M::TABLE.generated_key().is_some_and(|key| row.omitted.contains(key)))
            {
                M::set_generated_key(&mut self.entity, key)?;
            }
            if !key_alone {
                // What the database filled in besides its key, on one that gives no rows back.
                self.read_again(target).await?;
            }
        }
        Ok(())
    }
}

/// Inserts many: validated first, then in as few statements as fit, all or none.
pub(crate) async fn insert_many<M: Model>(target: Target<'_>, models: Vec<Unsaved<M>>) -> Result<Vec<Record<M>>> {
    let mut records: Vec<Record<M>> = models.into_iter().map(Record::unsaved).collect();
    let rows = records.iter_mut().map(New::of).collect::<Result<Vec<_>>>()?;
    let chunks = chunks::<M>(&rows, target.pool().max_parameters());
    if chunks.len() < 2 {
        insert_chunk(target, &mut records, rows).await?;
        return Ok(records);
    }
    let transaction: Transaction = match target {
        Target::Database(pool) => Transaction::begin(pool, crate::Begin::default()).await?,
        Target::Transaction(outer) => outer.savepoint().await?,
    };
    let mut waiting = records.as_mut_slice();
    let mut rows = rows.into_iter();
    for n in chunks {
        let (chunk, rest) = std::mem::take(&mut waiting).split_at_mut_checked(n).unwrap_or_default();
        waiting = rest;
        let rows = rows.by_ref().take(n).collect();
        if let Err(error) = insert_chunk(Target::Transaction(&transaction), chunk, rows).await {
            transaction.rollback().await?;
            return Err(error);
        }
    }
    transaction.commit().await?;
    Ok(records)
}

/// How many rows each statement takes: neighbours that write the same columns, as many as fit.
fn chunks<M: Model>(rows: &[New], max_parameters: usize) -> Vec<usize> {
    let key = key_of(M::TABLE);
    let mut chunks: Vec<(Columns, usize)> = Vec::new();
    for row in rows {
        // Rows come back in any order: several are told apart by the key alone, which sorts as they were sent.
        let apart = row.values.is_empty() || !(row.omitted.is_empty() || row.omitted == key);
        let most = if apart { 1 } else { (max_parameters / row.values.len().max(1)).clamp(1, MOST_ROWS) };
        match chunks.last_mut() {
            Some((omitted, n)) if *omitted == row.omitted && *n < most => *n += 1,
            _ => chunks.push((row.omitted, 1)),
        }
    }
    chunks.into_iter().map(|(_, n)| n).collect()
}

/// Inserts rows that write the same columns, in one statement.
async fn insert_chunk<M: Model>(target: Target<'_>, records: &mut [Record<M>], rows: Vec<New>) -> Result<()> {
    if let [record] = records {
        return record.insert_into(target).await;
    }
    let Some(first) = rows.first() else { return Ok(()) };
    let (written, generated) = (first.written(M::TABLE), !first.omitted.is_empty());
    let values: Vec<Value> = rows.into_iter().flat_map(|row| row.values).collect();
    let returning: SmallVec<[u16; 4]> = match generated && target.dialect().insert_returning() {
        true => key_of(M::TABLE).iter().collect(),
        false => SmallVec::new(),
    };
    let tokens = tokens(&written, records.len() as u32, &returning);
    let mut keys = Vec::with_capacity(if returning.is_empty() { 0 } else { records.len() });
    let mut sink = |row: &mut cormorant_driver::Row<'_>| {
        keys.push(row.read(|cell| cell.int())?);
        Ok(())
    };
    let done = target
        .run(&statement(Kind::Insert, M::TABLE, &tokens), &values, &mut sink)
        .await
        .map_err(|error| problem::of_write(error, M::TABLE, &written, &values))?;
    if generated {
        if returning.is_empty() {
            // The key of the first row; those of one statement follow each other.
            let first = done.key.ok_or_else(no_key)?;
            keys.extend((0..records.len() as i64).map(|n| first + n));
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

fn no_key() -> Error {
    Error::new(crate::ErrorKind::Database, "the database did not say which keys it generated")
}

/// A row on its way into the database.
struct New {
    /// The columns that are left to the database.
    omitted: Columns,
    /// The values of the others, in order.
    values: SmallVec<[Value; 8]>,
}

impl New {
    /// The row of a record, prepared and valid.
    fn of<M: Model>(record: &mut Record<M>) -> Result<Self> {
        M::prepare(&mut record.entity);
        M::as_stored(&mut record.entity);
        let mut omitted = match record.state {
            State::New(omitted) => omitted,
            _ => Columns::none(),
        };
        let values = validate::values::<M>(&record.entity, omitted)?;
        // A generated key at its type's default is the database's to choose.
        if let Some(key) = M::TABLE.generated_key()
            && values.get(usize::from(key)) == Some(&Value::Int(0))
        {
            omitted.add(key);
        }
        let written = values.into_iter().enumerate().filter(|(column, _)| !omitted.contains(*column as u16));
        Ok(Self { omitted, values: written.map(|(_, value)| value).collect() })
    }

    /// The columns that are written.
    fn written(&self, table: &TableDef) -> SmallVec<[u16; 16]> {
        (0..table.columns.len() as u16).filter(|column| !self.omitted.contains(*column)).collect()
    }
}

/// The generated key as a set of columns; empty where there is none.
fn key_of(table: &'static TableDef) -> Columns {
    let mut columns = Columns::none();
    if let Some(key) = table.generated_key() {
        columns.add(key);
    }
    columns
}

fn tokens(written: &[u16], rows: u32, returning: &[u16]) -> SmallVec<[Token; 24]> {
    let mut tokens: SmallVec<[Token; 24]> = written.iter().map(|column| Token::Into(*column)).collect();
    tokens.push(Token::Rows(rows));
    tokens.extend(returning.iter().map(|column| Token::Returning(*column)));
    tokens
}
