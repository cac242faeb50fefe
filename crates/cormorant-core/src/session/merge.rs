//! Objects that came from elsewhere, and writes by query.

use std::collections::{HashMap, HashSet};

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::{Kind, Route, Token, Value};

use super::handle::Node;
use super::reach::{Fate, Reach};
use super::table::{State, Table};
use super::{Handle, Session, nothing};
use crate::expr::IntoAssigns;
use crate::identity::Identity;
use crate::{Columns, Mapper, Model, PathOf, Query};

impl Session {
    /// Takes over an object that came from elsewhere, such as a request: the row with its key is changed to what it says,
    /// and inserted where there is none. The row is read first, unless it is here. Columns and foreign keys are taken
    /// over; rows of other tables are merged by themselves.
    ///
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Item { id: i64, name: String, price: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// # let item = Item::builder().name("Cup").price(5).insert(&db).wait()?;
    /// let request = Item { id: item.id, name: "Cup".into(), price: 6 };
    /// let mut session = db.session();
    /// session.merge(request).wait()?; // SELECT
    /// session.commit().wait()?; // UPDATE items SET price = ? WHERE id = ?
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush). [`ErrorKind::Stale`] where the row counts its versions and the object has another
    /// one than the row: somebody has saved it since. An object whose version is 0 does not say what it was made of.
    pub async fn merge<M: Model>(&mut self, model: M) -> Result<Handle<M>> {
        self.merge_all([model]).await?.pop().ok_or_else(|| nothing::<M>("was not merged"))
    }

    /// Takes over objects that came from elsewhere; their rows are read in one statement. Of several with one key the last
    /// counts.
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
        let no_key = |identity: &Identity| generated && identity.0.iter().all(|value| *value == Value::Int(0));
        let table = self.tables.get(number as usize);
        let unread = |identity: &Identity| {
            let known = table.and_then(|table| table.find(identity).and_then(|at| table.slots.get(at as usize)));
            !no_key(identity) && known.is_none_or(|slot| slot.expired)
        };
        let wanted: Vec<Identity> = keys.iter().filter(|key| unread(key)).cloned().collect();
        if !wanted.is_empty() {
            self.write_first().await?;
            let found: HashSet<Node> = self.read_keys(number, wanted.clone()).await?.into_iter().collect();
            wanted.iter().for_each(|key| self.miss(number, key, |node| found.contains(node)));
        }
        for (model, key) in models.iter().zip(&keys) {
            self.tables.get(number as usize).map_or(Ok(()), |table| same_version(table, model, key))?;
        }
        let mut handles = Vec::with_capacity(models.len());
        let mut added: HashMap<Identity, Handle<M>> = HashMap::new();
        for (model, key) in models.into_iter().zip(keys) {
            let table = self.tables.get(number as usize);
            let known = table.and_then(|table| table.find(&key).filter(|at| table.state(*at) != State::Doomed));
            let known = known.map(|at| self.handle(Node { table: number, at })).or_else(|| added.get(&key).copied());
            let handle = match known {
                Some(handle) => {
                    M::restore(self.try_get_mut(handle)?, M::snapshot(&model))?;
                    handle
                }
                None => self.put(model, Columns::none()),
            };
            if known.is_none() && !no_key(&key) {
                added.insert(key, handle);
            }
            handles.push(handle);
        }
        Ok(handles)
    }

    /// Sets columns of every row that a query finds, in the session's transaction; gives the number of rows found. What
    /// was changed is written first.
    ///
    /// The session does not know which rows were found: the next read that reaches an object of this table takes its row
    /// over, as after [`expire_all`](Self::expire_all). So it is with objects whose foreign keys follow a key that was
    /// changed. All others stay as they are.
    ///
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Item { id: i64, price: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// let mut session = db.session();
    /// let cup = session.add(Item::builder().price(5));
    /// session.update_all(Item::filter(|i| i.price().lt(10)), |i| i.price().set(i.price() * 2)).wait()?;
    /// session.all(Item::query()).wait()?; // or `refresh(cup)`
    /// assert_eq!(session[cup].price, 10);
    /// session.commit().wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush), and of [`Query::update`].
    pub async fn update_all<M: Mapper, A: IntoAssigns<M>>(
        &mut self,
        mut query: Query<M, M>,
        assigns: impl FnOnce(PathOf<M>) -> A,
    ) -> Result<u64> {
        let buffer = query.buffer_mut();
        assigns(M::path(Route::ROOT)).push_assigns(buffer);
        let rekeyed = buffer.has(|token| matches!(token, Token::Set(column) if M::TABLE.key.contains(column)));
        let fate = Fate { changed: true, rekeyed, deleted: false };
        self.write_all(query, Kind::Update, fate).await
    }

    /// Deletes every row that a query finds, in the session's transaction; gives their number. What was changed is
    /// written first.
    ///
    /// The session does not know which rows were found: the next read that looks for an object of this table finds it, or
    /// finds it deleted. So it is with objects that the database deletes or changes then, by `on_delete`. All others stay
    /// as they are.
    ///
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Item { id: i64, price: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// let mut session = db.session();
    /// let cup = session.add(Item::builder().price(5));
    /// assert_eq!(session.delete_all(Item::filter(|i| i.price().lt(10))).wait()?, 1);
    /// assert_eq!(session.find::<Item>(session[cup].id).wait()?, None);
    /// session.commit().wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush), and of [`Query::delete`].
    pub async fn delete_all<M: Mapper>(&mut self, query: Query<M, M>) -> Result<u64> {
        let fate = Fate { deleted: true, ..Fate::default() };
        self.write_all(query, Kind::Delete, fate).await
    }

    async fn write_all<M: Mapper>(&mut self, query: Query<M, M>, kind: Kind, fate: Fate) -> Result<u64> {
        let done = query.write(kind, self.begin().await?).await;
        let reach = Reach::of(M::TABLE, fate, self.tables.iter().map(|table| table.def));
        self.expire_such(|table| reach.contains(table));
        done
    }
}

/// Refuses an object that was made of another version of the row that is here.
fn same_version<M: Model>(table: &Table, model: &M, key: &Identity) -> Result<()> {
    let here = table.find(key).filter(|at| matches!(table.state(*at), State::Clean | State::Touched));
    let (Some(at), Some(version)) = (here, M::TABLE.version()) else { return Ok(()) };
    let (Ok(known), Ok(given)) = (table.entities.value(at, version), M::value(model, version)) else { return Ok(()) };
    if given == Value::Int(0) || given == known {
        return Ok(());
    }
    let message =
        "the row is not as it was when the object was made of it, so it was not merged: someone changed it since";
    Err(Error::new(ErrorKind::Stale, message).with_model(M::NAME))
}
