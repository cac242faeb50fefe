//! Inserting.

use cormorant_driver::{Done, Error, ErrorKind, Result, Row, Sink};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Kind, Token, Value};
use smallvec::SmallVec;

use super::batch::{Batch, check, chunks, insert_chunks};
use super::{Record, State};
use crate::executor::{Target, no_rows, statement};
use crate::step::Step;
use crate::{Columns, Executor, IntoModel, Model, Transaction, Unstorable, problem, validate};

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
        let insert = Insert { table: M::TABLE, omitted, rows: Token::Rows(1), clauses: conflict, returns };
        let done = if returns {
            // What comes back is written where the values are borrowed from.
            let values: SmallVec<[Value<'static>; 8]> = values.into_iter().map(Value::into_owned).collect();
            let entity = &mut self.entity;
            let mut sink = |cells: &mut Row<'_>| omitted.iter().try_for_each(|column| M::assign(entity, column, cells));
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
        self.make_ready();
        self.omitted()
    }

    fn make_ready(&mut self) {
        M::prepare(&mut self.entity);
        M::as_stored(&mut self.entity);
    }

    #[inline]
    fn omitted(&self) -> Columns {
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
    // Found in one of them: there may be more.
    let told = |records: &Vec<Record<M>>, error: Error| match error.kind() {
        ErrorKind::Validation => check(records).err().unwrap_or(error),
        _ => error,
    };
    if let [record] = records.as_mut_slice() {
        return match record.insert_into(target, &[]).await {
            Ok(_) => Ok(records),
            Err(error) => Err(told(&records, error)),
        };
    }
    records.iter_mut().for_each(Record::make_ready);
    let chunks = chunks(target, &records);
    if chunks.len() < 2 {
        let inserted = insert_chunks(target, &mut records, &chunks).await;
        inserted.map_err(|error| told(&records, error))?;
    } else {
        check(&records)?;
        let unit = Transaction::around(target).await?;
        let result = insert_chunks(Target::Transaction(&unit), &mut records, &chunks).await;
        unit.settle(result).await?;
    }
    records.iter_mut().for_each(|record| record.state = State::Clean);
    Ok(records)
}

/// Records that were made ready.
impl<M: Model> Batch for Vec<Record<M>> {
    fn table(&self) -> &'static TableDef {
        M::TABLE
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn omitted(&self, row: usize) -> Columns {
        self.get(row).map_or(Columns::none(), Record::omitted)
    }

    fn value(&self, row: usize, column: u16) -> Result<Value<'_>, Unstorable> {
        self.get(row).map_or(Ok(Value::Null), |record| M::value(&record.entity, column))
    }

    fn set_key(&mut self, row: usize, key: i64) -> Result<()> {
        self.get_mut(row).map_or(Ok(()), |record| M::set_generated_key(&mut record.entity, key))
    }

    fn assign(&mut self, row: usize, column: u16, cells: &mut Row<'_>) -> Result<()> {
        self.get_mut(row).map_or(Ok(()), |record| M::assign(&mut record.entity, column, cells))
    }
}

/// An INSERT, whatever the model.
#[derive(Clone, Copy)]
pub(super) struct Insert<'a> {
    pub(super) table: &'static TableDef,
    pub(super) omitted: Columns,
    pub(super) rows: Token,
    /// What stands behind the rows: what to do where one is there already, and what is given back.
    pub(super) clauses: &'a [Token],
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

    /// To be run with others.
    pub(super) fn step<'v>(&self, values: Vec<Value<'v>>) -> Step<'v> {
        let columns: Vec<u16> = written(self.table, self.omitted).collect();
        let tokens = self.tokens().into_iter().collect();
        Step { kind: Kind::Insert, table: self.table, tokens, values, written: columns.len(), columns }
    }

    fn tokens(&self) -> SmallVec<[Token; 24]> {
        let mut tokens = SmallVec::new();
        for column in written(self.table, self.omitted) {
            tokens.push(Token::Into(column));
        }
        tokens.push(self.rows);
        tokens.extend_from_slice(self.clauses);
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
