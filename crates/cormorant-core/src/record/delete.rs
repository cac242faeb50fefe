//! Deleting.

use cormorant_driver::Result;
use cormorant_sql::{Kind, Value};

use super::{Record, State, deleted, stale_record};
use crate::executor::{no_rows, statement};
use crate::mapper::{by_key, equal};
use crate::{Error, ErrorKind, Executor, Key as _, Model, problem};

impl<M: Model> Record<M> {
    /// Deletes the row. The model stays readable; saving it again is an error.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`](crate::ErrorKind::Stale) when the row is gone already,
    /// [`ErrorKind::ForeignKey`](crate::ErrorKind::ForeignKey) when another row points at it.
    pub async fn delete(&mut self, db: &impl Executor) -> Result<()> {
        match self.state {
            State::New(_) => {
                return Err(Error::new(ErrorKind::Misuse, "the row was never saved, so there is none to delete")
                    .with_model(M::NAME));
            }
            State::Deleted => return Err(deleted::<M>()),
            State::Clean | State::Touched(_) => {}
        }
        let key = self.stored_key()?;
        let mut tokens = by_key(M::TABLE);
        let mut values = key.borrowed()?;
        if let Some(version) = M::TABLE.version() {
            tokens.extend(equal(M::TABLE, version));
            let known = match &self.state {
                State::Touched(snapshot) => M::bump(snapshot, &mut self.entity, false).map(|(_, known)| known),
                _ => M::value(&self.entity, version).ok().map(Value::into_owned),
            };
            values.extend(known);
        }
        let done = db
            .target()
            .run(&statement(Kind::Delete, M::TABLE, &tokens), &values, &mut no_rows)
            .await
            .map_err(|error| problem::of_write(error, M::TABLE, &[], &[]))?;
        if done.rows == 0 {
            return Err(stale_record::<M>(&key, "deleted"));
        }
        self.state = State::Deleted;
        Ok(())
    }
}
