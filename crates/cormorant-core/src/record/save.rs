//! Saving.

use cormorant_driver::Result;
use cormorant_sql::{Kind, Token, Value};
use smallvec::SmallVec;

use super::{Record, State, deleted, stale_record};
use crate::executor::{no_rows, statement};
use crate::mapper::{by_key, equal};
use crate::query::class_of;
use crate::{Executor, Key as _, Model, problem, validate};

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
            State::New(_) => return self.insert_into(target, &[]).await.map(drop),
            State::Clean => return Ok(()),
            State::Deleted => return Err(deleted::<M>()),
            State::Touched(snapshot) => snapshot,
        };
        M::as_stored(&mut self.entity);
        let mut changed = M::changed(snapshot, &self.entity);
        if changed.is_empty() {
            return Ok(());
        }
        let version = M::bump(snapshot, &mut self.entity, true);
        if let Some((column, _)) = version {
            changed.add(column);
        }
        let key = M::snapshot_key(snapshot)?;
        let mut values: SmallVec<[Value<'_>; 4]> = SmallVec::new();
        let mut tokens: SmallVec<[Token; 16]> = SmallVec::new();
        let columns = changed.iter().inspect(|column| {
            tokens.push(Token::Bind(class_of(M::TABLE, *column)));
            tokens.push(Token::Set(*column));
        });
        validate::values::<M>(&self.entity, columns, |value| values.push(value))?;
        match key.borrowed()?.into_inner() {
            Ok([value]) => values.push(value),
            Err(several) => values.extend(several),
        }
        tokens.extend_from_slice(&by_key(M::TABLE));
        if let Some((column, before)) = version {
            tokens.extend(equal(M::TABLE, column));
            values.push(before);
        }
        let done = target.run(&statement(Kind::Update, M::TABLE, &tokens), &values, &mut no_rows).await;
        let done = done.map_err(|error| {
            let written: Vec<u16> = changed.iter().collect();
            problem::of_write(error, M::TABLE, &written, values.get(..written.len()).unwrap_or_default())
        });
        drop(values);
        let done = match done {
            Ok(done) if done.rows == 0 => Err(stale_record::<M>(&key, "saved")),
            other => other,
        };
        if let State::Touched(snapshot) = &mut self.state {
            match &done {
                Ok(_) => M::renew(snapshot, &self.entity),
                Err(_) => drop(M::bump(snapshot, &mut self.entity, false)),
            }
        }
        done.map(drop)
    }
}
