//! Running one statement.

use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Conn, DriverError, Error as Raw, Params, QueryResult, Statement, Value};

use super::statements::Statements;
use crate::row::Cells;
use crate::{Call, Done, Result, Row, Sink};

/// The statement cannot be prepared.
const UNSUPPORTED: u16 = 1295;
/// The server has forgotten the prepared statement, or it no longer fits the schema.
const FORGOTTEN: [u16; 2] = [1243, 1615];

/// Runs a statement. The outer error is the server's, the inner one is the sink's.
///
/// What is long and what happens seldom is boxed: the future of every statement need not have room for it.
pub(super) async fn run(
    conn: &mut Conn,
    statements: &mut Statements,
    call: &Call<'_>,
    values: Vec<Value>,
    sink: Sink<'_>,
) -> mysql_async::Result<Result<Done>> {
    let supplied = values.len();
    // mysql_async takes `:name` for a placeholder; given values by position it would close the connection.
    if supplied > 0 && !call.sql.contains('?') {
        return Err(DriverError::StmtParamsMismatch { required: 0, supplied }.into());
    }
    let statement = match statements.get(call.sql) {
        Some(statement) => statement,
        None => match Box::pin(prepare(conn, statements, call, supplied)).await? {
            Some(statement) => statement,
            None => return Box::pin(run_as_text(conn, call, sink)).await,
        },
    };
    let required = statement.num_params();
    if usize::from(required) != supplied {
        // Found by mysql_async it would cost the connection.
        Box::pin(close(conn, statements, call, statement)).await;
        return Err(DriverError::StmtParamsMismatch { required, supplied }.into());
    }
    let result = match conn.exec_iter(&statement, Params::Positional(values)).await {
        Ok(result) => fetch(result, call, sink).await,
        Err(error) => Err(error),
    };
    let forgotten = matches!(&result, Err(Raw::Server(error)) if FORGOTTEN.contains(&error.code));
    if (!call.keep || forgotten) && !conn.is_disconnected() {
        Box::pin(close(conn, statements, call, statement)).await;
    }
    result
}

/// Prepares a statement, and keeps it where it will come again. `None` where the server can only run it as text.
async fn prepare(
    conn: &mut Conn,
    statements: &mut Statements,
    call: &Call<'_>,
    supplied: usize,
) -> mysql_async::Result<Option<Statement>> {
    let statement = match conn.prep(call.sql).await {
        Err(Raw::Server(error)) if error.code == UNSUPPORTED && supplied == 0 => return Ok(None),
        prepared => prepared?,
    };
    if call.keep
        && usize::from(statement.num_params()) == supplied
        && let Some(oldest) = statements.put(call.sql, statement.clone())
    {
        conn.close(oldest).await?;
    }
    Ok(Some(statement))
}

async fn run_as_text(conn: &mut Conn, call: &Call<'_>, sink: Sink<'_>) -> mysql_async::Result<Result<Done>> {
    fetch(conn.query_iter(call.sql).await?, call, sink).await
}

/// Closes a statement that has had its result: where that fails, the next one finds the connection lost.
async fn close(conn: &mut Conn, statements: &mut Statements, call: &Call<'_>, statement: Statement) {
    statements.forget(call.sql);
    let _ = conn.close(statement).await;
}

/// Hands the rows to the sink. After an error of the sink the rest is read and dropped.
async fn fetch<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    call: &Call<'_>,
    sink: Sink<'_>,
) -> mysql_async::Result<Result<Done>> {
    let reads = !result.columns_ref().is_empty();
    let mut rows = 0;
    let mut refused = None;
    let give = |row| {
        if refused.is_none() {
            rows += 1;
            refused = sink(&mut Row::new(Cells::MySql(&row), call.outputs)).err();
        }
    };
    Box::pin(result.for_each(give)).await?;
    let key = result.last_insert_id().filter(|key| *key != 0).and_then(|key| i64::try_from(key).ok());
    // RETURNING tells the rows it wrote by giving them back.
    let rows = if reads && call.writes { rows } else { result.affected_rows() };
    // A procedure may give more than one result.
    if !result.is_empty() {
        Box::pin(result.drop_result()).await?;
    }
    Ok(refused.map_or(Ok(Done { rows, key }), Err))
}
