//! Rows as they come.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use cormorant_driver::{Emit, Error, ErrorKind, Pool, Result, Row, aside, wait};
use cormorant_sql::{Buffer, Kind};
use futures_core::Stream;

use super::read::run;
use super::{Fetch, Query};
use crate::executor::{Target, Work};
use crate::{Executor, Mapper, Transaction};

/// So many rows travel together from SQLite's thread.
const CHUNK: usize = 256;

/// The rows of a query, one after the other, as the database gives them: memory holds a few, however many there are.
///
/// It is a `Stream` of the `futures` crates; [`next`](Self::next) needs none of them. The connection is its own until its
/// end, or until it is dropped.
#[must_use = "a stream does nothing until it is asked for a row"]
pub struct RowStream<T> {
    work: Option<Work<'static, ()>>,
    arrived: Queue<T>,
    ready: VecDeque<T>,
    failed: Option<Error>,
}

type Queue<T> = Arc<Mutex<VecDeque<T>>>;

/// Where a stream's query runs, for as long as it does.
pub(crate) enum Source {
    Database(Pool),
    Transaction(Transaction),
}

impl Source {
    pub(crate) fn of(target: Target<'_>) -> Self {
        match target {
            Target::Database(pool) => Self::Database(pool.clone()),
            Target::Transaction(transaction) => Self::Transaction(transaction.alias()),
        }
    }

    fn target(&self) -> Target<'_> {
        match self {
            Self::Database(pool) => Target::Database(pool),
            Self::Transaction(transaction) => Target::Transaction(transaction),
        }
    }
}

impl<M: Mapper, O: Fetch<Row: 'static, Loader: 'static>> Query<M, O> {
    /// The rows one after the other, as they come: for more than memory should hold.
    ///
    /// On SQLite the query runs on a thread of its own. Relations are not included: load them for some rows at a time,
    /// with [`load_all`](crate::load_all).
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
    /// Reading::insert_many(&db, (0..1000).map(|n| Reading { id: 0, celsius: f64::from(n) })).wait()?;
    /// let mut warmest = f64::MIN;
    /// let mut readings = Reading::query().stream(&db);
    /// while let Some(reading) = readings.next().wait()? {
    ///     warmest = warmest.max(reading.celsius);
    /// }
    /// assert_eq!(warmest, 999.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// With the first row: those of the query, and [`ErrorKind::Misuse`] when it includes relations.
    pub fn stream(mut self, db: &impl Executor) -> RowStream<O::Row> {
        self.settle();
        if self.plan.is_some() {
            return RowStream::failed(Error::new(
                ErrorKind::Misuse,
                "a stream includes no relations: take some of its rows, and load theirs with `load_all`",
            ));
        }
        let loader = self.loader;
        RowStream::new::<M>(Source::of(db.target()), self.buffer, move |row| O::load(loader, row))
    }
}

impl<T: Send + 'static> RowStream<T> {
    /// The rows of a query over a mapper's table, each read in this way.
    pub(crate) fn new<M: Mapper>(
        source: Source,
        buffer: Buffer,
        read: impl Fn(&mut Row<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        let arrived: Queue<T> = Arc::default();
        let queue = Arc::clone(&arrived);
        let put = move |row: T| queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(row);
        let work: Work<'static, ()> = match source.target().pool().runs_inline() {
            // Such a query runs to its end once it has begun.
            true => Box::pin(async move {
                let query = move |emit: &mut Emit<T>| {
                    let mut sink = |row: &mut Row<'_>| emit.put(read(row)?);
                    wait(run::<M>(Kind::Select, &buffer, source.target(), &mut sink))
                };
                let mut rows = aside(CHUNK, query)?;
                while let Some(chunk) = rows.next().await? {
                    chunk.into_iter().for_each(&put);
                    pause().await;
                }
                Ok(())
            }),
            false => Box::pin(async move {
                let mut sink = |row: &mut Row<'_>| {
                    put(read(row)?);
                    Ok(())
                };
                run::<M>(Kind::Select, &buffer, source.target(), &mut sink).await
            }),
        };
        Self { work: Some(work), arrived, ready: VecDeque::new(), failed: None }
    }

    pub(crate) fn failed(error: Error) -> Self {
        Self { work: None, arrived: Arc::default(), ready: VecDeque::new(), failed: Some(error) }
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// Those of the query; there are no more rows then.
    pub async fn next(&mut self) -> Result<Option<T>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<T>>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Poll::Ready(Ok(Some(row)));
            }
            let Some(work) = &mut self.work else {
                return Poll::Ready(self.failed.take().map_or(Ok(None), Err));
            };
            let polled = work.as_mut().poll(context);
            std::mem::swap(&mut self.ready, &mut *self.arrived.lock().unwrap_or_else(PoisonError::into_inner));
            match polled {
                Poll::Ready(result) => {
                    self.failed = result.err();
                    self.work = None;
                }
                Poll::Pending if self.ready.is_empty() => return Poll::Pending,
                // What has come is read before more is asked for.
                Poll::Pending => {}
            }
        }
    }
}

/// Lets whoever polls read what has come: they poll again when they want more.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut paused, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

impl<T: Send + 'static> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.get_mut().poll(context).map(Result::transpose)
    }
}

/// Nothing of it is pinned where it stands.
impl<T> Unpin for RowStream<T> {}

impl<T> fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream").field("ended", &self.work.is_none()).finish_non_exhaustive()
    }
}
