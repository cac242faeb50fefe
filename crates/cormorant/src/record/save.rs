//! Saving.

use cormorant_driver::Result;
use cormorant_sql::{Buffer, Kind, Token, Value};
use smallvec::SmallVec;

use super::{Record, State, deleted, stale};
use crate::executor::{no_rows, statement};
use crate::mapper::push_key;
use crate::query::class_of;
use crate::{Executor, Model, problem, validate};

impl<M: Model> Record<M> {
    /// Writes what changed: a new row is inserted, a loaded one is updated in the columns that changed, and with no
    /// change nothing is sent. What did not change is not validated again.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`](crate::ErrorKind::Stale) when the row is gone (it is never inserted again in silence),
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) before anything is sent; the database's.
    pub async fn save(&mut self, db: &impl Executor) -> Result<()> {
        let target = db.target();
        let snapshot = match &self.state {
            State::New(_) => return self.insert_into(target).await,
            State::Clean => return Ok(()),
            State::Deleted => return Err(deleted::<M>()),
            State::Touched(snapshot) => snapshot,
        };
        M::as_stored(&mut self.entity);
        let changed = M::changed(snapshot, &self.entity);
        if changed.is_empty() {
            return Ok(());
        }
        let key = M::snapshot_key(snapshot)?;
        let written: SmallVec<[u16; 16]> = changed.iter().collect();
        let mut values: SmallVec<[Value<'_>; 4]> = SmallVec::new();
        validate::values::<M>(&self.entity, written.iter().copied(), |value| values.push(value))?;
        let mut condition = Buffer::default();
        push_key(&mut condition, M::TABLE, &key)?;
        let mut tokens: SmallVec<[Token; 16]> = SmallVec::new();
        for column in &written {
            tokens.extend([Token::Bind(class_of(M::TABLE, *column)), Token::Set(*column)]);
        }
        tokens.extend_from_slice(&condition.tokens);
        for value in condition.values {
            values.push(value);
        }
        let done =
            target.run(&statement(Kind::Update, M::TABLE, &tokens), &values, &mut no_rows).await.map_err(|error| {
                problem::of_write(error, M::TABLE, &written, values.get(..written.len()).unwrap_or_default())
            })?;
        drop(values);
        if done.rows == 0 {
            return Err(stale::<M>(&key, "saved"));
        }
        if let State::Touched(snapshot) = &mut self.state {
            M::renew(snapshot, &self.entity);
        }
        Ok(())
    }
}
