//! Reading again.

use cormorant_driver::Result;
use cormorant_sql::Kind;

use super::{Record, State, deleted, stale_record};
use crate::executor::{Target, statement};
use crate::mapper::by_key;
use crate::{Error, ErrorKind, Executor, Key as _, Model, problem};

impl<M: Model> Record<M> {
    /// Reads the row again: columns become what the database holds, and changes that were not saved are lost.
    /// Fields that are no columns stay as they are.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`](crate::ErrorKind::Stale) when the row is gone.
    pub async fn refresh(&mut self, db: &impl Executor) -> Result<()> {
        match self.state {
            State::New(_) => {
                Err(Error::new(ErrorKind::Misuse, "the row was never saved, so there is none to read")
                    .with_model(M::NAME))
            }
            State::Deleted => Err(deleted::<M>()),
            State::Clean | State::Touched(_) => self.read_again(db.target()).await,
        }
    }

    pub(super) async fn read_again(&mut self, target: Target<'_>) -> Result<()> {
        let key = self.stored_key()?;
        let tokens = by_key(M::TABLE);
        let values = key.borrowed()?;
        let mut found = false;
        let entity = &mut self.entity;
        target
            .run_single(&statement(Kind::Select, M::TABLE, &tokens), &values, &mut |row| {
                found = true;
                (0..M::TABLE.columns.len() as u16).try_for_each(|column| M::assign(entity, column, row))
            })
            .await
            .map_err(|error| problem::of_query(error, M::TABLE))?;
        if !found {
            return Err(stale_record::<M>(&key, "read"));
        }
        self.state = State::Clean;
        Ok(())
    }
}
