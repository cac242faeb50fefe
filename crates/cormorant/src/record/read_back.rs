//! What the database filled into new rows besides their keys.

use std::ops::Range;

use cormorant_driver::{Cell, Error, Mismatch, Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Buffer, Class, Kind, Route, Token, Value};

use super::batch::{Batch, Chunk, bound, no_key};
use super::insert::Insert;
use crate::executor::{Target, statement};
use crate::query::class_of;
use crate::{ErrorKind, problem};

/// Inserts rows by a statement that gives back what was left to the database.
pub(super) async fn insert_and_take(target: Target<'_>, batch: &mut dyn Batch, chunk: &Chunk) -> Result<()> {
    let (table, omitted, rows) = (batch.table(), chunk.omitted, chunk.rows.clone());
    let generated = table.generated_key().filter(|key| omitted.contains(*key));
    let told = match (rows.len(), generated) {
        (1, _) => Told::Alone,
        (_, Some(_)) => Told::InOrder(Vec::with_capacity(rows.len())),
        (_, None) => Told::by_keys(batch, &rows),
    };
    let key: &[u16] = if matches!(told, Told::Alone) { &[] } else { table.key };
    let columns: Vec<u16> = omitted.iter().filter(|column| !key.contains(column)).collect();
    let clauses: Vec<Token> = key.iter().chain(&columns).map(|column| Token::Returning(*column)).collect();
    // What comes back is written where the values are borrowed from.
    let (token, values) = bound(target.dialect(), batch, chunk)?;
    let values: Vec<Value<'static>> = values.into_iter().map(Value::into_owned).collect();
    let insert = Insert { table, omitted, rows: token, clauses: &clauses, returns: false };
    let mut taker = Taker { batch, rows, told, columns: &columns, taken: 0 };
    insert.run(target, &values, &mut |cells| taker.take(cells)).await?;
    let Taker { batch, rows, told, taken, .. } = taker;
    if taken != rows.len() {
        return Err(no_key());
    }
    let Told::InOrder(mut keys) = told else { return Ok(()) };
    // No order of the rows that come back is promised. Keys that ascend say that it was that of the rows sent.
    let in_order = keys.is_sorted();
    keys.sort_unstable();
    for (row, key) in rows.clone().zip(keys) {
        batch.set_key(row, key)?;
    }
    if in_order { Ok(()) } else { read_again(target, batch, rows, &columns).await }
}

/// Reads columns of rows whose keys are known: one SELECT.
pub(super) async fn read_again(
    target: Target<'_>,
    batch: &mut dyn Batch,
    rows: Range<usize>,
    columns: &[u16],
) -> Result<()> {
    let table = batch.table();
    let told = Told::by_keys(batch, &rows);
    let mut buffer = Buffer::default();
    let here = |column: &u16| Token::Column { via: Route::ROOT, column: *column, outer: 0 };
    for (n, column) in table.key.iter().enumerate() {
        // Of a key of several columns each has one of its values: more rows may be found, and are passed over.
        buffer.push(here(column));
        buffer.push(Token::List(class_of(table, *column)));
        buffer.values.push(Value::List(told.column(n, table.key.len())));
        buffer.push(Token::In);
        buffer.push(Token::Filter);
    }
    for column in table.key.iter().chain(columns) {
        buffer.push(here(column));
        buffer.push(Token::Select);
    }
    let found = rows.len();
    let mut taker = Taker { batch, rows, told, columns, taken: 0 };
    let select = statement(Kind::Select, table, &buffer.tokens);
    let read = target.run(&select, &buffer.values, &mut |cells| taker.take(cells)).await;
    read.map_err(|error| problem::of_query(error, table))?;
    match taker.taken == found {
        true => Ok(()),
        false => {
            Err(Error::new(ErrorKind::Stale, "a row that was just inserted is not there any more")
                .with_model(table.model))
        }
    }
}

/// Puts what comes back where it belongs.
struct Taker<'t> {
    batch: &'t mut dyn Batch,
    rows: Range<usize>,
    told: Told,
    /// What stands behind the key.
    columns: &'t [u16],
    taken: usize,
}

impl Taker<'_> {
    fn take(&mut self, cells: &mut Row<'_>) -> Result<()> {
        let Some(place) = self.told.place(self.batch.table(), cells)? else { return Ok(()) };
        let row = self.rows.start + place;
        if !self.rows.contains(&row) {
            return Err(no_key());
        }
        self.taken += 1;
        self.columns.iter().try_for_each(|column| self.batch.assign(row, *column, cells))
    }
}

/// How it is told which row came back.
enum Told {
    /// There is one.
    Alone,
    /// By the order: the keys, as they arrive.
    InOrder(Vec<i64>),
    /// By their keys, which stand row by row. The one that is looked for is mostly the next.
    ByKeys { keys: Vec<Value<'static>>, next: usize },
}

impl Told {
    fn by_keys(batch: &dyn Batch, rows: &Range<usize>) -> Self {
        let places = rows.clone().flat_map(|row| batch.table().key.iter().map(move |column| (row, *column)));
        // No row has NULL as its key.
        let keys = places.map(|(row, column)| batch.value(row, column).map_or(Value::Null, Value::into_owned));
        Self::ByKeys { keys: keys.collect(), next: 0 }
    }

    /// The values of one of a key's columns.
    fn column(&self, column: usize, columns: usize) -> Vec<Value<'static>> {
        match self {
            Self::ByKeys { keys, .. } => keys.iter().skip(column).step_by(columns.max(1)).cloned().collect(),
            Self::Alone | Self::InOrder(_) => Vec::new(),
        }
    }

    /// The place of a row among those that were sent; `None` where it is none of them.
    fn place(&mut self, table: &'static TableDef, cells: &mut Row<'_>) -> Result<Option<usize>> {
        match self {
            Self::Alone => Ok(Some(0)),
            Self::InOrder(keys) => {
                keys.push(cells.read(|cell| cell.int())?);
                Ok(Some(keys.len() - 1))
            }
            Self::ByKeys { keys, next } => {
                let mut key = Vec::with_capacity(table.key.len());
                for column in table.key {
                    key.push(cells.read(|cell| value_of(class_of(table, *column), cell))?);
                }
                let width = key.len().max(1);
                let is_it = |known: &[Value<'_>]| known == key.as_slice();
                let (before, behind) = keys.split_at_checked(*next * width).unwrap_or_default();
                let place = behind.chunks_exact(width).position(is_it).map(|n| *next + n);
                let place = place.or_else(|| before.chunks_exact(width).position(is_it));
                *next = place.map_or(*next, |place| place + 1);
                Ok(place)
            }
        }
    }
}

/// What a cell holds, as the value that was bound.
fn value_of(class: Class, cell: Cell<'_>) -> Result<Value<'static>, Mismatch> {
    Ok(match class {
        Class::Bool => Value::Bool(cell.bool()?),
        Class::Int => Value::Int(cell.int()?),
        Class::Float => Value::Float(cell.float()?),
        Class::Decimal => Value::Decimal(cell.decimal()?),
        Class::Bytes => Value::Bytes(cell.bytes()?.to_vec().into()),
        Class::Date => Value::Date(cell.date()?),
        Class::Time => Value::Time(cell.time()?),
        Class::DateTime => Value::DateTime(cell.date_time()?),
        Class::Timestamp => Value::Timestamp(cell.timestamp()?),
        Class::Uuid => Value::Uuid(cell.uuid()?),
        _ => Value::Text(cell.text()?.to_owned().into()),
    })
}
