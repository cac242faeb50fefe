//! Objects that came from elsewhere, and writes by query.

use cormorant_driver::Result;

use super::handle::Node;
use super::identity::Identity;
use super::{Handle, Session, nothing};
use crate::expr::IntoAssigns;
use crate::{Columns, Mapper, Model, PathOf, Query};

impl Session {
    /// Takes over an object that came from elsewhere, such as a request: the row with its key is changed to what it says,
    /// and inserted where there is none. The row is read first, unless it is here.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub async fn merge<M: Model>(&mut self, model: M) -> Result<Handle<M>> {
        self.merge_all([model]).await?.pop().ok_or_else(|| nothing::<M>("was not merged"))
    }

    /// Takes over objects that came from elsewhere; their rows are read in one statement.
    ///
    /// # Errors
    /// As [`merge`](Self::merge).
    pub async fn merge_all<M: Model>(&mut self, models: impl IntoIterator<Item = M>) -> Result<Vec<Handle<M>>> {
        self.usable()?;
        let number = self.number::<M>();
        let models: Vec<M> = models.into_iter().collect();
        let mut keys = Vec::with_capacity(models.len());
        for model in &models {
            keys.push(Identity::of(&M::key(model)?)?);
        }
        let generated = M::TABLE.generated_key().is_some();
        let no_key =
            |identity: &Identity| generated && identity.0.iter().all(|value| *value == cormorant_sql::Value::Int(0));
        let table = self.tables.get(number as usize);
        let unread = |identity: &Identity| {
            let known = table.and_then(|table| table.find(identity).and_then(|at| table.slots.get(at as usize)));
            !no_key(identity) && known.is_none_or(|slot| slot.expired)
        };
        let wanted: Vec<Identity> = keys.iter().filter(|key| unread(key)).cloned().collect();
        if !wanted.is_empty() {
            self.write_first().await?;
            self.read_keys(number, wanted).await?;
        }
        let mut handles = Vec::with_capacity(models.len());
        for (model, key) in models.into_iter().zip(keys) {
            let known = self.tables.get(number as usize).and_then(|table| table.find(&key));
            let Some(at) = known else {
                handles.push(self.put(model, Columns::none()));
                continue;
            };
            let handle = self.handle(Node { table: number, at });
            M::restore(self.try_get_mut(handle)?, M::snapshot(&model))?;
            handles.push(handle);
        }
        Ok(handles)
    }

    /// Sets columns of every row that a query finds, in the session's transaction; gives the number of rows found. What
    /// was changed is written first, and every object may be something else in the database then, as after
    /// [`expire_all`](Self::expire_all).
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush), and of [`Query::update`].
    pub async fn update_all<M: Mapper, A: IntoAssigns<M>>(
        &mut self,
        query: Query<M, M>,
        assigns: impl FnOnce(PathOf<M>) -> A,
    ) -> Result<u64> {
        let done = query.update(self.begin().await?, assigns).await;
        self.expire_all();
        done
    }

    /// Deletes every row that a query finds, in the session's transaction; gives their number. What was changed is
    /// written first, and every object may be something else in the database then, or gone, as after
    /// [`expire_all`](Self::expire_all).
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush), and of [`Query::delete`].
    pub async fn delete_all<M: Mapper>(&mut self, query: Query<M, M>) -> Result<u64> {
        let done = query.delete(self.begin().await?).await;
        self.expire_all();
        done
    }
}
