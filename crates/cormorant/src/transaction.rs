//! Transactions, and scopes inside them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cormorant_driver::{Begin, Call, Done, Error, ErrorKind, Gate, Lease, Pass, Pool, Result, Sink};

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
    ended: bool,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    begin: Begin,
    /// Statements of one transaction run one after the other, even when their futures are awaited together.
    turns: Arc<Gate>,
    /// Taken out while a statement runs: whoever drops that statement's future drops the connection with it.
    lease: Mutex<Slot>,
    /// The depth of the innermost open scope.
    depth: AtomicU32,
    /// The outermost scope that was dropped and whose work is still to be taken back; 0 for none.
    abandoned: AtomicU32,
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
    pub(crate) async fn begin(pool: &Pool, begin: Begin) -> Result<Self> {
        let lease = pool.acquire("a transaction").await?;
        let shared = Shared {
            pool: pool.clone(),
            begin,
            turns: Gate::new(1),
            lease: Mutex::new(Slot::Waiting(lease)),
            depth: AtomicU32::new(0),
            abandoned: AtomicU32::new(0),
        };
        Ok(Self { shared: Arc::new(shared), depth: 0, ended: false })
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// Runs a scope inside the transaction: kept when the closure gives `Ok`, taken back when it gives an error,
    /// while the transaction itself goes on.
    ///
    /// # Errors
    /// The closure's; the database's.
    pub fn transaction<T, F>(&self, scope: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send,
        F: for<'t> Scope<'t, T, Error, Fut: Send> + Send,
    {
        self.try_transaction(scope)
    }

    /// Runs a scope whose closure has an error of its own, which converts from [`Error`].
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction).
    pub fn try_transaction<T, E, F>(&self, scope: F) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send,
        E: From<Error> + Send,
        F: for<'t> Scope<'t, T, E, Fut: Send> + Send,
    {
        async move { run(self.savepoint().await?, scope).await }
    }

    /// Opens a scope that ends with [`commit`](Self::commit); dropped before, its work is taken back.
    ///
    /// # Errors
    /// The database's.
    pub async fn savepoint(&self) -> Result<Self> {
        let mut running = self.enter().await?;
        let depth = running.lease()?.connection()?.savepoint().await?;
        running.finish();
        self.shared.depth.store(depth, Ordering::Release);
        Ok(Self { shared: Arc::clone(&self.shared), depth, ended: false })
    }

    /// Commits the transaction, or keeps the scope's work.
    ///
    /// # Errors
    /// [`ErrorKind::CommitUnknown`] when COMMIT was sent and no answer came; the database's otherwise, and then it is
    /// rolled back.
    pub async fn commit(mut self) -> Result<()> {
        if self.depth == 0 && matches!(*self.slot(), Slot::Waiting(_)) {
            self.ended = true;
            return Ok(());
        }
        let mut running = self.enter().await?;
        let connection = running.lease()?.connection()?;
        let result = match self.depth {
            0 => connection.commit().await,
            depth => connection.release(depth).await,
        };
        running.finish();
        if result.is_ok() || self.depth == 0 {
            self.end();
        }
        result
    }

    /// Rolls the transaction back, or takes the scope's work back.
    ///
    /// # Errors
    /// The database's.
    pub async fn rollback(mut self) -> Result<()> {
        if self.depth == 0 && matches!(*self.slot(), Slot::Waiting(_)) {
            self.ended = true;
            return Ok(());
        }
        let mut running = self.enter().await?;
        let connection = running.lease()?.connection()?;
        let result = match self.depth {
            0 => connection.rollback().await,
            depth => connection.rollback_to(depth).await,
        };
        running.finish();
        if result.is_ok() {
            self.end();
        }
        result
    }

    pub(crate) async fn call(&self, call: Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let mut running = self.enter().await?;
        let done = running.lease()?.connection()?.run(call, sink).await;
        running.finish();
        done
    }

    /// Takes the connection for one statement, and begins the transaction before the first.
    async fn enter(&self) -> Result<Running<'_>> {
        if self.ended {
            return Err(Error::new(ErrorKind::Misuse, "the transaction has ended"));
        }
        self.check_scope()?;
        let turn = self.shared.turns.pass("a statement of the transaction", self.shared.pool.acquire_timeout()).await;
        let turn = turn.map_err(|late| {
            Error::new(
                ErrorKind::PoolTimeout,
                format!("the transaction's connection did not become free in {:.1} s: {late}", late.waited.as_secs_f64()),
            )
        })?;
        // A scope may have been opened while this waited.
        let abandoned = self.check_scope()?;
        let mut running = self.take(turn)?;
        if !running.begun {
            let lease = running.lease()?;
            if !self.shared.begin.read_only {
                lease.claim_writing("a transaction").await?;
            }
            lease.connection()?.begin(self.shared.begin).await?;
            running.begun = true;
        }
        if abandoned > 0 {
            // A scope was dropped without an end: its work is taken back before anything else happens.
            running.lease()?.connection()?.rollback_to(abandoned).await?;
            self.shared.abandoned.store(0, Ordering::Release);
            self.shared.depth.store(abandoned - 1, Ordering::Release);
        }
        Ok(running)
    }

    /// Refuses an outer scope while an inner one is open; says which scope was dropped without an end, 0 for none.
    fn check_scope(&self) -> Result<u32> {
        let abandoned = self.shared.abandoned.load(Ordering::Acquire);
        // A scope that was dropped is as good as ended: the one around it is the innermost.
        let innermost = abandoned.checked_sub(1).unwrap_or_else(|| self.shared.depth.load(Ordering::Acquire));
        if innermost != self.depth {
            return Err(Error::new(
                ErrorKind::TransactionSuspended,
                "a scope inside this transaction is open: use the inner `tx` until it ends",
            ));
        }
        Ok(abandoned)
    }

    fn take(&self, turn: Pass) -> Result<Running<'_>> {
        let (lease, begun) = match std::mem::replace(&mut *self.slot(), Slot::Lost) {
            Slot::Waiting(lease) => (lease, false),
            Slot::Begun(lease) => (lease, true),
            Slot::Lost => {
                return Err(Error::new(
                    ErrorKind::ConnectionLost,
                    "a statement of this transaction was cancelled, and the transaction was rolled back",
                ));
            }
        };
        Ok(Running { transaction: self, lease: Some(lease), begun, _turn: turn })
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.shared.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the connection back, or leaves it to the scope around.
    fn end(&mut self) {
        self.ended = true;
        match self.depth.checked_sub(1) {
            Some(outer) => self.shared.depth.store(outer, Ordering::Release),
            None => *self.slot() = Slot::Lost,
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if self.depth > 0 {
            self.shared.abandoned.store(self.depth, Ordering::Release);
            return;
        }
        // Where the backend can, it is rolled back at once; elsewhere the connection is closed, which does the same.
        if let Slot::Begun(lease) = &mut *self.slot()
            && let Ok(connection) = lease.connection()
        {
            connection.rollback_now();
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

    fn finish(mut self) {
        if let Some(lease) = self.lease.take() {
            *self.transaction.slot() = if self.begun { Slot::Begun(lease) } else { Slot::Waiting(lease) };
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take() else { return };
        if self.begun {
            if let Ok(connection) = lease.connection() {
                connection.rollback_now();
            }
        } else {
            // Nothing was begun: the connection is as it was.
            *self.transaction.slot() = Slot::Waiting(lease);
        }
    }
}

pub(crate) async fn run<T, E, F>(transaction: Transaction, scope: F) -> Result<T, E>
where
    E: From<Error>,
    F: for<'t> Scope<'t, T, E>,
{
    match scope(&transaction).await {
        Ok(value) => {
            transaction.commit().await?;
            Ok(value)
        }
        Err(error) => {
            // The closure's error is the one to know; a connection that cannot roll back is closed.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
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

impl<'t, F, Fut, T, E> Scope<'t, T, E> for F
where
    F: AsyncFnOnce(&'t Transaction) -> Result<T, E> + FnOnce(&'t Transaction) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Fut = Fut;
}
