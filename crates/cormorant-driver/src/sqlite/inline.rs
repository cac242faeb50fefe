//! A connection whose statements run on the calling thread and are ready at the first poll.

use std::time::{Duration, Instant};

use futures_timer::Delay;
use rusqlite::InterruptHandle;
use rusqlite::limits::Limit;

use super::{BEGIN_TO_READ, BEGIN_TO_WRITE, classify, open, values};
use crate::options::SqliteOptions;
use crate::row::Cells;
use crate::{Call, Conflict, Done, Error, ErrorKind, Result, Row, Sink};

/// A connection to a SQLite database.
#[derive(Debug)]
pub(super) struct Connection {
    raw: rusqlite::Connection,
    busy_timeout: Duration,
    max_parameters: usize,
    /// Whether the transaction that is open, if one is, only reads.
    read_only: bool,
}

impl Connection {
    pub(super) fn open(options: &SqliteOptions) -> Result<Self> {
        let raw = open::open(options)?;
        let max_parameters = raw.limit(Limit::SQLITE_LIMIT_VARIABLE_NUMBER).map_or(999, |limit| limit.max(1) as usize);
        Ok(Self { raw, busy_timeout: options.busy_timeout, max_parameters, read_only: false })
    }

    pub(super) fn max_parameters(&self) -> usize {
        self.max_parameters
    }

    /// Runs a statement, and writes what it did to `done`; `None` where another process writes, and has to be waited
    /// for.
    #[inline]
    pub(super) fn run_now(&mut self, call: &Call<'_>, sink: Sink<'_>, done: &mut Done) -> Option<Result<()>> {
        let mut given = false;
        match self.run_once(call, sink, &mut given, done) {
            Err(error) if !given && self.worth_waiting(&error) => None,
            result => Some(result),
        }
    }

    /// Runs a statement. Another process that writes is waited for; nothing else is.
    pub(super) async fn run(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let (mut given, mut done) = (false, Done::default());
        match self.run_once(call, sink, &mut given, &mut done) {
            Err(error) if !given && self.worth_waiting(&error) => self.run_again(call, sink, error).await,
            result => result.map(|()| done),
        }
    }

    #[cold]
    async fn run_again(&mut self, call: &Call<'_>, sink: Sink<'_>, refused: Error) -> Result<Done> {
        let mut backoff = Backoff::new(self.busy_timeout);
        let mut refused = refused;
        // Once a row was given away, running the statement again would give it twice.
        let (mut given, mut done) = (false, Done::default());
        while backoff.sleep().await {
            match self.run_once(call, sink, &mut given, &mut done) {
                Err(error) if !given && self.worth_waiting(&error) => refused = error,
                result => return result.map(|()| done),
            }
        }
        Err(refused)
    }

    /// Transaction control: BEGIN waits for another process as a statement does.
    pub(super) async fn control(&mut self, sql: &str) -> Result<()> {
        let mut backoff = Backoff::new(self.busy_timeout);
        loop {
            match self.execute(sql) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    // A COMMIT that was refused can be tried again: the transaction is still open.
                    let wait = self.worth_waiting(&error) || sql == "COMMIT" && is_busy(&error);
                    if !wait || !backoff.sleep().await {
                        return Err(error);
                    }
                }
            }
        }
    }

    pub(super) fn in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }

    /// What stops a statement that runs, from another thread.
    pub(super) fn interrupt_handle(&self) -> InterruptHandle {
        self.raw.get_interrupt_handle()
    }

    /// True when no transaction is open any more.
    pub(super) fn rollback_now(&mut self) -> bool {
        if self.raw.is_autocommit() {
            return true;
        }
        let _ = self.raw.execute_batch("ROLLBACK");
        self.raw.is_autocommit()
    }

    #[inline]
    fn run_once(&mut self, call: &Call<'_>, sink: Sink<'_>, given: &mut bool, done: &mut Done) -> Result<()> {
        match call.key_query {
            Some(highest) => self.insert_counting_up(call, highest, sink, given).map(|inserted| *done = inserted),
            None => self.step(call, sink, given, done),
        }
    }

    /// Inserts several rows and tells the first of the keys that they got, which follow each other: SQLite counts them
    /// up. Where that is not certain nothing is inserted, and no key told.
    fn insert_counting_up(&mut self, call: &Call<'_>, highest: &str, sink: Sink<'_>, given: &mut bool) -> Result<Done> {
        // Nobody else may write in between.
        let (begin, keep, undo): (_, _, &[&str]) = match self.raw.is_autocommit() {
            true => (BEGIN_TO_WRITE, "COMMIT", &["ROLLBACK"]),
            false => ("SAVEPOINT rows", "RELEASE rows", &["ROLLBACK TO rows", "RELEASE rows"]),
        };
        self.execute(begin)?;
        let inserted = self.insert_above(call, highest, sink, given).and_then(|done| match done.key {
            Some(_) => self.execute(keep).map(|()| done),
            None => Ok(Done::default()),
        });
        if !matches!(&inserted, Ok(Done { key: Some(_), .. })) {
            let undone = undo.iter().try_for_each(|sql| self.execute(sql));
            return inserted.and_then(|done| undone.map(|()| done));
        }
        inserted
    }

    fn insert_above(&mut self, call: &Call<'_>, highest: &str, sink: Sink<'_>, given: &mut bool) -> Result<Done> {
        let mut query = self.raw.prepare_cached(highest).map_err(|error| classify(&error))?;
        let before: Option<i64> = query.query_row((), |row| row.get(0)).map_err(|error| classify(&error))?;
        drop(query);
        let changes = self.raw.total_changes();
        let mut done = Done::default();
        self.step(call, sink, given, &mut done)?;
        let (last, rows) = (self.raw.last_insert_rowid(), i64::try_from(done.rows).unwrap_or(i64::MAX));
        let Some(above) = before.unwrap_or(0).checked_add(rows) else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the table has a row with the largest key there is, and SQLite would give the new ones any that is free: insert row by row, or give the keys",
            ));
        };
        // A trigger may have written rows of the same table in between. With AUTOINCREMENT keys follow the highest
        // there ever was, which is found where nothing but these rows was written.
        let alone = self.raw.total_changes() - changes == done.rows;
        let key = (alone || above == last).then(|| last - rows + 1);
        Ok(Done { key, ..done })
    }

    /// Transaction control, whoever asks for it: how a transaction begins decides what may run in it.
    fn execute(&mut self, sql: &str) -> Result<()> {
        match sql {
            BEGIN_TO_READ => self.read_only = true,
            BEGIN_TO_WRITE => self.read_only = false,
            _ => {}
        }
        let executed = self.raw.prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
        executed.map(|_| ()).map_err(|error| classify(&error))
    }

    /// What it did is written and not returned: the way up is long, and each step of it would copy that.
    fn step(&mut self, call: &Call<'_>, sink: Sink<'_>, given: &mut bool, done: &mut Done) -> Result<()> {
        let mut statement = self.raw.prepare_cached(call.sql).map_err(|error| classify(&error))?;
        if self.read_only && !statement.readonly() && !self.raw.is_autocommit() {
            return Err(Error::new(
                ErrorKind::ReadOnly,
                "the transaction was begun to read only: begin one that writes, or write outside of it",
            ));
        }
        values::bind(&mut statement, call.values)?;
        // A query that was built is known to read.
        let writes = call.writes || !call.repeats && !statement.readonly();
        let mut rows = statement.raw_query();
        loop {
            match rows.next() {
                Ok(Some(row)) => {
                    *given = true;
                    sink(&mut Row::new(Cells::Sqlite(row), call.outputs))?;
                    if call.single {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => return Err(classify(&error)),
            }
        }
        drop(rows);
        if call.keep {
            drop(statement);
        } else {
            statement.discard();
        }
        *done = match writes {
            true => Done { rows: self.raw.changes(), key: Some(self.raw.last_insert_rowid()) },
            false => Done::default(),
        };
        Ok(())
    }

    /// Another process holds the lock and this statement holds none: trying again can succeed. Inside a transaction
    /// it cannot, as the other may be waiting for us.
    fn worth_waiting(&self, error: &Error) -> bool {
        is_busy(error) && self.raw.is_autocommit()
    }
}

fn is_busy(error: &Error) -> bool {
    error.kind() == ErrorKind::Retryable(Conflict::Busy)
}

/// Longer and longer sleeps, until the time is up.
struct Backoff {
    until: Instant,
    next: Duration,
}

impl Backoff {
    fn new(timeout: Duration) -> Self {
        Self { until: Instant::now() + timeout, next: Duration::from_millis(1) }
    }

    /// Sleeps; false when the time is up.
    async fn sleep(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        Delay::new(self.next.min(left)).await;
        self.next = (self.next * 2).min(Duration::from_millis(50));
        true
    }
}
