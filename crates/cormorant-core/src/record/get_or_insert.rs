//! Inserting a row unless it is there.

use cormorant_driver::{ErrorKind, Result};
use cormorant_sql::{Route, Token};

use super::Record;
use super::unique::{ATTEMPTS, Unique};
use crate::executor::Target;
use crate::{Executor, IntoModel, Model, PathOf, UniqueColumns};

/// The row that is there by a unique constraint, or else a new one, and whether it was inserted: one INSERT, and a
/// SELECT where the row was there. What a builder's `get_or_insert` calls.
///
/// # Errors
/// As [`UniqueColumns`] says.
pub async fn get_or_insert<M: Model, C: UniqueColumns<M>>(
    model: impl IntoModel<Model = M>,
    db: &impl Executor,
    columns: impl FnOnce(PathOf<M>) -> C,
) -> Result<(Record<M>, bool)> {
    let unique = Unique::of::<M>(columns(M::path(Route::ROOT)))?;
    let mut record = Record::unsaved(model.into_unsaved());
    let omitted = record.prepare();
    if !unique.can_be_met(&record.entity, omitted)? {
        record.insert_into(db.target(), &[]).await?;
        return Ok((record, true));
    }
    get_or_insert_by(record, db.target(), &unique).await
}

/// The same, where a row can be there.
pub(super) async fn get_or_insert_by<M: Model>(
    mut record: Record<M>,
    target: Target<'_>,
    unique: &Unique,
) -> Result<(Record<M>, bool)> {
    // Where an INSERT cannot name the constraint it fails, and reading says by which: a row that has the value is there.
    let names = target.dialect().names_conflicts();
    let conflict: Vec<Token> = if names { unique.conflict().collect() } else { Vec::new() };
    for _ in 0..ATTEMPTS {
        let refused = match record.insert_into(target, &conflict).await {
            Ok(true) => return Ok((record, true)),
            Ok(false) => None,
            Err(error) if !names && error.kind() == ErrorKind::Unique => Some(error),
            Err(error) => return Err(error),
        };
        if let Some(found) = unique.find(target, &record.entity).await? {
            return Ok((found, false));
        }
        if let Some(error) = refused.filter(|error| !unique.is_met(error)) {
            return Err(error);
        }
    }
    Err(unique.comes_and_goes())
}
