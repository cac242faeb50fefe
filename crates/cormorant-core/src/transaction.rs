//! Transactions, and scopes inside them.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cormorant_driver::{
    Begin, Call, Done, Error, ErrorKind, Failed, Gate, Lease, Part, Pass, Pool, Request, Result, Sink,
};

use crate::executor::{Target, Work};

/// Who has a transaction's turn, in the errors of others who wait for it.
const STATEMENT: &str = "a statement of the transaction";

/// A transaction, or a scope (savepoint) inside one: what [`Database::transaction`](crate::Database::transaction)
/// hands to its closure, and what [`Database::begin`](crate::Database::begin) gives.
///
/// It begins at its first statement, and is rolled back when it is dropped before [`commit`](Self::commit).
/// While a scope inside it is open, only that scope may be used.
#[derive(Debug)]
#[must_use = "dropped, it is rolled back"]
pub struct Transaction {
    shared: Arc<Shared>,
    /// 0 is the transaction itself.
    depth: u32,
    /// Tells scopes of one depth apart that were opened one after the other.
    id: u64,
    /// Whether it only names the transaction, whose end it is not.
    alias: bool,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    begin: Begin,
    /// Statements of one transaction run one after the other, even when their futures are awaited together.
    turns: Arc<Gate>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Taken out while a statement runs: whoever drops that statement's future drops the connection with it.
    slot: Slot,
    /// The scopes that are open, by their ids, the outermost first: the place in here is the depth.
    scopes: Vec<u64>,
    /// The depth of the outermost scope that was dropped and whose work is still to be taken back.
    abandoned: Option<u32>,
    next_id: u64,
    /// The transaction itself has ended or was dropped.
    ended: bool,
}

#[derive(Debug)]
enum Slot {
    /// Nothing was sent yet.
    Waiting(Lease),
    Begun(Lease),
    /// A statement is running, or its future was dropped and the connection with it, or the transaction has ended.
    Lost,
}

impl Transaction {
    pub(crate) fn begin(pool: &Pool, begin: Begin) -> Work<'_, Self> {
        Self::begin_for("a transaction", pool, begin)
    }

    /// Begins it for somebody, whom others that wait for the connection are told of.
    pub(crate) fn begin_for<'p>(holder: &'static str, pool: &'p Pool, begin: Begin) -> Work<'p, Self> {
        Box::pin(async move {
            let lease = pool.acquire(holder).await?;
            let state =
                State { slot: Slot::Waiting(lease), scopes: Vec::new(), abandoned: None, next_id: 1, ended: false };
            let shared = Shared { pool: pool.clone(), begin, turns: Gate::single(), state: Mutex::new(state) };
            Ok(Self { shared: Arc::new(shared), depth: 0, id: 0, alias: false })
        })
    }

    /// Another name for it: dropped, it ends nothing.
    pub(crate) fn alias(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), depth: self.depth, id: self.id, alias: true }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    pub(crate) fn only_reads(&self) -> bool {
        self.shared.begin.read_only
    }

    /// Begins it, if it has not begun, without waiting for the right to write.
    pub(crate) async fn begin_without_waiting(&self) -> Result<()> {
        self.enter(Duration::ZERO).await?.finish();
        Ok(())
    }

    /// Runs a scope inside the transaction: kept when the closure gives `Ok`, taken back when it gives an error,
    /// while the transaction itself goes on.
    ///
    /// # Errors
    /// The closure's; the database's; [`ErrorKind::NotRolledBack`] when the closure failed and what it did could not be
    /// taken back.
    #[allow(clippy::manual_async_fn, reason = "the signature promises that the future is `Send`")]
    pub fn transaction<T, F>(&self, scope: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send,
        F: for<'t> Scope<'t, T, Error, Fut: Send> + Send,
    {
        async move { run(self.savepoint().await?, scope, both).await }
    }

    /// Runs a scope whose closure has an error of its own, which converts from [`Error`].
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction).
    #[allow(clippy::manual_async_fn, reason = "the signature promises that the future is `Send`")]
    pub fn try_transaction<T, E, F>(&self, scope: F) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send,
        E: From<Error> + Send,
        F: for<'t> Scope<'t, T, E, Fut: Send> + Send,
    {
        async move { run(self.savepoint().await?, scope, |kept, _| kept.into()).await }
    }

    /// Opens a scope that ends with [`commit`](Self::commit); dropped before, its work is taken back.
    ///
    /// # Errors
    /// The database's.
    pub async fn savepoint(&self) -> Result<Self> {
        self.open_scope().await
    }

    fn open_scope(&self) -> Work<'_, Self> {
        Box::pin(async move {
            let mut running = self.enter(self.patience()).await?;
            let depth = running.lease()?.connection()?.savepoint().await?;
            let id = self.state().opened(depth);
            running.finish();
            Ok(Self { shared: Arc::clone(&self.shared), depth, id, alias: false })
        })
    }

    /// Begins what several statements of the library do together: a transaction, or a scope inside one.
    pub(crate) async fn around(target: Target<'_>) -> Result<Self> {
        match target {
            Target::Database(pool) => Self::begin(pool, Begin::default()).await,
            Target::Transaction(outer) => outer.savepoint().await,
        }
    }

    /// Ends it: kept when what was done succeeded, and taken back otherwise.
    pub(crate) async fn settle<T>(self, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => self.commit().await.map(|()| value),
            Err(error) => match self.rollback().await {
                Err(kept) if kept.kind() == ErrorKind::NotRolledBack => Err(both(kept, error)),
                _ => Err(error),
            },
        }
    }

    /// Commits the transaction, or keeps the scope's work.
    ///
    /// # Errors
    /// [`ErrorKind::CommitUnknown`] when COMMIT was sent and no answer came; the database's otherwise, and then it is
    /// rolled back.
    pub async fn commit(self) -> Result<()> {
        self.finish(true).await
    }

    /// Rolls the transaction back, or takes the scope's work back.
    ///
    /// # Errors
    /// [`ErrorKind::NotRolledBack`] when a statement in it had committed it; the database's otherwise.
    pub async fn rollback(self) -> Result<()> {
        self.finish(false).await
    }

    fn finish(self, keep: bool) -> Work<'static, ()> {
        Box::pin(async move {
            if self.depth == 0 && matches!(self.state().slot, Slot::Waiting(_)) {
                self.end();
                return Ok(());
            }
            let mut running = self.enter(self.patience()).await?;
            let connection = running.lease()?.connection()?;
            let result = match (self.depth, keep) {
                (0, true) => connection.commit().await,
                (0, false) => connection.rollback().await,
                (scope, true) => connection.release(scope).await,
                (scope, false) => connection.rollback_to(scope).await,
            };
            if result.is_ok() || self.depth == 0 {
                self.end();
            }
            running.finish();
            result
        })
    }

    /// Runs a statement at once, where the transaction has begun and nobody has to be waited for.
    pub(crate) fn run_now(&self, request: Request<'_>, sink: Sink<'_>, done: &mut Done) -> Option<Result<()>> {
        if !self.shared.pool.runs_inline() {
            return None;
        }
        // Whatever is wrong is found again, and said, where it is waited for.
        let (mut running, abandoned) = self.take(self.shared.turns.try_pass(STATEMENT)?).ok()?;
        let result = match running.begun && abandoned.is_none() {
            true => running.lease().ok()?.run_now(&self.shared.pool, request, sink, done),
            false => None,
        };
        running.finish();
        result
    }

    pub(crate) async fn call(&self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let mut running = self.enter(self.patience()).await?;
        let done = running.lease()?.connection()?.run(call, sink).await;
        running.finish();
        done
    }

    pub(crate) async fn call_all(&self, parts: &mut [Part<'_>]) -> Result<(), Failed> {
        let mut running = self.enter(self.patience()).await?;
        let result = running.lease()?.connection()?.run_all(parts).await;
        running.finish();
        result
    }

    /// How long to wait for what somebody else holds.
    fn patience(&self) -> Duration {
        self.shared.pool.acquire_timeout()
    }

    /// Takes the connection for one statement, and begins the transaction before the first, which waits at most so
    /// long for the right to write.
    async fn enter(&self, patience: Duration) -> Result<Running<'_>> {
        self.state().check(self)?;
        let turn = self.shared.turns.pass(STATEMENT, self.patience()).await;
        let turn = turn.map_err(|late| {
            Error::new(
                ErrorKind::PoolTimeout,
                format!(
                    "the transaction's connection did not become free in {:.1} s: {late}",
                    late.waited.as_secs_f64()
                ),
            )
        })?;
        let (mut running, abandoned) = self.take(turn)?;
        if !running.begun {
            running.begin(patience).await?;
        }
        if let Some(depth) = abandoned {
            // A scope was dropped without an end: its work is taken back before anything else happens.
            running.lease()?.connection()?.rollback_to(depth).await?;
            self.state().closed(depth);
        }
        Ok(running)
    }

    /// Takes the lease, unless a scope was opened or the transaction lost while this waited for its turn.
    fn take(&self, turn: Pass) -> Result<(Running<'_>, Option<u32>)> {
        let mut state = self.state();
        state.check(self)?;
        let (lease, begun) = match mem::replace(&mut state.slot, Slot::Lost) {
            Slot::Waiting(lease) => (lease, false),
            Slot::Begun(lease) => (lease, true),
            Slot::Lost => {
                return Err(Error::new(
                    ErrorKind::ConnectionLost,
                    "a statement of this transaction was cancelled, and the transaction was rolled back",
                ));
            }
        };
        let abandoned = state.abandoned;
        drop(state);
        Ok((Running { transaction: self, lease: Some(lease), begun, _turn: turn }, abandoned))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more runs here: the connection goes back, or is left to the scope around.
    fn end(&self) {
        let mut state = self.state();
        match self.depth {
            0 => {
                state.ended = true;
                let slot = mem::replace(&mut state.slot, Slot::Lost);
                drop(state);
                // Where the backend can, it is rolled back at once; elsewhere the connection is closed, which does so.
                if let Slot::Begun(mut lease) = slot
                    && let Ok(connection) = lease.connection()
                {
                    connection.rollback_now();
                }
            }
            depth => state.closed(depth),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // After an end there is nothing left that either could find.
        match self.depth {
            _ if self.alias => {}
            0 => self.end(),
            depth => self.state().abandon(depth, self.id),
        }
    }
}

impl State {
    /// Refuses a scope while one inside it is open, and whatever has ended.
    fn check(&self, scope: &Transaction) -> Result<()> {
        // A scope that was dropped is as good as ended: the one around it is the innermost.
        let innermost = self.abandoned.map_or(self.scopes.len(), |depth| depth as usize - 1);
        if self.ended || !self.is_open(scope.depth, scope.id) || scope.depth as usize > innermost {
            return Err(Error::new(ErrorKind::Misuse, "the transaction, or the scope around this one, has ended"));
        }
        if scope.depth as usize != innermost {
            return Err(Error::new(
                ErrorKind::TransactionSuspended,
                "a scope inside this transaction is open: use the inner `tx` until it ends",
            ));
        }
        Ok(())
    }

    fn is_open(&self, depth: u32, id: u64) -> bool {
        depth.checked_sub(1).is_none_or(|place| self.scopes.get(place as usize) == Some(&id))
    }

    /// A scope was opened at a depth; gives its id.
    fn opened(&mut self, depth: u32) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.scopes.truncate(depth as usize - 1);
        self.scopes.push(id);
        id
    }

    /// The scope of a depth has ended, and those inside it.
    fn closed(&mut self, depth: u32) {
        self.scopes.truncate(depth as usize - 1);
        self.abandoned = self.abandoned.filter(|abandoned| *abandoned < depth);
    }

    /// A scope was dropped without an end. One that had ended with the scope around it is no news.
    fn abandon(&mut self, depth: u32, id: u64) {
        if self.is_open(depth, id) {
            self.abandoned = Some(self.abandoned.map_or(depth, |other| other.min(depth)));
        }
    }
}

/// A statement of a transaction that is running. Dropped before [`finish`](Self::finish), the connection is given up.
struct Running<'a> {
    transaction: &'a Transaction,
    lease: Option<Lease>,
    begun: bool,
    /// Behind the lease in order: the next one finds it back in its place.
    _turn: Pass,
}

impl Running<'_> {
    fn lease(&mut self) -> Result<&mut Lease> {
        self.lease.as_mut().ok_or_else(|| Error::new(ErrorKind::Misuse, "the connection is not there"))
    }

    async fn begin(&mut self, patience: Duration) -> Result<()> {
        let begin = self.transaction.shared.begin;
        if !begin.read_only {
            let pool = self.transaction.pool();
            self.lease()?.claim_writing(pool, "a transaction", patience).await?;
        }
        // Before BEGIN is sent: cancelled now, the connection is not the one it was.
        self.begun = true;
        let result = self.lease()?.connection()?.begin(begin).await;
        self.begun = !matches!(&result, Err(error) if !error.is_connection_lost());
        result
    }

    fn finish(mut self) {
        self.put_back();
    }

    fn put_back(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        let mut state = self.transaction.state();
        if !state.ended {
            state.slot = if self.begun { Slot::Begun(lease) } else { Slot::Waiting(lease) };
            return;
        }
        // It has ended: the pool rolls back what may still be open.
        drop(state);
        drop(lease);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.begun {
            // Nothing was begun: the connection is as it was.
            return self.put_back();
        }
        if let Some(mut lease) = self.lease.take()
            && let Ok(connection) = lease.connection()
        {
            connection.rollback_now();
        }
    }
}

/// Runs a closure in a transaction. `told` is asked for the error where the closure failed and what it did is kept.
pub(crate) async fn run<T, E, F>(transaction: Transaction, scope: F, told: fn(Error, E) -> E) -> Result<T, E>
where
    E: From<Error>,
    F: for<'t> Scope<'t, T, E>,
{
    match scope(&transaction).await {
        Ok(value) => {
            transaction.commit().await?;
            Ok(value)
        }
        Err(error) => match transaction.rollback().await {
            // Whoever has the closure's error believes that nothing was done.
            Err(kept) if kept.kind() == ErrorKind::NotRolledBack => Err(told(kept, error)),
            // The closure's error is the one to know; a connection that cannot roll back is closed.
            _ => Err(error),
        },
    }
}

/// What was not rolled back, and why it was to be.
pub(crate) fn both(kept: Error, error: Error) -> Error {
    Error::new(kept.kind(), format!("{kept}; the error that was to undo it: {error}"))
}

/// A closure that runs in a transaction: `async |tx| { … }`.
///
/// The trait names the closure's future, so that the transaction's own future can promise to be `Send`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a closure that a transaction can run",
    label = "expected `async |tx| {{ … Ok(value) }}`"
)]
pub trait Scope<'t, T, E>:
    AsyncFnOnce(&'t Transaction) -> Result<T, E> + FnOnce(&'t Transaction) -> <Self as Scope<'t, T, E>>::Fut
{
    /// The closure's future.
    type Fut: Future<Output = Result<T, E>>;
}

#[diagnostic::do_not_recommend]
impl<'t, F, Fut, T, E> Scope<'t, T, E> for F
where
    F: AsyncFnOnce(&'t Transaction) -> Result<T, E> + FnOnce(&'t Transaction) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Fut = Fut;
}
