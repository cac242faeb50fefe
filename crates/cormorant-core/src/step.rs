//! Statements that are built before the first of them runs.

use cormorant_driver::{Call, Error, Failed, Part, Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Buffer, Kind, Statement, Token, Value};
use smallvec::SmallVec;

use crate::executor::{Target, statement};
use crate::{Transaction, problem};

/// A statement that writes, and what its values are.
#[derive(Debug)]
pub(crate) struct Step<'v> {
    pub(crate) kind: Kind,
    pub(crate) table: &'static TableDef,
    pub(crate) tokens: SmallVec<[Token; 16]>,
    pub(crate) values: Vec<Value<'v>>,
    /// The columns of the values, in order, row by row.
    pub(crate) columns: Vec<u16>,
    /// How many of them are written. By the others a row is found.
    pub(crate) written: usize,
}

/// What a statement did, and the keys that it gave back.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) rows: u64,
    pub(crate) keys: Vec<i64>,
}

impl Answer {
    fn take(&mut self, row: &mut Row<'_>) -> Result<()> {
        self.keys.push(row.read(|cell| cell.int())?);
        Ok(())
    }
}

impl Step<'static> {
    /// A statement whose first values are those of the columns that it writes.
    pub(crate) fn of(kind: Kind, table: &'static TableDef, buffer: Buffer, written: &[u16]) -> Self {
        Self {
            kind,
            table,
            tokens: buffer.tokens.into_iter().collect(),
            values: buffer.values.into_vec(),
            columns: written.to_vec(),
            written: written.len(),
        }
    }
}

impl Step<'_> {
    fn statement(&self) -> Statement<'_> {
        statement(self.kind, self.table, &self.tokens)
    }

    /// An error in terms of the model.
    #[cold]
    fn told(&self, error: Error) -> Error {
        // What a row is found by points at nothing that could be missing.
        let places = self.values.iter().zip((0..self.columns.len()).cycle());
        let written: Vec<Value<'_>> =
            places.map(|(value, place)| if place < self.written { value.clone() } else { Value::Null }).collect();
        problem::of_write(error, self.table, &self.columns, &written)
    }
}

/// What statements did, up to the first that failed, and its error.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Ran {
    answers: Vec<Answer>,
    failed: Option<Error>,
}

impl Ran {
    /// What was answered before anything failed: fewer rows than there should be are to be told first.
    pub(crate) fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// What all of them did.
    pub(crate) fn all(self) -> Result<Vec<Answer>> {
        match self.failed {
            None => Ok(self.answers),
            Some(error) => Err(error),
        }
    }
}

/// At most so many statements are sent together: each takes room until the last is answered.
const MOST_TOGETHER: usize = 100;

impl Target<'_> {
    /// Runs statements in their order, up to the first that fails. In a transaction, where the server takes one before
    /// the last is answered, they are sent together: those behind one that failed may have been done, and whoever runs
    /// them rolls back.
    pub(crate) async fn run_all(self, steps: &[Step<'_>]) -> Ran {
        let mut ran = Ran::default();
        match self {
            Self::Transaction(transaction) if steps.len() > 1 && self.dialect().pipelines() => {
                for steps in steps.chunks(MOST_TOGETHER) {
                    ran.failed = send_all(transaction, steps, &mut ran.answers).await.err();
                    if ran.failed.is_some() {
                        break;
                    }
                }
            }
            _ => {
                for step in steps {
                    let mut answer = Answer::default();
                    match self.run(&step.statement(), &step.values, &mut |row| answer.take(row)).await {
                        Ok(done) => answer.rows = done.rows,
                        Err(error) => {
                            ran.failed = Some(step.told(error));
                            break;
                        }
                    }
                    ran.answers.push(answer);
                }
            }
        }
        ran
    }
}

async fn send_all(transaction: &Transaction, steps: &[Step<'_>], answers: &mut Vec<Answer>) -> Result<()> {
    let shapes = steps.iter().map(|step| transaction.pool().shapes().get(&step.statement()));
    let shapes = shapes.collect::<Result<Vec<_>, _>>().map_err(Error::from_sql)?;
    let mut given: Vec<Answer> = steps.iter().map(|_| Answer::default()).collect();
    let mut sinks: Vec<_> = given.iter_mut().map(|answer| |row: &mut Row<'_>| answer.take(row)).collect();
    let calls = steps.iter().zip(&shapes).map(|(step, shape)| Call::new(shape, &step.values));
    let mut parts: Vec<Part<'_>> = calls.zip(&mut sinks).map(|(call, sink)| Part { call, sink, done: None }).collect();
    let result = transaction.call_all(&mut parts).await;
    let rows: Vec<u64> = parts.into_iter().map_while(|part| part.done).map(|done| done.rows).collect();
    answers.extend(given.into_iter().zip(rows).map(|(answer, rows)| Answer { rows, ..answer }));
    result.map_err(|Failed { at, error }| match steps.get(at) {
        Some(step) => step.told(error),
        None => error,
    })
}
