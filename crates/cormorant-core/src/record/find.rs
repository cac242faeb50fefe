//! Finding a row by its key.

use cormorant_driver::Result;
use cormorant_sql::Kind;

use super::Record;
use crate::executor::{Target, statement};
use crate::mapper::by_key;
use crate::{Key as _, Model, problem};

/// The row with a key, if there is one, and what becomes of it.
#[inline]
pub(crate) async fn find<M: Model, T>(
    target: Target<'_>,
    key: M::Key,
    finish: impl FnOnce(Option<Record<M>>) -> Result<T>,
) -> Result<T> {
    let tokens = by_key(M::TABLE);
    let values = key.borrowed()?;
    let mut found = None;
    target
        .run_single(&statement(Kind::Select, M::TABLE, &tokens), &values, &mut |row| {
            found = Some(Record::loaded(M::load(row)?));
            Ok(())
        })
        .await
        .map_err(|error| problem::of_query(error, M::TABLE))?;
    finish(found)
}
