//! Terminals that read.

use cormorant_driver::{Error, Result, Row, Sink};
use cormorant_sql::{Buffer, Kind, Token};

use super::{Fetch, Output, Query, lock, not_found, several};
use crate::executor::Target;
use crate::{Executor, Mapper, executor};

impl<M: Mapper, O: Output> Query<M, O> {
    /// Every row.
    ///
    /// # Errors
    /// The database's, and [`ErrorKind::Decode`](crate::ErrorKind::Decode) when a row is not what the type says.
    pub async fn all(mut self, db: &impl Executor) -> Result<Vec<O::Row>>
    where
        O: Fetch,
    {
        self.settle();
        let mut rows = Vec::new();
        let loader = self.loader;
        let mut sink = |row: &mut Row<'_>| {
            rows.push(O::load(loader, row)?);
            Ok(())
        };
        run::<M>(Kind::Select, &self.buffer, db.target(), &mut sink).await?;
        if let Some(plan) = &self.plan {
            O::fill(plan, db.target(), &mut rows).await?;
        }
        Ok(rows)
    }

    /// The first row, in the query's order or by key.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn first(mut self, db: &impl Executor) -> Result<Option<O::Row>>
    where
        O: Fetch,
    {
        self.order_by_key(false);
        Ok(self.limit_to(1).all(db).await?.pop())
    }

    /// The last row, in the query's order or by key.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub async fn last(mut self, db: &impl Executor) -> Result<Option<O::Row>>
    where
        O: Fetch,
    {
        if self.buffer.has(|token| matches!(token, Token::Limit | Token::Offset)) {
            // The last of the rows that are left, which the reverse order would not leave.
            self.order_by_key(false);
            return Ok(self.all(db).await?.pop());
        }
        if self.buffer.has(|token| matches!(token, Token::OrderBy { .. })) {
            self.reverse();
        } else {
            self.order_by_key(true);
        }
        Ok(self.limit_to(1).all(db).await?.pop())
    }

    /// The one row.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none, [`ErrorKind::MultipleRows`](crate::ErrorKind::MultipleRows) when there are several.
    pub async fn one(self, db: &impl Executor) -> Result<O::Row>
    where
        O: Fetch,
    {
        self.optional(db).await?.ok_or_else(|| not_found(M::NAME))
    }

    /// The one row, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::MultipleRows`](crate::ErrorKind::MultipleRows) when there are several.
    pub async fn optional(self, db: &impl Executor) -> Result<Option<O::Row>>
    where
        O: Fetch,
    {
        let mut rows = self.limit_to(2).all(db).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            _ => Err(several(M::NAME)),
        }
    }

    /// How many rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(mut self, db: &impl Executor) -> Result<u64> {
        self.settle();
        let mut count = 0;
        let mut sink = |row: &mut Row<'_>| {
            count = row.read(|cell| cell.int())?.unsigned_abs();
            Ok(())
        };
        run::<M>(Kind::Count, &self.buffer, db.target(), &mut sink).await?;
        Ok(count)
    }

    /// Whether there is a row.
    ///
    /// # Errors
    /// The database's.
    pub async fn exists(mut self, db: &impl Executor) -> Result<bool> {
        self.settle();
        let mut exists = false;
        let mut sink = |row: &mut Row<'_>| {
            exists = row.read(|cell| cell.bool())?;
            Ok(())
        };
        run::<M>(Kind::Exists, &self.buffer, db.target(), &mut sink).await?;
        Ok(exists)
    }

    /// How the database would find the rows, in its own words.
    ///
    /// # Errors
    /// The database's.
    pub async fn explain(mut self, db: &impl Executor) -> Result<String> {
        let target = db.target();
        self.settle();
        let statement = executor::statement(Kind::Select, M::TABLE, &self.buffer.tokens);
        let compiled = target.pool().shapes().get(&statement).map_err(Error::from_sql)?;
        let sql = format!("{} {}", target.dialect().explain(), compiled.sql);
        let mut call = cormorant_driver::Call::new(&compiled, &self.buffer.values);
        (call.sql, call.outputs, call.keep) = (&sql, &[], false);
        let mut plan = String::new();
        target
            .call(&call, &mut |row| {
                let cells = (0..row.len()).map(|_| row.read(|cell| Ok(cell.to_text()))).collect::<Result<Vec<_>>>()?;
                plan.push_str(cells.join("\t").trim_end());
                plan.push('\n');
                Ok(())
            })
            .await?;
        Ok(plan)
    }

    fn reverse(&mut self) {
        use cormorant_sql::Nulls;
        let own: Vec<usize> = self.buffer.own().map(|(at, _)| at).collect();
        for at in own {
            if let Some(Token::OrderBy { descending, nulls }) = self.buffer.tokens.get_mut(at) {
                *descending = !*descending;
                *nulls = match nulls {
                    Nulls::Native => Nulls::Native,
                    Nulls::First => Nulls::Last,
                    Nulls::Last => Nulls::First,
                };
            }
        }
    }
}

#[inline]
pub(super) async fn run<M: Mapper>(kind: Kind, buffer: &Buffer, target: Target<'_>, sink: Sink<'_>) -> Result<()> {
    if let Some(locking) = lock::asked(&buffer.tokens) {
        lock::ready(locking, target).await.map_err(|error| error.with_model(M::NAME))?;
    }
    let statement = executor::statement(kind, M::TABLE, &buffer.tokens);
    match target.run(&statement, &buffer.values, sink).await {
        Ok(_) => Ok(()),
        Err(error) => Err(crate::problem::of_query(error, M::TABLE)),
    }
}
