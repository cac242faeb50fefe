//! Where statements run.

use std::mem;
use std::pin::Pin;

use cormorant_driver::{Call, Done, Error, ErrorKind, Pool, Request, Result, Sink};
use cormorant_sql::{Dialect, Kind, Statement, Value};

use crate::{Database, Transaction};

/// Where statements run: a [`Database`] (each statement by itself) or a [`Transaction`]. Both are taken by
/// reference, so `item.save(&db)` and `item.save(tx)` read the same.
#[diagnostic::on_unimplemented(
    message = "statements cannot run on `{Self}`",
    label = "expected a `Database` or a `Transaction`"
)]
pub trait Executor: Sync + sealed::Sealed {
    #[doc(hidden)]
    fn target(&self) -> Target<'_>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::Database {}
    impl Sealed for crate::Transaction {}
    impl<T: Sealed + ?Sized> Sealed for &T {}
}

impl Executor for Database {
    fn target(&self) -> Target<'_> {
        Target::Database(self.pool())
    }
}

impl Executor for Transaction {
    fn target(&self) -> Target<'_> {
        Target::Transaction(self)
    }
}

impl<E: Executor> Executor for &E {
    fn target(&self) -> Target<'_> {
        (*self).target()
    }
}

/// One type for both, so that what runs a statement is compiled once.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    Database(&'a Pool),
    Transaction(&'a Transaction),
}

impl<'a> Target<'a> {
    pub(crate) fn pool(self) -> &'a Pool {
        match self {
            Self::Database(pool) => pool,
            Self::Transaction(transaction) => transaction.pool(),
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        self.pool().dialect()
    }

    /// Renders a statement, or finds it rendered, and runs it.
    #[inline]
    pub(crate) fn run<'s>(
        self,
        statement: &'s Statement<'s>,
        values: &'s [Value<'s>],
        sink: Sink<'s>,
    ) -> impl Future<Output = Result<Done>> + Send + use<'a, 's> {
        self.ask(Request::Statement { statement, values, single: false }, sink)
    }

    /// Runs a query that gives at most one row.
    #[inline]
    pub(crate) fn run_single<'s>(
        self,
        statement: &'s Statement<'s>,
        values: &'s [Value<'s>],
        sink: Sink<'s>,
    ) -> impl Future<Output = Result<Done>> + Send + use<'a, 's> {
        self.ask(Request::Statement { statement, values, single: true }, sink)
    }

    /// Runs SQL text.
    pub(crate) fn call<'s>(
        self,
        call: Call<'s>,
        sink: Sink<'s>,
    ) -> impl Future<Output = Result<Done>> + Send + use<'a, 's> {
        self.ask(Request::Call(call), sink)
    }

    /// Runs a statement: at once where it can be, for what is waited for costs more to set up than a row to read.
    #[inline]
    async fn ask(self, request: Request<'_>, sink: Sink<'_>) -> Result<Done> {
        match self.ask_now(request, sink) {
            Some(result) => result,
            None => self.ask_later(request, sink).await,
        }
    }

    fn ask_now(self, request: Request<'_>, sink: Sink<'_>) -> Option<Result<Done>> {
        match self {
            Self::Database(pool) => pool.run_now(request, sink),
            Self::Transaction(transaction) => transaction.run_now(request, sink),
        }
    }

    /// Runs a statement that is waited for.
    ///
    /// A query of the builder, by itself, that lost its connection before the first row is run once more on another:
    /// it changes nothing. Nothing else is repeated.
    fn ask_later<'s>(self, request: Request<'s>, sink: Sink<'s>) -> Work<'s, Done>
    where
        'a: 's,
    {
        Box::pin(async move {
            let shape;
            let call = match request {
                Request::Call(call) => call,
                Request::Statement { statement, values, single } => {
                    shape = self.pool().shapes().get(statement).map_err(Error::from_sql)?;
                    Call { single, ..Call::new(&shape, values) }
                }
            };
            let pool = match self {
                Self::Transaction(transaction) => return transaction.call(call, sink).await,
                Self::Database(pool) => pool,
            };
            let mut rows = 0u64;
            let mut may_repeat = call.repeats;
            loop {
                let mut counted = |row: &mut cormorant_driver::Row<'_>| {
                    rows += 1;
                    sink(row)
                };
                match pool.run(call, &mut counted).await {
                    Err(error) if error.kind() == ErrorKind::ConnectionLost => {
                        // The server may have gone: the others are not trusted either.
                        pool.close_idle();
                        if !mem::take(&mut may_repeat) || rows > 0 {
                            return Err(error);
                        }
                    }
                    result => return result,
                }
            }
        })
    }
}

/// Work that is compiled here, once, and not in every program that awaits it.
#[doc(hidden)]
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// For statements that give no rows.
pub(crate) fn no_rows(_row: &mut cormorant_driver::Row<'_>) -> Result<()> {
    Ok(())
}

/// A statement over a table.
pub(crate) fn statement<'a>(
    kind: Kind,
    table: &'static cormorant_sql::schema::TableDef,
    tokens: &'a [cormorant_sql::Token],
) -> Statement<'a> {
    Statement { kind, table, tokens }
}
