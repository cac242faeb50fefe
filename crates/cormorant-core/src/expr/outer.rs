//! An expression of the enclosing query, inside one that is nested in it.

use std::marker::PhantomData;

use cormorant_sql::Buffer;

use super::{Expr, IntoExpr, Operand};
use crate::Scalar;

/// An expression of the query around: [`Expr::outer`] makes it.
#[must_use = "an expression does nothing outside a query"]
pub struct Outer<R, T> {
    buffer: Buffer,
    mark: PhantomData<fn() -> (R, T)>,
}

impl<R, T> std::fmt::Debug for Outer<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.buffer.tokens).finish()
    }
}

impl<R, T> Expr<R, T> {
    /// This expression, inside a query over related rows. Two queries deeper it is `.outer().outer()`.
    ///
    /// # Comparing with the row around
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct User { id: i64, name: String, posts: HasMany<Post> }
    ///
    /// #[derive(Model)]
    /// struct Post { id: i64, user: ForeignKey<User>, title: String }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![User, Post]).wait()?;
    /// let namesakes = User::filter(|u| u.posts().any(|p| p.title().eq(u.name().outer()))).count(&db).wait()?;
    /// assert_eq!(namesakes, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn outer(self) -> Outer<R, T> {
        Outer { buffer: self.buffer, mark: PhantomData }.outer()
    }
}

impl<R, T> Outer<R, T> {
    /// The same, one query deeper.
    pub fn outer(mut self) -> Self {
        self.buffer.outward();
        self
    }
}

impl<R, Q, T> IntoExpr<Q, T> for Outer<R, T> {
    fn into_expr(self) -> Expr<Q, T> {
        Expr::new(self.buffer)
    }
}

/// One that is never NULL beside one that may be.
impl<R, Q, T: Scalar> IntoExpr<Q, Option<T>> for Outer<R, T> {
    fn into_expr(self) -> Expr<Q, Option<T>> {
        Expr::new(self.buffer)
    }
}

impl<R, Q, T> Operand<Q> for Outer<R, T> {
    type Is = T;
}
