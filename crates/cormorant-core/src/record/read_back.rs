//! What the database filled into new rows besides their keys.

use std::ops::Range;

use cormorant_driver::{Error, Result, Row};
use cormorant_sql::{Kind, Token, Value};

use super::batch::{Batch, Chunk, bound, no_key};
use super::insert::Insert;
use super::keys::Keys;
use crate::executor::{Target, statement};
use crate::{ErrorKind, problem};

/// Inserts rows by a statement that gives back what was left to the database.
pub(super) async fn insert_and_take(target: Target<'_>, batch: &mut dyn Batch, chunk: &Chunk) -> Result<()> {
    let (table, omitted, rows) = (batch.table(), chunk.omitted, chunk.rows.clone());
    let generated = table.generated_key().filter(|key| omitted.contains(*key));
    let told = match (rows.len(), generated) {
        (1, _) => Told::Alone,
        (_, Some(_)) => Told::InOrder(Vec::with_capacity(rows.len())),
        (_, None) => Told::ByKey(keys(batch, &rows)),
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
    let (table, count) = (batch.table(), rows.len());
    let keys = keys(batch, &rows);
    let query = keys.query(columns);
    let mut taker = Taker { batch, rows, told: Told::ByKey(keys), columns, taken: 0 };
    let select = statement(Kind::Select, table, &query.tokens);
    let read = target.run(&select, &query.values, &mut |cells| taker.take(cells)).await;
    read.map_err(|error| problem::of_query(error, table))?;
    match taker.taken == count {
        true => Ok(()),
        false => {
            Err(Error::new(ErrorKind::Stale, "a row that was just inserted is not there any more")
                .with_model(table.model))
        }
    }
}

fn keys(batch: &dyn Batch, rows: &Range<usize>) -> Keys {
    let table = batch.table();
    let places = rows.clone().flat_map(|row| table.key.iter().map(move |column| (row, *column)));
    // No row has NULL as its key.
    let values = places.map(|(row, column)| batch.value(row, column).map_or(Value::Null, Value::into_owned));
    Keys::new(table, values.collect())
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

/// How it is told which row came back.
enum Told {
    /// There is one.
    Alone,
    /// By the order; the keys, as they arrive.
    InOrder(Vec<i64>),
    /// By its key.
    ByKey(Keys),
}

impl Taker<'_> {
    fn take(&mut self, cells: &mut Row<'_>) -> Result<()> {
        let place = match &mut self.told {
            Told::Alone => self.taken,
            Told::InOrder(keys) => {
                keys.push(cells.read(|cell| cell.int())?);
                self.taken
            }
            Told::ByKey(keys) => match keys.place(cells)? {
                Some(place) => place,
                None => return Ok(()),
            },
        };
        let row = self.rows.start + place;
        if !self.rows.contains(&row) {
            return Err(no_key());
        }
        self.taken += 1;
        self.columns.iter().try_for_each(|column| self.batch.assign(row, *column, cells))
    }
}

#[cfg(test)]
mod tests {
    use cormorant_macros::Model;

    use super::*;
    use crate::{Database, Executor, Mapper, Model, Wait, models};

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(crate = "crate", table = "read_back_seats")]
    struct Seat {
        text: String,
        #[model(key)]
        row: String,
        #[model(key)]
        place: i32,
        number: i64,
    }

    /// Where an INSERT gives no rows back, this is how what the database filled in is read.
    #[test]
    fn rows_are_told_apart_by_keys_of_several_columns_in_any_order() {
        let db = Database::connect("sqlite::memory:").wait().unwrap();
        db.create(models![Seat]).wait().unwrap();
        let seat = |(row, place): (&str, i32)| Seat { text: String::new(), row: row.into(), place, number: 0 };
        // What lies between is found as well, and is none of them.
        let others = [("a", 1), ("b", 3), ("c", 2)];
        Seat::insert_many(&db, others.map(seat)).wait().unwrap();
        let keys = [("c", 3), ("a", 2), ("b", 1), ("b", 2), ("a", 3), ("c", 1)];
        let mut seats = Seat::insert_many(&db, keys.map(seat)).wait().unwrap();
        for key in &mut seats.clone() {
            key.text = format!("{}{}", key.row, key.place);
            key.number = i64::from(key.place);
            key.save(&db).wait().unwrap();
        }
        read_again(db.target(), &mut seats, 1..6, &[3, 0]).wait().unwrap();
        assert_eq!(*seats[0], seat(keys[0]), "it was not asked for");
        for seat in &seats[1..] {
            assert_eq!((&seat.text, seat.number), (&format!("{}{}", seat.row, seat.place), i64::from(seat.place)));
        }
        Seat::filter(|s| s.row().eq("a") & s.place().eq(3)).delete(&db).wait().unwrap();
        assert!(read_again(db.target(), &mut seats, 1..6, &[3]).wait().unwrap_err().is_stale());
    }
}
