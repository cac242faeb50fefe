//! A database.

use cormorant_driver::{Options, Pool, Result};
use cormorant_sql::Dialect;
use cormorant_sql::schema::TableDef;

use crate::executor::Work;
use crate::transaction::{self, Scope};
use crate::{Begin, Error, Session, Transaction, registry, schema};

/// A database: connections to it, and where statements run one by one. Cloning it is cheap and gives the same one.
///
/// # Connecting
/// ```
/// use cormorant::prelude::*;
/// # fn main() -> cormorant::Result<()> {
/// let db = Database::connect("sqlite::memory:").wait()?; // or sqlite:file.db, postgresql://…, mysql://…
/// let one: i64 = sql!("SELECT 1").one(&db).wait()?;
/// assert_eq!(one, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
}

impl Database {
    /// Connects to the database that a URL names; see [`Options`] for what it may say.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the URL is not understood,
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) when no connection can be made.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self> {
        Self::connect_with(Options::parse(url.as_ref())?).await
    }

    /// Connects with options of the program's own.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(options: Options) -> Result<Self> {
        Ok(Self { pool: pool(options).await? })
    }

    /// The dialect it speaks.
    pub fn dialect(&self) -> Dialect {
        self.pool.dialect()
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Creates the tables of every model in the program. A table that exists is left alone if it is as its model
    /// says; if it is not, that is an error with the differences, and nothing is created.
    ///
    /// # Errors
    /// [`ErrorKind::SchemaMismatch`](crate::ErrorKind::SchemaMismatch) when a table differs,
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) when the program has no model or two of one table.
    pub async fn create_all(&self) -> Result<()> {
        schema::create(self, &registry::models()?).await
    }

    /// Drops the tables of every model in the program, with everything in them. Tables without a model stay.
    ///
    /// # Errors
    /// Those of [`create_all`](Self::create_all), and the database's.
    pub async fn drop_all(&self) -> Result<()> {
        schema::drop(self, &registry::models()?).await
    }

    /// Creates the tables of some models: `db.create(models![Item, Order])`.
    ///
    /// # Errors
    /// As [`create_all`](Self::create_all).
    pub async fn create(&self, models: impl IntoIterator<Item = &'static TableDef>) -> Result<()> {
        schema::create(self, &registry::checked(models.into_iter().collect())?).await
    }

    /// Drops the tables of some models, with everything in them.
    ///
    /// # Errors
    /// The database's.
    pub async fn drop(&self, models: impl IntoIterator<Item = &'static TableDef>) -> Result<()> {
        schema::drop(self, &registry::checked(models.into_iter().collect())?).await
    }

    /// Runs a transaction: committed when the closure gives `Ok`, rolled back when it gives an error, panics, or is
    /// dropped. Inside, [`Transaction::transaction`] is a savepoint.
    ///
    /// # All or nothing
    /// ```
    /// use cormorant::prelude::*;
    /// #[derive(Model)]
    /// struct Account { id: i64, cents: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Account]).wait()?;
    /// let error = db.transaction(async |tx| {
    ///     Account::builder().cents(5).insert(tx).await?;
    ///     Err::<(), _>(cormorant::Error::other("the bank is closed"))
    /// }).wait().unwrap_err();
    /// assert_eq!(error.to_string(), "the bank is closed");
    /// assert_eq!(Account::query().count(&db).wait()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The closure's; the database's when it begins or commits; [`ErrorKind::NotRolledBack`](crate::ErrorKind) when the
    /// closure failed and a statement in it, such as CREATE TABLE on MariaDB, had committed what it did.
    #[allow(clippy::manual_async_fn, reason = "the signature promises that the future is `Send`")]
    pub fn transaction<T, F>(&self, scope: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send,
        F: for<'t> Scope<'t, T, Error, Fut: Send> + Send,
    {
        async move { transaction::run(self.begin().await?, scope, transaction::both).await }
    }

    /// Runs a transaction whose closure has an error of its own, which converts from [`Error`].
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
        async move { transaction::run(self.begin().await?, scope, |kept, _| kept.into()).await }
    }

    /// A unit of work: objects that are changed in memory and written together. It takes a connection when it first
    /// writes.
    pub fn session(&self) -> Session {
        Session::new(&self.pool)
    }

    /// Begins a transaction that ends with [`Transaction::commit`]; dropped before, it is rolled back.
    ///
    /// # Errors
    /// [`ErrorKind::PoolTimeout`](crate::ErrorKind::PoolTimeout) when no connection becomes free.
    pub async fn begin(&self) -> Result<Transaction> {
        self.begin_with(Begin::default()).await
    }

    /// Begins a transaction with an isolation, or one that only reads.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_with(&self, begin: Begin) -> Result<Transaction> {
        Transaction::begin(&self.pool, begin).await
    }
}

fn pool(options: Options) -> Work<'static, Pool> {
    Box::pin(Pool::connect(options))
}
