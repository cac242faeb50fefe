//! What a connection and those who share it have in common: the client, its prepared statements, and where the
//! server's transaction stands.

use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use tokio_postgres::{Client, RowStream, Statement};

use super::open::{self, Service};
use super::statements::Statements;
use super::transaction::Transaction;
use super::{Beginning, errors, types, values};
use crate::control::Control;
use crate::options::ServerOptions;
use crate::row::Cells;
use crate::runtime::Home;
use crate::{Call, Done, Error, ErrorKind, Failed, Part, Result, Row, Sink};

/// A session on a PostgreSQL server. Statements may be sent while others have not been answered: the server takes
/// them in their order.
#[derive(Debug)]
pub(crate) struct Session {
    /// Before the statements in order: once it is gone they are not closed one by one.
    client: Client,
    statements: Mutex<Statements>,
    transaction: Mutex<Transaction>,
    home: Home,
    service: Service,
}

impl Session {
    pub(super) async fn open(options: &ServerOptions, timeout: Duration) -> Result<Self> {
        let home = Home::here()?;
        let (client, service) = open::open(options, timeout, &home).await?;
        Ok(Self { client, statements: Mutex::default(), transaction: Mutex::default(), home, service })
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.client.is_closed()
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.transaction().is_open()
    }

    fn transaction(&self) -> MutexGuard<'_, Transaction> {
        self.transaction.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn statements(&self) -> MutexGuard<'_, Statements> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the server to stop what it is doing, once a BEGIN before it is answered, and hangs up in the end.
    pub(crate) fn cancel(&self, beginning: Option<Beginning>) {
        self.service.cancel(self.client.cancel_token(), beginning, &self.home);
    }

    /// Runs a statement. Its rows are handed on as they come in.
    pub(crate) async fn run(&self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        values::check(call)?;
        let rows = self.start(call).await?;
        self.give(rows, call, sink).await
    }

    /// Runs a query of at most one row, which is handed on when the server has nothing more to say: until then nothing
    /// has happened, and it may be run again.
    pub(crate) async fn run_single(&self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        self.home.check_waiting()?;
        values::check(call)?;
        let mut rows = pin!(self.start(call).await?);
        let mut found = None;
        while let Some(row) = rows.try_next().await.map_err(|error| self.fault(error))? {
            found.get_or_insert(row);
        }
        match found {
            Some(row) => sink(&mut Row::new(Cells::Postgres(&row), call.outputs)).map(|()| Done::default()),
            None => Ok(Done::default()),
        }
    }

    /// Transaction control in the caller's words. They are prepared before they are sent as text, which may hold
    /// several statements: the server refuses to prepare those.
    pub(super) async fn control_by_hand(&self, sql: &str) -> Result<Done> {
        self.client.prepare(sql).await.map_err(|error| self.fault(error))?;
        self.control(sql).await.map(|()| Done::default())
    }

    /// Transaction control, which also keeps count of where the server stands.
    pub(super) async fn control(&self, sql: &str) -> Result<()> {
        let control = Control::of(sql);
        let poisoned = control == Control::Commit && self.transaction().is_failed();
        if control == Control::Commit && !self.in_transaction() {
            return Err(Error::new(
                ErrorKind::Misuse,
                "there is no transaction to commit: a statement inside it has ended it; let the transaction end itself",
            ));
        }
        self.transaction().sending(control);
        // The server would answer COMMIT with success, and roll back.
        let result = self.client.batch_execute(if poisoned { "ROLLBACK" } else { sql }).await;
        self.transaction().answered(control, result.is_ok());
        let result = result.map_err(|error| self.fault(error));
        if poisoned {
            // Also when the connection was lost: nothing was committed.
            return Err(Error::new(
                ErrorKind::TransactionPoisoned,
                "the transaction failed earlier and was rolled back: end it at its first error, or make what may fail a nested one",
            ));
        }
        result
    }

    /// Sends a statement. One whose plan no longer fits was not executed: it is sent once more, unless it has failed
    /// a transaction.
    async fn start(&self, call: &Call<'_>) -> Result<RowStream> {
        let mut may_repeat = true;
        loop {
            match self.send(call).await {
                Err(error) if error.kind() == ErrorKind::PreparedPlanChanged => {
                    self.statements().forget(call.sql);
                    if self.in_transaction() || !mem::take(&mut may_repeat) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    async fn send(&self, call: &Call<'_>) -> Result<RowStream> {
        let statement = self.statement(call).await?;
        self.query(&statement, call).await
    }

    /// Runs statements in their order: all of them are sent before the first is answered. `answers` gets when each was.
    pub(super) async fn run_all(&self, parts: &mut [Part<'_>], answers: &mut Vec<Instant>) -> Result<(), Failed> {
        // Copied, since a sink cannot be lent to another thread.
        let calls: Vec<Call<'_>> = parts.iter().map(|part| part.call).collect();
        let mut statements = Vec::with_capacity(calls.len());
        for (at, call) in calls.iter().enumerate() {
            let told = |error| Failed { at, error };
            values::check(call).map_err(told)?;
            statements.push(self.statement(call).await.map_err(told)?);
        }
        let run = async |part: &mut Part<'_>, statement: &Statement| {
            let rows = self.query(statement, &part.call).await?;
            part.done = Some(self.give(rows, &part.call, part.sink).await?);
            Ok(())
        };
        let mut running: Vec<_> =
            parts.iter_mut().zip(&statements).map(|(part, statement)| Box::pin(run(part, statement))).collect();
        // The first poll of each sends it. Behind one that has no form for the wire nothing is sent.
        let mut sent = Vec::with_capacity(running.len());
        poll_fn(|context| {
            for run in &mut running {
                let answer = run.as_mut().poll(context);
                let failed = matches!(answer, Poll::Ready(Err(_)));
                sent.push(answer);
                if failed {
                    break;
                }
            }
            Poll::Ready(())
        })
        .await;
        // Whatever fails, the rest of what was sent is answered too.
        let mut result = Ok(());
        for (at, (run, answer)) in running.into_iter().zip(sent).enumerate() {
            let answer = match answer {
                Poll::Ready(answer) => answer,
                Poll::Pending => run.await,
            };
            answers.push(Instant::now());
            result = result.and(answer.map_err(|error| Failed { at, error }));
        }
        if matches!(&result, Err(failed) if failed.error.kind() == ErrorKind::PreparedPlanChanged) {
            // Of those behind it nobody knows: the server has not looked at them.
            calls.iter().for_each(|call| self.statements().forget(call.sql));
        }
        result
    }

    /// The prepared statement for a call.
    async fn statement(&self, call: &Call<'_>) -> Result<Statement> {
        let kept = if call.keep { self.statements().get(call) } else { None };
        let statement = match kept {
            Some(statement) => statement,
            // Apart, so that the future of every statement need not have room for it.
            None => Box::pin(self.prepare(call)).await?,
        };
        let (takes, given) = (statement.params().len(), call.values.len());
        if takes != given {
            return Err(Error::new(
                ErrorKind::Misuse,
                format!("the statement takes {takes} values and {given} were given: give one for each placeholder"),
            ));
        }
        Ok(statement)
    }

    async fn query(&self, statement: &Statement, call: &Call<'_>) -> Result<RowStream> {
        self.client.query_raw(statement, values::bound(call.values)).await.map_err(|error| self.fault(error))
    }

    /// A statement that is not kept is prepared all the same. tokio-postgres has a way with one round trip, but it
    /// waits for ever when a result is long and has a column of a type, such as an enum, that it has to look up.
    async fn prepare(&self, call: &Call<'_>) -> Result<Statement> {
        if call.sql.contains('\0') {
            return Err(Error::new(ErrorKind::Misuse, "SQL cannot hold NUL"));
        }
        let types: Vec<_> = types::declared(call).collect();
        let statement = self.client.prepare_typed(call.sql, &types).await.map_err(|error| self.fault(error))?;
        if call.keep {
            self.statements().put(call, statement.clone());
        }
        Ok(statement)
    }

    /// Hands rows on. After one was refused the rest is still read, so that the next statement finds the connection,
    /// and what is known about the transaction, in order.
    async fn give(&self, rows: RowStream, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        let mut rows = pin!(rows);
        let mut refused = None;
        loop {
            match rows.try_next().await {
                Ok(Some(row)) if refused.is_none() => {
                    refused = sink(&mut Row::new(Cells::Postgres(&row), call.outputs)).err();
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    let error = self.fault(error);
                    return Err(refused.unwrap_or(error));
                }
            }
        }
        match refused {
            Some(error) => Err(error),
            // Of a SELECT the server counts the rows it gave.
            None if !call.writes => Ok(Done::default()),
            None => Ok(Done { rows: rows.rows_affected().unwrap_or(0), key: None }),
        }
    }

    /// Classifies an error, and notes what it leaves behind.
    fn fault(&self, error: tokio_postgres::Error) -> Error {
        if error.as_db_error().is_some() {
            self.transaction().failed();
        }
        let error = errors::classify(error, self.service.ending());
        if error.is_connection_lost() {
            self.service.abort();
        }
        error
    }
}
