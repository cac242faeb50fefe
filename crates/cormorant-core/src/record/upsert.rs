//! Inserting a row, or updating the one that is there.

use cormorant_driver::Result;
use cormorant_sql::{Route, Token, Value};

use super::Record;
use super::get_or_insert::get_or_insert_by;
use super::insert::{Insert, written};
use super::unique::{ATTEMPTS, Unique};
use crate::executor::Target;
use crate::{Columns, Executor, IntoModel, Model, PathOf, UniqueColumns, Unsaved, validate};

/// Inserts a row, or writes the columns that were given into the one that is there by a unique constraint; its key and
/// every other column stay. What a builder's `upsert` calls.
///
/// # Errors
/// As [`UniqueColumns`] says.
pub async fn upsert<M: Model, C: UniqueColumns<M>>(
    model: impl IntoModel<Model = M>,
    db: &impl Executor,
    columns: impl FnOnce(PathOf<M>) -> C,
) -> Result<Record<M>> {
    let target = db.target();
    let unique = Unique::of::<M>(columns(M::path(Route::ROOT)))?;
    let unsaved = model.into_unsaved();
    let overwritten = overwritten(&unsaved, &unique);
    let mut record = Record::unsaved(unsaved);
    let omitted = record.prepare();
    if !unique.can_be_met(&record.entity, omitted)? {
        record.insert_into(target, &[]).await?;
        return Ok(record);
    }
    upsert_by(record, omitted, &overwritten, target, &unique).await
}

/// What is written into a row that is there.
pub(super) fn overwritten<M: Model>(unsaved: &Unsaved<M>, unique: &Unique) -> Vec<u16> {
    let table = M::TABLE;
    // Whoever counts versions knows those that the row had.
    let stays = |column: &u16| {
        table.key.contains(column) || unique.columns.contains(column) || table.version() == Some(*column)
    };
    unsaved.given.iter().filter(|column| !stays(column)).collect()
}

/// The same, where a row can be there.
pub(super) async fn upsert_by<M: Model>(
    mut record: Record<M>,
    omitted: Columns,
    overwritten: &[u16],
    target: Target<'_>,
    unique: &Unique,
) -> Result<Record<M>> {
    if overwritten.is_empty() {
        return Ok(get_or_insert_by(record, target, unique).await?.0);
    }
    for _ in 0..ATTEMPTS {
        match write_over(&record.entity, omitted, overwritten, target, unique).await {
            Ok(Some(entity)) => return Ok(Record::loaded(entity)),
            // One that gives no rows back.
            Ok(None) => {
                if let Some(found) = unique.find(target, &record.entity).await? {
                    return Ok(found);
                }
            }
            // A plain INSERT fails by that other constraint, and says which it is.
            Err(error) if target.dialect().met_another_row(error.code()) => {
                match record.insert_into(target, &[]).await {
                    Ok(_) => return Ok(record),
                    Err(error) if unique.is_met(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(unique.comes_and_goes())
}

/// The one statement; gives the whole row where it comes back.
async fn write_over<M: Model>(
    entity: &M,
    omitted: Columns,
    overwritten: &[u16],
    target: Target<'_>,
    unique: &Unique,
) -> Result<Option<M>> {
    let clauses = clauses::<M>(unique, overwritten, target);
    let mut values: Vec<Value<'_>> = Vec::new();
    validate::values::<M>(entity, written(M::TABLE, omitted), |value| values.push(value))?;
    let insert = Insert { table: M::TABLE, omitted, rows: Token::Rows(1), clauses: &clauses, returns: false };
    let mut stored = None;
    let mut sink = |row: &mut cormorant_driver::Row<'_>| {
        stored = Some(M::load(row)?);
        Ok(())
    };
    insert.run(target, &values, &mut sink).await?;
    Ok(stored)
}

/// What to do where a row is there, and that the whole row is given back where it can be.
pub(super) fn clauses<M: Model>(unique: &Unique, overwritten: &[u16], target: Target<'_>) -> Vec<Token> {
    let mut clauses: Vec<Token> = unique.conflict().collect();
    clauses.extend(overwritten.iter().map(|column| Token::Overwrite(*column)));
    if target.dialect().insert_returning() {
        clauses.extend(written(M::TABLE, Columns::none()).map(Token::Returning));
    }
    clauses
}
