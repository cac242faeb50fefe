//! Running one statement.

use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Conn, DriverError, Error as Raw, Params, QueryResult, Value};

use super::statements::Statements;
use crate::row::Cells;
use crate::{Call, Done, Result, Row, Sink};

/// The statement cannot be prepared.
const UNSUPPORTED: u16 = 1295;
/// The server has forgotten the prepared statement, or it no longer fits the schema.
const FORGOTTEN: [u16; 2] = [1243, 1615];

/// Runs a statement. The outer error is the server's, the inner one is the sink's.
pub(super) async fn run(
    conn: &mut Conn,
    statements: &mut Statements,
    call: Call<'_>,
    values: Vec<Value>,
    sink: Sink<'_>,
) -> mysql_async::Result<Result<Done>> {
    let supplied = values.len();
    // mysql_async takes `:name` for a placeholder; given values by position it would close the connection.
    if supplied > 0 && !call.sql.contains('?') {
        return Err(DriverError::StmtParamsMismatch { required: 0, supplied }.into());
    }
    let known = statements.get(call.sql);
    let is_new = known.is_none();
    let statement = match known {
        Some(statement) => statement,
        None => match conn.prep(call.sql).await {
            Err(Raw::Server(error)) if error.code == UNSUPPORTED && values.is_empty() => {
                return fetch(conn.query_iter(call.sql).await?, call, sink).await;
            }
            prepared => prepared?,
        },
    };
    let required = statement.num_params();
    if usize::from(required) != supplied {
        // Found by mysql_async it would cost the connection.
        statements.forget(call.sql);
        let _ = conn.close(statement).await;
        return Err(DriverError::StmtParamsMismatch { required, supplied }.into());
    }
    if call.keep
        && is_new
        && let Some(oldest) = statements.put(call.sql, statement.clone())
    {
        conn.close(oldest).await?;
    }
    let result = match conn.exec_iter(statement.clone(), Params::Positional(values)).await {
        Ok(result) => fetch(result, call, sink).await,
        Err(error) => Err(error),
    };
    let forgotten = matches!(&result, Err(Raw::Server(error)) if FORGOTTEN.contains(&error.code));
    if (!call.keep || forgotten) && !conn.is_disconnected() {
        statements.forget(call.sql);
        // The statement has had its result: where closing fails, the next statement finds the connection lost.
        let _ = conn.close(statement).await;
    }
    result
}

/// Hands the rows to the sink. After an error of the sink the rest is read and dropped.
async fn fetch<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    call: Call<'_>,
    sink: Sink<'_>,
) -> mysql_async::Result<Result<Done>> {
    let reads = !result.columns_ref().is_empty();
    let mut rows = 0;
    let mut refused = None;
    result
        .for_each(|row| {
            if refused.is_none() {
                rows += 1;
                refused = sink(&mut Row::new(Cells::MySql(&row), call.outputs)).err();
            }
        })
        .await?;
    let key = result.last_insert_id().filter(|key| *key != 0).and_then(|key| i64::try_from(key).ok());
    // RETURNING tells the rows it wrote by giving them back.
    let rows = if reads && call.writes { rows } else { result.affected_rows() };
    result.drop_result().await?;
    Ok(refused.map_or(Ok(Done { rows, key }), Err))
}
