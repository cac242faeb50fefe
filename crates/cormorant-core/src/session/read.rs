//! Reading objects.

use std::collections::HashSet;
use std::fmt;

use cormorant_driver::{Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Buffer, Kind, Token};

use super::collections::Collection;
use super::handle::Node;
use super::links::LinkSet;
use super::relations::is_alive;
use super::table::State;
use super::write::{push_identities, push_identity};
use super::{Handle, Session, Written, Wrote, nothing};
use crate::executor::statement;
use crate::identity::Identity;
use crate::query::Source;
use crate::relation::MOST_KEYS;
use crate::{Error, ErrorKind, Mapper, Query, RowStream, problem, query};

/// The objects of a query, as they come: see [`Session::stream`].
#[must_use = "a stream does nothing until it is asked for an object"]
pub struct ObjectStream<M: Mapper> {
    rows: RowStream<M::Entity>,
}

impl<M: Mapper> ObjectStream<M> {
    /// The next object, which the session takes over; `None` after the last.
    ///
    /// # Errors
    /// Those of the query.
    pub async fn next(&mut self, session: &mut Session) -> Result<Option<Handle<M>>> {
        let Some(entity) = self.rows.next().await? else { return Ok(None) };
        let table = session.number::<M>();
        let read_in = session.unit.number();
        let Some(objects) = session.tables.get_mut(table as usize) else { return Ok(None) };
        let at = objects.adopt::<M>(entity, read_in)?;
        Ok(Some(session.handle(Node { table, at })))
    }
}

impl<M: Mapper> fmt::Debug for ObjectStream<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

impl Session {
    /// The object with this key: the one that is here, without a statement, or else from the database.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none; those of [`flush`](Self::flush).
    pub async fn get<M: Mapper>(&mut self, key: impl Into<M::Key>) -> Result<Handle<M>> {
        self.find_key(key.into()).await?.ok_or_else(|| query::not_found(M::NAME))
    }

    /// The object with this key, if there is one.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub async fn find<M: Mapper>(&mut self, key: impl Into<M::Key>) -> Result<Option<Handle<M>>> {
        self.find_key(key.into()).await
    }

    async fn find_key<M: Mapper>(&mut self, key: M::Key) -> Result<Option<Handle<M>>> {
        let number = self.number::<M>();
        let identity = Identity::of(&key)?;
        let known = self.tables.get(number as usize).and_then(|table| {
            let at = table.find(&identity)?;
            let slot = table.slots.get(at as usize)?;
            (!slot.expired || slot.state == State::Doomed).then_some((at, slot.state))
        });
        match known {
            Some((_, State::Doomed)) => return Ok(None),
            Some((at, _)) => return Ok(Some(self.handle(Node { table: number, at }))),
            None => {}
        }
        self.write_first().await?;
        let mut buffer = Buffer::default();
        push_identity(&mut buffer, M::TABLE, identity.clone());
        let found = self.read(number, &buffer).await?;
        self.miss(number, &identity, |node| found.contains(node));
        Ok(found.into_iter().next().map(|node| self.handle(node)))
    }

    /// The row of an object that has expired was looked for: it is gone, unless it was found.
    pub(super) fn miss(&mut self, number: u32, key: &Identity, found: impl Fn(&Node) -> bool) {
        let Some(table) = self.tables.get_mut(number as usize) else { return };
        let Some(at) = table.find(key).filter(|at| !found(&Node { table: number, at: *at })) else { return };
        table.unidentify(key, at);
        table.set_state(at, State::Deleted);
        // Where this transaction deleted it, a rollback brings it back.
        if self.unit.number() > 0 {
            self.log.push(Written { node: Node { table: number, at }, what: Wrote::Delete });
        }
    }

    /// Every object that a query finds, in its order.
    ///
    /// What is here already is not read over: it stays as it is, with its changes. A query that
    /// [locks](Query::lock) rows begins the transaction and reads over what was not changed here: nobody else can change
    /// those rows then.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush), and of the query.
    pub async fn all<M: Mapper>(&mut self, query: Query<M, M>) -> Result<Vec<Handle<M>>> {
        self.write_first().await?;
        let (buffer, plan) = query.into_parts();
        if buffer.has(|token| matches!(token, Token::Lock(_))) {
            self.unit.begin(&self.pool).await?;
        }
        let table = self.number::<M>();
        let nodes = self.read(table, &buffer).await?;
        if let Some(plan) = plan {
            plan.check(M::NAME)?;
            self.include(&plan, nodes.clone()).await?;
        }
        Ok(nodes.into_iter().map(|node| self.handle(node)).collect())
    }

    /// The objects that a query finds, one after the other, as they come. What was changed is written first. An object
    /// stays in the session until it is [forgotten](Self::forget), so forget those that are done with.
    ///
    /// The stream keeps its connection until it is at its end or dropped: one of its own where the session has not begun,
    /// and after that the session's, which sends nothing else meanwhile.
    ///
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Reading { id: i64, celsius: f64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Reading]).wait()?;
    /// # Reading::insert_many(&db, (0..1000).map(|n| Reading { id: 0, celsius: f64::from(n) })).wait()?;
    /// let mut session = db.session();
    /// let mut readings = session.stream(Reading::query()).wait()?;
    /// let mut warm = 0;
    /// while let Some(reading) = readings.next(&mut session).wait()? {
    ///     warm += usize::from(session[reading].celsius > 20.0);
    ///     session.forget(reading)?;
    /// }
    /// assert_eq!(warm, 979);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush); [`ErrorKind::Misuse`] when the query includes relations: read them for some objects
    /// at a time, with [`related_all`](Self::related_all).
    pub async fn stream<M: Mapper>(&mut self, query: Query<M, M>) -> Result<ObjectStream<M>> {
        self.write_first().await?;
        let (buffer, plan) = query.into_parts();
        if plan.is_some() {
            return Err(Error::new(
                ErrorKind::Misuse,
                "a stream includes no relations: take some of its objects, and read theirs with `related_all`",
            ));
        }
        let source = Source::of(self.unit.target(&self.pool));
        Ok(ObjectStream { rows: RowStream::new::<M>(source, buffer, M::load) })
    }

    /// The first object that a query finds, in its order or by key.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn first<M: Mapper>(&mut self, query: Query<M, M>) -> Result<Option<Handle<M>>> {
        Ok(self.all(query.ordered().limit_to(1)).await?.pop())
    }

    /// The one object that a query finds.
    ///
    /// # Errors
    /// As [`all`](Self::all); [`ErrorKind::NotFound`] when there is none, [`ErrorKind::MultipleRows`] when there are
    /// several.
    pub async fn one<M: Mapper>(&mut self, query: Query<M, M>) -> Result<Handle<M>> {
        let mut found = self.all(query.limit_to(2)).await?;
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (None, _) => Err(query::not_found(M::NAME)),
            (Some(_), false) => Err(query::several(M::NAME)),
        }
    }

    /// Reads an object again: changes that were not written are lost.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] when its row is gone; [`ErrorKind::Misuse`] when it has none.
    pub async fn refresh<M: Mapper>(&mut self, handle: Handle<M>) -> Result<()> {
        self.refresh_all([handle]).await
    }

    /// Reads objects again, in one statement: changes that were not written are lost.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub async fn refresh_all<M: Mapper>(&mut self, handles: impl IntoIterator<Item = Handle<M>>) -> Result<()> {
        self.usable()?;
        let nodes = handles.into_iter().map(|handle| self.locate(handle)).collect::<Result<HashSet<Node>>>()?;
        if nodes.iter().any(|node| !matches!(self.state_of(*node), State::Clean | State::Touched)) {
            return Err(nothing::<M>("has no row to read"));
        }
        let number = self.number::<M>();
        let Some(table) = self.tables.get_mut(number as usize) else { return Ok(()) };
        let mut keys = Vec::with_capacity(nodes.len());
        for node in &nodes {
            table.entities.reset(node.at)?;
            table.set_state(node.at, State::Clean);
            table.expire(node.at);
            keys.push(table.entities.identity(node.at)?);
        }
        table.touched.retain(|at| table.slots.get(*at as usize).is_some_and(|slot| slot.state == State::Touched));
        let found = self.read_keys(number, keys).await?;
        match nodes.len() - found.len() {
            0 => Ok(()),
            gone => {
                let message = format!("{gone} of {} rows are not there any more", nodes.len());
                Err(Error::new(ErrorKind::Stale, message).with_model(M::NAME))
            }
        }
    }

    /// Reads the objects with some keys of one table.
    pub(super) async fn read_keys(&mut self, number: u32, keys: Vec<Identity>) -> Result<Vec<Node>> {
        let Some(def) = self.tables.get(number as usize).map(|table| table.def) else { return Ok(Vec::new()) };
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MOST_KEYS) {
            let mut buffer = Buffer::default();
            push_identities(&mut buffer, def, keys.iter().cloned());
            found.extend(self.read(number, &buffer).await?);
        }
        Ok(found)
    }

    /// Every object may be something else in the database now: the next read that reaches one takes its row over, where
    /// it was not changed here. No statement is sent.
    pub fn expire_all(&mut self) {
        self.expire_such(|_| true);
    }

    /// The same, of some tables, and of the relations that show their rows.
    pub(super) fn expire_such(&mut self, such: impl Fn(&TableDef) -> bool) {
        let expired: Vec<bool> = self.tables.iter().map(|table| such(table.def)).collect();
        let has = |number: u32| expired.get(number as usize).is_some_and(|expired| *expired);
        for (table, _) in self.tables.iter_mut().zip(&expired).filter(|(_, expired)| **expired) {
            // Nobody else could have written a new one.
            table.slots.iter_mut().filter(|slot| slot.state != State::New).for_each(|slot| slot.expired = true);
            if table.watched {
                table.stirred = table.in_state(is_alive).collect();
            }
        }
        self.collections.iter_mut().filter(|all| has(all.children)).for_each(Collection::expire);
        let shown = |set: &LinkSet| such(set.def) || set.tables.into_iter().any(has);
        self.links.iter_mut().filter(|set| shown(set)).for_each(LinkSet::expire);
    }

    /// What a query asks for before it runs: nothing is wrong, and what was changed is written.
    pub(super) async fn write_first(&mut self) -> Result<()> {
        match self.autoflush {
            true => self.flush().await,
            false => self.usable(),
        }
    }

    /// Runs a query for objects of one table.
    pub(super) async fn read(&mut self, number: u32, buffer: &Buffer) -> Result<Vec<Node>> {
        let Self { tables, unit, pool, .. } = self;
        let Some(table) = tables.get_mut(number as usize) else { return Ok(Vec::new()) };
        let (def, read_in) = (table.def, unit.number());
        let locks = buffer.has(|token| matches!(token, Token::Lock(_)));
        let mut found = Vec::new();
        let mut sink = |row: &mut Row<'_>| {
            let at = table.absorb(row, read_in)?;
            if locks {
                table.take_over(at, read_in);
            }
            found.push(Node { table: number, at });
            Ok(())
        };
        let statement = statement(Kind::Select, def, &buffer.tokens);
        let done = unit.target(pool).run(&statement, &buffer.values, &mut sink).await;
        done.map_err(|error| problem::of_query(error, def))?;
        Ok(found)
    }
}
