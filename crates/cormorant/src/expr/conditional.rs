//! `CASE`, and functions of the database.

use std::marker::PhantomData;

use cormorant_sql::{Buffer, Symbol, Token};

use super::{Expr, IntoExpr, Predicate};

/// Starts a `CASE`: the value of the first condition that holds.
///
/// ```
/// use cormorant::prelude::*;
/// # use cormorant::Dialect;
/// #[derive(Model)]
/// struct Item { id: i64, stock: i64 }
///
/// let query = Item::query().select(|i| case(i.stock().gt(10), "many").when(i.stock().gt(0), "few").otherwise("none"));
/// assert!(query.to_sql(Dialect::Sqlite)?.starts_with("SELECT CASE WHEN"));
/// # Ok::<(), cormorant::Error>(())
/// ```
pub fn case<R, T: Coalesced>(condition: Predicate<R>, value: impl IntoExpr<R, T::Is>) -> Case<R, T::Is>
where
    T: Coalesced<Is = T>,
{
    Case { buffer: Buffer::default(), branches: 0, mark: PhantomData }.when(condition, value)
}

/// A type of value that `case` can infer.
pub trait Coalesced {
    /// Itself.
    type Is;
}

impl<T: crate::Scalar> Coalesced for T {
    type Is = T;
}

/// A `CASE` that is not finished: `when` adds a branch, `otherwise` ends it.
#[must_use = "a CASE ends with `otherwise`"]
pub struct Case<R, T> {
    buffer: Buffer,
    branches: u8,
    mark: PhantomData<fn() -> (R, T)>,
}

impl<R, T> std::fmt::Debug for Case<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case").field("branches", &self.branches).finish_non_exhaustive()
    }
}

impl<R, T> Case<R, T> {
    /// The value where this condition holds and none before it does.
    pub fn when(mut self, condition: Predicate<R>, value: impl IntoExpr<R, T>) -> Self {
        self.buffer.append(condition.buffer);
        self.buffer.append(value.into_expr().buffer);
        self.branches = self.branches.saturating_add(1);
        self
    }

    /// The value where no condition holds.
    pub fn otherwise(mut self, value: impl IntoExpr<R, T>) -> Expr<R, T> {
        self.buffer.append(value.into_expr().buffer);
        self.buffer.push(Token::Case { branches: self.branches, otherwise: true });
        Expr::new(self.buffer)
    }
}

/// A function of the database's own, of one operand. The name is part of the program's text and holds letters,
/// digits and underscores only; say the type of its value.
///
/// ```
/// use cormorant::prelude::*;
/// # use cormorant::Dialect;
/// #[derive(Model)]
/// struct Item { id: i64, name: String }
///
/// let query = Item::filter(|i| func::<_, _, String>("soundex", i.name()).eq("R163"));
/// assert!(query.to_sql(Dialect::Postgres)?.contains(r#"soundex("name") = $1"#));
/// # Ok::<(), cormorant::Error>(())
/// ```
pub fn func<R, T, U>(name: &'static str, operand: Expr<R, T>) -> Expr<R, U> {
    operand.then(Token::Named(Symbol::of(name), 1))
}
