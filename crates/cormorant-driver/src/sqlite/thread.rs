//! A connection on a thread of its own: a slow statement keeps no other task waiting. Rows travel in chunks.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as jobs;
use std::task::Poll;
use std::thread::JoinHandle;

use cormorant_sql::{Output, Parameter, Value};
use futures_channel::mpsc;
use futures_core::Stream as _;
use rusqlite::InterruptHandle;
use rusqlite::types::Value as Owned;

use super::inline;
use crate::options::SqliteOptions;
use crate::row::Cells;
use crate::{Call, Done, Error, ErrorKind, Result, Row, Sink, wait};

/// Cells that travel together: enough that the hand-over costs little, few enough that memory stays small.
const CELLS: usize = 4096;

/// The end of the caller.
pub(super) struct Connection {
    jobs: jobs::Sender<Job>,
    thread: JoinHandle<()>,
    interrupt: InterruptHandle,
    in_transaction: Arc<AtomicBool>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("thread", &self.thread).finish_non_exhaustive()
    }
}

/// What the thread is asked to do. Jobs are done in the order they come.
enum Job {
    Run(OwnedCall, mpsc::Sender<Answer>),
    Control(String, mpsc::Sender<Answer>),
    /// Nobody waits for an answer.
    Rollback,
}

enum Answer {
    /// Whole rows, one after the other.
    Rows(Vec<Owned>, usize),
    Done(Result<Done>),
}

/// A [`Call`] that can travel.
struct OwnedCall {
    sql: String,
    values: Vec<Value<'static>>,
    parameters: Vec<Parameter>,
    writes: bool,
    keep: bool,
    session: bool,
    repeats: bool,
    single: bool,
    key_query: Option<String>,
}

impl OwnedCall {
    fn of(call: &Call<'_>) -> Self {
        let Call { sql, values, parameters, order: _, outputs: _, writes, keep, session, repeats, single, key_query } =
            *call;
        let values = values.iter().cloned().map(Value::into_owned).collect();
        let parameters = parameters.to_vec();
        let key_query = key_query.map(str::to_owned);
        Self { sql: sql.to_owned(), values, parameters, writes, keep, session, repeats, single, key_query }
    }

    /// The columns that come back are read at the caller's end.
    fn as_call(&self) -> Call<'_> {
        Call {
            sql: &self.sql,
            values: &self.values,
            parameters: &self.parameters,
            order: None,
            outputs: &[],
            writes: self.writes,
            keep: self.keep,
            session: self.session,
            repeats: self.repeats,
            single: self.single,
            key_query: self.key_query.as_deref(),
        }
    }
}

impl Connection {
    /// Opens a connection; gives how many values a statement may bind as well.
    pub(super) async fn open(options: &SqliteOptions) -> Result<(Self, usize)> {
        let (jobs, queue) = jobs::channel();
        let (mut opened, mut answer) = mpsc::channel(1);
        let options = options.clone();
        let in_transaction = Arc::new(AtomicBool::new(false));
        let state = Arc::clone(&in_transaction);
        let work = move || match inline::Connection::open(&options) {
            Ok(connection) => {
                let _ = opened.try_send(Ok((connection.interrupt_handle(), connection.max_parameters())));
                serve(connection, &queue, &state);
            }
            Err(error) => {
                let _ = opened.try_send(Err(error));
            }
        };
        let thread = std::thread::Builder::new().name("cormorant-sqlite".to_owned()).spawn(work).map_err(|error| {
            Error::new(ErrorKind::ConnectionLost, format!("no thread can be started for the connection: {error}"))
        })?;
        let (interrupt, max_parameters) = next(&mut answer).await.unwrap_or_else(|| Err(gone()))?;
        Ok((Self { jobs, thread, interrupt, in_transaction }, max_parameters))
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    pub(super) async fn run(&mut self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let (sender, receiver) = mpsc::channel(1);
        self.ask(Job::Run(OwnedCall::of(call), sender))?;
        self.answers(receiver, call.outputs, sink).await
    }

    pub(super) async fn control(&mut self, sql: &str) -> Result<()> {
        let (sender, receiver) = mpsc::channel(1);
        self.ask(Job::Control(sql.to_owned(), sender))?;
        self.answers(receiver, &[], &mut |_| Ok(())).await.map(|_| ())
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Acquire)
    }

    /// The rollback stands behind what still runs, and before whatever comes next.
    pub(super) fn rollback_now(&mut self) -> bool {
        self.ask(Job::Rollback).is_ok()
    }

    fn ask(&self, job: Job) -> Result<()> {
        self.jobs.send(job).map_err(|_| gone())
    }

    async fn answers(&self, receiver: mpsc::Receiver<Answer>, outputs: &[Output], sink: Sink<'_>) -> Result<Done> {
        let mut answers = Answers { receiver, interrupt: &self.interrupt, finished: false };
        loop {
            match next(&mut answers.receiver).await {
                Some(Answer::Rows(cells, width)) => {
                    for row in cells.chunks(width) {
                        sink(&mut Row::new(Cells::SqliteValues(row), outputs))?;
                    }
                }
                Some(Answer::Done(result)) => {
                    answers.finished = true;
                    return result;
                }
                None => return Err(gone()),
            }
        }
    }
}

/// Answers that are awaited. Given up, the statement is stopped: the next one need not wait for its end.
struct Answers<'a> {
    receiver: mpsc::Receiver<Answer>,
    interrupt: &'a InterruptHandle,
    finished: bool,
}

impl Drop for Answers<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.receiver.close();
            self.interrupt.interrupt();
        }
    }
}

async fn next<T>(receiver: &mut mpsc::Receiver<T>) -> Option<T> {
    std::future::poll_fn(|context| Pin::new(&mut *receiver).poll_next(context)).await
}

fn gone() -> Error {
    Error::new(ErrorKind::ConnectionLost, "the thread of the connection has ended")
}

/// The thread: does one job after the other, until nobody can ask for one.
fn serve(mut connection: inline::Connection, queue: &jobs::Receiver<Job>, in_transaction: &AtomicBool) {
    for job in queue {
        let (result, mut sender) = match job {
            Job::Rollback => {
                connection.rollback_now();
                in_transaction.store(connection.in_transaction(), Ordering::Release);
                continue;
            }
            Job::Control(sql, sender) => {
                let done = while_wanted(&sender.clone(), connection.control(&sql));
                (done.map(|()| Done::default()), sender)
            }
            Job::Run(call, mut sender) => (run(&mut connection, &call, &mut sender), sender),
        };
        in_transaction.store(connection.in_transaction(), Ordering::Release);
        let _ = send(&mut sender, Answer::Done(result));
    }
}

fn run(connection: &mut inline::Connection, call: &OwnedCall, sender: &mut mpsc::Sender<Answer>) -> Result<Done> {
    let mut cells = Vec::new();
    let mut width = 0;
    let caller = sender.clone();
    let mut sink = |row: &mut Row<'_>| {
        width = row.len();
        row.take_owned(&mut cells)?;
        if cells.len() >= CELLS {
            send(sender, Answer::Rows(std::mem::take(&mut cells), width))?;
        }
        Ok(())
    };
    let done = while_wanted(&caller, connection.run(&call.as_call(), &mut sink))?;
    if !cells.is_empty() {
        send(sender, Answer::Rows(cells, width))?;
    }
    Ok(done)
}

/// Does work, for as long as somebody waits for its answer: the wait for another process ends with theirs.
fn while_wanted<T>(caller: &mpsc::Sender<Answer>, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = pin!(work);
    wait(std::future::poll_fn(|context| match caller.is_closed() {
        true => Poll::Ready(Err(abandoned())),
        false => work.as_mut().poll(context),
    }))
}

/// Waits for room: a caller who reads slowly holds back the statement, not the memory.
fn send(sender: &mut mpsc::Sender<Answer>, answer: Answer) -> Result<()> {
    wait(std::future::poll_fn(|context| sender.poll_ready(context))).map_err(|_| abandoned())?;
    sender.start_send(answer).map_err(|_| abandoned())
}

fn abandoned() -> Error {
    Error::new(ErrorKind::Misuse, "nobody waits for the answer any more")
}
