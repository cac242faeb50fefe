//! Finding a row by its key.

use cormorant_driver::Result;
use cormorant_sql::{Buffer, Kind};

use super::Record;
use crate::executor::{Target, statement};
use crate::mapper::bind_key;
use crate::{Model, problem};

/// The row with a key, if there is one.
#[inline]
pub(crate) async fn find<M: Model>(target: Target<'_>, key: &M::Key) -> Result<Option<Record<M>>> {
    let mut buffer = Buffer::default();
    bind_key(&mut buffer, M::TABLE, key)?;
    let mut found = None;
    target
        .run_single(&statement(Kind::Select, M::TABLE, &buffer.tokens), &buffer.values, &mut |row| {
            found = Some(Record::loaded(M::load(row)?));
            Ok(())
        })
        .await
        .map_err(|error| problem::of_query(error, M::TABLE))?;
    Ok(found)
}
