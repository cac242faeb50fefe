//! `CASE`, and functions of the database.

use std::marker::PhantomData;

use cormorant_sql::{Buffer, Class, Symbol, Token};

use super::{Expr, IntoExpr, Operand, Predicate};
use crate::Field;

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
pub fn case<R, V: Operand<R>>(condition: Predicate<R>, value: V) -> Case<R, V::Is> {
    Case { buffer: Buffer::default(), branches: 0, mark: PhantomData }.when(condition, value.into_expr())
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

/// Starts a call of a function of the database's own. The name is part of the program's text and holds letters,
/// digits and underscores only.
///
/// ```
/// use cormorant::prelude::*;
/// # use cormorant::Dialect;
/// #[derive(Model)]
/// struct Item { id: i64, name: String }
///
/// let query = Item::filter(|i| func("soundex").arg(i.name()).returns::<String>().eq("R163"));
/// assert!(query.to_sql(Dialect::Postgres)?.contains(r#"soundex("name") = $1"#));
/// # Ok::<(), cormorant::Error>(())
/// ```
pub fn func<R>(name: &'static str) -> Func<R> {
    Func { name, buffer: Buffer::default(), operands: 0, mark: PhantomData }
}

/// A call of a function that is not finished: `arg` adds an operand, `returns` says the type of its value.
#[must_use = "a call ends with `returns`"]
pub struct Func<R> {
    name: &'static str,
    buffer: Buffer,
    operands: u8,
    mark: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for Func<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Func").field("name", &self.name).field("operands", &self.operands).finish_non_exhaustive()
    }
}

impl<R> Func<R> {
    /// One more operand: a column, an expression or a value.
    pub fn arg<V: Operand<R>>(mut self, operand: V) -> Self {
        self.buffer.append(operand.into_expr().buffer);
        self.operands = self.operands.saturating_add(1);
        self
    }

    /// The call, whose value is a `T`; an `Option` where it may be NULL.
    pub fn returns<T: Field>(mut self) -> Expr<R, T> {
        self.buffer.push(Token::Named(Symbol::of(self.name), self.operands, Class::of(T::TYPE)));
        Expr::new(self.buffer)
    }
}
