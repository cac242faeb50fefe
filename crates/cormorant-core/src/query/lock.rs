//! Locked reads.

use cormorant_driver::{Error, ErrorKind};
use cormorant_sql::{Lock, Locking, Taken, Token};

use super::{Output, Query};
use crate::Mapper;
use crate::executor::{Target, Work};

impl<M: Mapper, O: Output> Query<M, O> {
    /// Locks the rows it finds until the transaction ends, so that what was read is still true when it is written:
    /// [`Lock::Update`] for a change, [`Lock::Share`] to keep others from one. A row that somebody else has locked is waited for, unless
    /// [`nowait`](Lock::nowait) or [`skip_locked`](Lock::skip_locked) says otherwise.
    ///
    /// Rows of other tables, reached by a foreign key, stay free; on MariaDB, which cannot say so, they are locked as
    /// well. On SQLite a transaction has the one right to write from its first statement, and so locks everything:
    /// there is nothing to skip, and `nowait` does not wait for that right.
    ///
    /// # A counter that loses no count
    /// ```
    /// use cormorant::prelude::*;
    /// #[derive(Model)]
    /// struct Counter { id: i64, value: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Counter]).wait()?;
    /// # Counter::builder().value(0).insert(&db).wait()?;
    /// db.transaction(async |tx| {
    ///     let mut counter = Counter::query().lock(Lock::Update).one(tx).await?; // SELECT … FOR UPDATE
    ///     counter.value += 1;
    ///     counter.save(tx).await
    /// })
    /// .wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Before anything is sent, of what runs the query: [`ErrorKind::Misuse`] outside a transaction,
    /// [`ErrorKind::ReadOnly`] in one that only reads, [`ErrorKind::Unsupported`] of groups, `distinct`, aggregates,
    /// `count`, `exists`, `update` and `delete`, which give no rows that could be locked.
    /// [`ErrorKind::LockTimeout`] of the database, at once with `nowait`; the transaction is to be rolled back then.
    pub fn lock(mut self, lock: impl IntoLocking) -> Self {
        self.buffer.push(Token::Lock(lock.into()));
        self
    }
}

/// What `lock` takes: a [`Lock`], or one with `nowait` or `skip_locked`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no lock",
    label = "expected `Lock::Update` or `Lock::Share`, with `.nowait()` or `.skip_locked()` where nobody is waited for"
)]
pub trait IntoLocking: Into<Locking> {}

impl IntoLocking for Lock {}
impl IntoLocking for Locking {}

/// The lock that a query asks for.
#[inline]
pub(super) fn asked(tokens: &[Token]) -> Option<Locking> {
    tokens.iter().rev().find_map(|token| if let Token::Lock(locking) = token { Some(*locking) } else { None })
}

/// Refuses a lock where nothing would hold it.
pub(super) fn ready(locking: Locking, target: Target<'_>) -> Work<'_, ()> {
    Box::pin(async move {
        let Target::Transaction(transaction) = target else {
            return Err(Error::new(
                ErrorKind::Misuse,
                "a lock ends with its transaction, and there is none: run the query inside `db.transaction(async |tx| …)`, on `tx`",
            ));
        };
        if transaction.only_reads() {
            return Err(Error::new(
                ErrorKind::ReadOnly,
                "a transaction that only reads locks no rows: begin it without `read_only`",
            ));
        }
        // Where rows have no locks of their own, what is waited for is the right to write.
        if locking.taken == Taken::Fail && !target.dialect().locks_rows() {
            transaction.begin_without_waiting().await?;
        }
        Ok(())
    })
}
