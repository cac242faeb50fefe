//! Where statements run.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use cormorant_driver::{Call, Done, Error, ErrorKind, Pool, Request, Result, Sink};
use cormorant_sql::{Dialect, Kind, Statement, Value};

use crate::{Database, Transaction};

/// Where statements run: a [`Database`] (each statement by itself) or a [`Transaction`]. Both are taken by
/// reference, so `item.save(&db)` and `item.save(tx)` read the same.
#[diagnostic::on_unimplemented(
    message = "statements cannot run on `{Self}`",
    label = "expected a `Database` or a `Transaction`",
    note = "a session runs queries for its objects itself, as `session.all(query)` does; any other statement runs in its transaction, which `session.begin().await?` gives"
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
    pub(crate) fn run<'s>(self, statement: &'s Statement<'s>, values: &'s [Value<'s>], sink: Sink<'s>) -> Asked<'s>
    where
        'a: 's,
    {
        Asked::new(self, Request::Statement { statement, values, single: false }, sink)
    }

    /// Runs a query that gives at most one row.
    #[inline]
    pub(crate) fn run_single<'s>(
        self,
        statement: &'s Statement<'s>,
        values: &'s [Value<'s>],
        sink: Sink<'s>,
    ) -> Asked<'s>
    where
        'a: 's,
    {
        Asked::new(self, Request::Statement { statement, values, single: true }, sink)
    }

    /// Runs SQL text.
    #[inline]
    pub(crate) fn call<'s>(self, call: &'s Call<'s>, sink: Sink<'s>) -> Asked<'s>
    where
        'a: 's,
    {
        Asked::new(self, Request::Call(call), sink)
    }

    fn ask_now(self, request: Request<'_>, sink: Sink<'_>, done: &mut Done) -> Option<Result<()>> {
        match self {
            Self::Database(pool) => pool.run_now(request, sink, done),
            Self::Transaction(transaction) => transaction.run_now(request, sink, done),
        }
    }

    /// Runs a statement that is waited for.
    ///
    /// A query of the builder, by itself, that lost its connection before the first row is run once more on another:
    /// it changes nothing. Nothing else is repeated.
    #[cold]
    fn ask_later<'s>(self, request: Request<'s>, sink: Sink<'s>) -> Work<'s, Done>
    where
        'a: 's,
    {
        Box::pin(async move {
            let shape;
            let built;
            let call = match request {
                Request::Call(call) => call,
                Request::Statement { statement, values, single } => {
                    shape = self.pool().shapes().get(statement).map_err(Error::from_sql)?;
                    built = Call { single, ..Call::new(&shape, values) };
                    &built
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

/// A statement that was asked for. It runs at the first poll, at once where it can be: what is waited for costs more to
/// set up than a row to read. Not an `async fn`, whose first poll no compiler puts where it is awaited.
pub(crate) struct Asked<'a> {
    target: Target<'a>,
    request: Request<'a>,
    /// `None` from the first poll on.
    sink: Option<Sink<'a>>,
    later: Option<Work<'a, Done>>,
}

impl<'a> Asked<'a> {
    #[inline]
    fn new(target: Target<'a>, request: Request<'a>, sink: Sink<'a>) -> Self {
        Self { target, request, sink: Some(sink), later: None }
    }
}

impl Future for Asked<'_> {
    type Output = Result<Done>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Done>> {
        if let Some(sink) = self.sink.take() {
            let mut done = Done::default();
            if let Some(result) = self.target.ask_now(self.request, sink, &mut done) {
                return Poll::Ready(result.map(|()| done));
            }
            self.later = Some(self.target.ask_later(self.request, sink));
        }
        // Nothing comes behind the answer.
        self.later.as_mut().map_or(Poll::Pending, |work| work.as_mut().poll(context))
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
