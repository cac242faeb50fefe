//! Queries inside other queries.

use cormorant_sql::{Buffer, TableId, Token};

use super::{Output, Query, Rows};
use crate::relation::Plain;
use crate::{Expr, Mapper, Predicate};

/// Whether a query finds a row, as a condition of another query. Columns of that one are `.outer()` inside.
///
/// Related rows are asked with less: `u.posts().any(|p| …)`.
///
/// # Rows that no relation leads to
/// ```
/// use cormorant::expr::exists;
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Guest { id: i64, email: String }
///
/// #[derive(Model)]
/// struct Ban { id: i64, email: String }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Guest, Ban]).wait()?;
/// let welcome = Guest::filter(|g| !exists(Ban::filter(|b| b.email().eq(g.email().outer()))));
/// assert_eq!(welcome.count(&db).wait()?, 0);
/// # Ok(())
/// # }
/// ```
pub fn exists<R, M: Mapper, O: Output>(query: Query<M, O>) -> Predicate<R> {
    query.nested(true)
}

impl<M: Mapper, T: Plain> Query<M, Rows<T>> {
    /// The value of its first row, as an expression of another query; NULL where it finds none.
    ///
    /// # A value from elsewhere
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Item { id: i64, shop: String, price: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// let dearest = Item::filter(|i| {
    ///     let of_shop = Item::filter(|other| other.shop().eq(i.shop().outer()));
    ///     i.price().eq(of_shop.select(|other| other.price().max()).value().or(0))
    /// });
    /// assert!(dearest.all(&db).wait()?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn value<R>(self) -> Expr<R, Option<T::Value>> {
        self.limit_to(1).nested(false)
    }
}

impl<M: Mapper, O: Output> Query<M, O> {
    /// The query as an expression.
    fn nested<R, T>(mut self, exists: bool) -> Expr<R, T> {
        self.settle();
        let mut buffer: Buffer = self.buffer;
        let tokens = u32::try_from(buffer.tokens.len()).unwrap_or(u32::MAX);
        buffer.push(Token::Subquery { table: TableId::of(M::TABLE), tokens, exists });
        Expr::new(buffer)
    }
}
