//! Terminals that write by query, without loading a row.

use cormorant_driver::Result;
use cormorant_sql::{Kind, Route};

use super::Query;
use crate::expr::IntoAssigns;
use crate::{Executor, Mapper, PathOf, executor, problem};

impl<M: Mapper> Query<M, M> {
    /// Sets columns of every row the query finds; gives the number of rows found.
    ///
    /// No hook and no validation runs: the database's own constraints hold. Every assignment sees the row as it was.
    ///
    /// # Setting columns and foreign keys
    /// ```
    /// use cormorant::prelude::*;
    /// #[derive(Model)]
    /// struct Author { id: i64 }
    ///
    /// #[derive(Model)]
    /// struct Book { id: i64, author: ForeignKey<Author>, editor: Option<ForeignKey<Author>>, sold: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Author, Book]).wait()?;
    /// let ann = Record::insert(Author { id: 0 }, &db).wait()?;
    /// Book::filter(|b| b.sold().lt(3))
    ///     .update(&db, |b| (b.author().set(&ann), b.editor().set(None), b.sold().set(b.sold() + 1)))
    ///     .wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The database's. [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a column that is none of this
    /// table, and on MySQL for an assignment that reads what one before it sets.
    pub async fn update<A: IntoAssigns<M>>(
        mut self,
        db: &impl Executor,
        assigns: impl FnOnce(PathOf<M>) -> A,
    ) -> Result<u64> {
        assigns(M::path(Route::ROOT)).push_assigns(&mut self.buffer);
        self.write(Kind::Update, db).await
    }

    /// Deletes every row the query finds; gives their number.
    ///
    /// # Errors
    /// The database's: [`ErrorKind::ForeignKey`](crate::ErrorKind::ForeignKey) when a row is still pointed at.
    pub async fn delete(self, db: &impl Executor) -> Result<u64> {
        self.write(Kind::Delete, db).await
    }

    pub(crate) async fn write(mut self, kind: Kind, db: &impl Executor) -> Result<u64> {
        self.settle();
        let statement = executor::statement(kind, M::TABLE, &self.buffer.tokens);
        match db.target().run(&statement, &self.buffer.values, &mut executor::no_rows).await {
            Ok(done) => Ok(done.rows),
            Err(error) => Err(problem::of_write(error, M::TABLE, &[], &[])),
        }
    }
}
