//! The transaction of a session, and its end.

use cormorant_driver::{Error, ErrorKind, Pool, Result};

use super::table::State;
use super::{Session, Wrote};
use crate::executor::Target;
use crate::{Begin, Transaction};

/// The transaction, where it has begun, and the savepoints inside it.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// The outermost first.
    open: Vec<Scope>,
    last: u64,
    /// The number of the transaction that is open, or whose end is not known.
    began: Option<u64>,
    /// A commit was begun, and nobody knows how it ended.
    committing: bool,
}

#[derive(Debug)]
struct Scope {
    transaction: Transaction,
    id: u64,
    /// How much of the session's log was written before it.
    mark: usize,
}

/// A place in a transaction to go back to: see [`Session::savepoint`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a savepoint is there to be rolled back to, or released"]
pub struct Savepoint {
    session: u32,
    id: u64,
}

/// A closure that runs in a part of a session's work: `async |session| { … }`.
///
/// The trait names the closure's future, so that the future around it can promise to be `Send`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a closure that a session can run",
    label = "expected `async |session| {{ … Ok(value) }}`"
)]
pub trait SessionScope<'s, T, E>:
    AsyncFnOnce(&'s mut Session) -> Result<T, E> + FnOnce(&'s mut Session) -> <Self as SessionScope<'s, T, E>>::Fut
{
    /// The closure's future.
    type Fut: Future<Output = Result<T, E>>;
}

#[diagnostic::do_not_recommend]
impl<'s, F, Fut, T, E> SessionScope<'s, T, E> for F
where
    F: AsyncFnOnce(&'s mut Session) -> Result<T, E> + FnOnce(&'s mut Session) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Fut = Fut;
}

impl Unit {
    /// Where statements run now.
    pub(super) fn target<'a>(&'a self, pool: &'a Pool) -> Target<'a> {
        match self.open.last() {
            Some(scope) => Target::Transaction(&scope.transaction),
            None => Target::Database(pool),
        }
    }

    pub(super) async fn begin(&mut self, pool: &Pool) -> Result<()> {
        if self.open.is_empty() {
            let transaction = Transaction::begin_for("a session", pool, Begin::default()).await?;
            self.last += 1;
            self.began = Some(self.last);
            self.open.push(Scope { transaction, id: self.last, mark: 0 });
        }
        Ok(())
    }

    /// So many entries of the log before a mark are about to go.
    pub(super) fn shorten(&mut self, gone: impl Fn(usize) -> usize) {
        for scope in self.open.iter_mut().skip(1) {
            scope.mark -= gone(scope.mark);
        }
    }

    /// The number of the transaction or savepoint that statements run in now; 0 outside.
    pub(super) fn number(&self) -> u64 {
        self.open.last().map_or(0, |scope| scope.id)
    }
}

impl Session {
    /// Begins the transaction now, and not with the first write: what is read from here on is read in it. What was
    /// changed is written first, so that SQL which runs on the transaction finds it:
    /// `sql!("…").all(session.begin().await?)`.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub async fn begin(&mut self) -> Result<&Transaction> {
        self.flush().await?;
        self.unit.begin(&self.pool).await?;
        let scope = self.unit.open.last();
        scope.map(|scope| &scope.transaction).ok_or_else(|| Error::new(ErrorKind::Misuse, "no transaction is open"))
    }

    /// Writes what was changed, and commits.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush). [`ErrorKind::CommitUnknown`] when COMMIT was sent and no answer came: every
    /// object has expired then. After any of them the session wants a [`rollback`](Self::rollback).
    pub async fn commit(&mut self) -> Result<()> {
        self.flush().await?;
        self.broken = Some("a commit did not come to its end");
        self.unit.committing = !self.unit.open.is_empty();
        while let Some(scope) = self.unit.open.pop() {
            let outermost = self.unit.open.is_empty();
            if let Err(error) = scope.transaction.commit().await {
                if outermost && error.kind() == ErrorKind::CommitUnknown {
                    self.forget_log();
                    self.expire_all();
                }
                return Err(error);
            }
        }
        self.broken = None;
        (self.unit.began, self.unit.committing) = (None, false);
        self.forget_log();
        Ok(())
    }

    /// Nothing that was written is taken back any more.
    fn forget_log(&mut self) {
        self.log.clear();
        self.tables.iter_mut().for_each(|table| table.entities.committed());
    }

    /// Takes back what was not committed, in the database and in memory: objects have the values they had, those that
    /// were added are detached, those that were deleted are back.
    ///
    /// # Errors
    /// [`ErrorKind::NotRolledBack`] when a statement had committed the transaction: every object has expired then.
    pub async fn rollback(&mut self) -> Result<()> {
        // Memory first: dropped from here on, the transaction rolls back by itself.
        self.broken = None;
        let began = self.unit.began.take().unwrap_or(u64::MAX);
        let undone = self.undo(0, began);
        if std::mem::take(&mut self.unit.committing) {
            self.expire_all();
        }
        self.unit.open.truncate(1);
        if let Some(scope) = self.unit.open.pop() {
            match scope.transaction.rollback().await {
                Err(error) if error.kind() == ErrorKind::NotRolledBack => {
                    self.expire_all();
                    return Err(error);
                }
                // The connection is gone, and the transaction with it.
                Err(_) | Ok(()) => {}
            }
        }
        undone
    }

    /// Ends the session; what was not committed is rolled back. Dropping it does the same.
    ///
    /// # Errors
    /// Those of [`rollback`](Self::rollback).
    pub async fn close(mut self) -> Result<()> {
        self.rollback().await
    }

    /// Writes what was changed, and marks the place, to come back to with [`rollback_to`](Self::rollback_to).
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub async fn savepoint(&mut self) -> Result<Savepoint> {
        self.begin().await?;
        let Some(around) = self.unit.open.last() else {
            return Err(Error::new(ErrorKind::Misuse, "no transaction is open"));
        };
        let transaction = around.transaction.savepoint().await?;
        self.unit.last += 1;
        let id = self.unit.last;
        self.unit.open.push(Scope { transaction, id, mark: self.log.len() });
        Ok(Savepoint { session: self.id, id })
    }

    /// Takes back what was done since a savepoint, in the database and in memory. The savepoint has ended, and those
    /// after it; the transaction goes on, also after a flush that failed.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when it has ended already; the database's.
    pub async fn rollback_to(&mut self, savepoint: Savepoint) -> Result<()> {
        let place = self.scope(savepoint)?;
        // Those inside it end with it.
        self.unit.open.truncate(place + 1);
        let scope = self.unit.open.pop();
        let mark = scope.as_ref().map_or(0, |scope| scope.mark);
        self.broken = Some("a rollback to a savepoint did not come to its end");
        let undone = self.undo(mark, savepoint.id);
        if let Some(scope) = scope {
            scope.transaction.rollback().await?;
        }
        self.broken = None;
        undone
    }

    /// Keeps what was done since a savepoint, which has ended then.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush); [`ErrorKind::Misuse`] when it has ended already.
    pub async fn release(&mut self, savepoint: Savepoint) -> Result<()> {
        let place = self.scope(savepoint)?;
        self.flush().await?;
        self.broken = Some("the release of a savepoint did not come to its end");
        while self.unit.open.len() > place {
            if let Some(scope) = self.unit.open.pop() {
                scope.transaction.commit().await?;
            }
        }
        self.broken = None;
        Ok(())
    }

    /// Runs a part of the work that is kept whole or taken back whole, in the database and in memory: kept when the
    /// closure gives `Ok`, taken back when it gives an error, while the session goes on. What is kept is committed with
    /// everything else.
    ///
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Item { id: i64, stock: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// # let mut session = db.session();
    /// let item = session.add(Item { id: 0, stock: 1 });
    /// let sold = session.transaction(async |session| {
    ///     session[item].stock -= 2;
    ///     session.flush().await?;
    ///     if session[item].stock < 0 { Err(cormorant::Error::other("sold out")) } else { Ok(()) }
    /// });
    /// assert!(sold.wait().is_err());
    /// assert_eq!(session[item].stock, 1);
    /// session.commit().wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The closure's; those of [`flush`](Self::flush).
    pub fn transaction<T, F>(&mut self, scope: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send,
        F: for<'s> SessionScope<'s, T, Error, Fut: Send> + Send,
    {
        self.try_transaction(scope)
    }

    /// Runs a part of the work whose closure has an error of its own, which converts from [`Error`].
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction).
    #[allow(clippy::manual_async_fn, reason = "the signature promises that the future is `Send`")]
    pub fn try_transaction<T, E, F>(&mut self, scope: F) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send,
        E: From<Error> + Send,
        F: for<'s> SessionScope<'s, T, E, Fut: Send> + Send,
    {
        async move {
            let savepoint = self.savepoint().await?;
            match scope(self).await {
                Ok(value) => {
                    self.release(savepoint).await?;
                    Ok(value)
                }
                Err(error) => {
                    self.rollback_to(savepoint).await?;
                    Err(error)
                }
            }
        }
    }

    fn scope(&self, savepoint: Savepoint) -> Result<usize> {
        let found = self.unit.open.iter().position(|scope| scope.id == savepoint.id && savepoint.session == self.id);
        found.filter(|place| *place > 0).ok_or_else(|| Error::new(ErrorKind::Misuse, "the savepoint has ended"))
    }

    /// Makes memory what it was when so much was written. What was read since may say what nobody wrote: it expires.
    fn undo(&mut self, mark: usize, since: u64) -> Result<()> {
        let mut result = Ok(());
        self.forget_relations();
        self.dropped.clear();
        self.tables.iter_mut().for_each(|table| table.expire_read(since));
        for table in &mut self.tables {
            for at in std::mem::take(&mut table.touched) {
                if table.state(at) == State::Touched {
                    result = result.and(table.entities.reset(at));
                    table.set_state(at, State::Clean);
                }
            }
            for at in std::mem::take(&mut table.doomed) {
                if table.state(at) == State::Doomed {
                    result = result.and(table.entities.reset(at));
                    table.set_state(at, State::Clean);
                }
            }
            for at in std::mem::take(&mut table.new) {
                if table.state(at) == State::New {
                    result = result.and(table.detach(at));
                }
            }
        }
        while self.log.len() > mark {
            let Some(written) = self.log.pop() else { break };
            let node = written.node;
            let Some(table) = self.tables.get_mut(node.table as usize) else { continue };
            let done = match written.what {
                Wrote::Insert => table.entities.identity(node.at).and_then(|identity| {
                    table.unidentify(&identity, node.at);
                    table.detach(node.at)
                }),
                Wrote::Update => table.entities.identity(node.at).and_then(|identity| {
                    table.unidentify(&identity, node.at);
                    table.entities.undo(node.at)?;
                    let before = table.entities.identity(node.at)?;
                    table.identify(before, node.at);
                    Ok(())
                }),
                Wrote::Delete => table.entities.identity(node.at).map(|identity| {
                    table.identify(identity, node.at);
                    table.set_state(node.at, State::Clean);
                }),
                Wrote::Lost(identity) => {
                    if let Some(at) = table.find(&identity) {
                        table.unidentify(&identity, at);
                        table.set_state(at, State::Detached);
                    }
                    Ok(())
                }
            };
            result = result.and(done);
        }
        result
    }
}
