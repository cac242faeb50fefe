//! Expressions: what a query says about columns and values.
//!
//! An expression is made by a path (`i.name()`), combined by methods and operators, and typed: `Expr<R, T>` belongs
//! to queries that start at `R` and has values of type `T`. Building one appends tokens to a buffer; nothing is
//! written as SQL before a query runs.

mod aggregate;
mod assign;
mod bind;
mod compare;
mod conditional;
mod number;
mod order;
mod outer;
mod text;
mod time;

use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use cormorant_sql::{Binary, Buffer, Route, Token, Unary};

pub use crate::query::exists;
pub use aggregate::{Numeric, count};
pub use assign::{Assign, IntoAssigns};
pub use bind::{IntoExpr, Operand};
pub use conditional::{Case, Func, case, func};
pub use number::Arithmetic;
pub use order::{IntoOrder, Order};
pub use outer::Outer;
pub use text::Text;
pub use time::{HasDate, HasTime};

/// An expression in a query that starts at `R`, with values of type `T`.
#[must_use = "an expression does nothing outside a query"]
pub struct Expr<R, T> {
    pub(crate) buffer: Buffer,
    mark: PhantomData<fn() -> (R, T)>,
}

/// A condition on rows of `R`.
pub type Predicate<R> = Expr<R, bool>;

impl<R, T> Clone for Expr<R, T> {
    fn clone(&self) -> Self {
        Self::new(self.buffer.clone())
    }
}

impl<R, T> std::fmt::Debug for Expr<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.buffer.tokens).finish()
    }
}

impl<R, T> Expr<R, T> {
    #[inline]
    pub(crate) fn new(buffer: Buffer) -> Self {
        Self { buffer, mark: PhantomData }
    }

    /// A column of the table at the end of a route: what the path of a mapper written by hand gives. `T` is what the
    /// column holds.
    #[inline]
    pub fn column(via: Route, column: u16) -> Self {
        Self::new(Buffer::of(Token::Column { via, column, outer: 0 }))
    }

    /// This expression, then another token.
    #[inline]
    fn then<U>(mut self, token: Token) -> Expr<R, U> {
        self.buffer.push(token);
        Expr::new(self.buffer)
    }

    /// This expression and another, then what combines them.
    #[inline]
    fn with<U, V>(mut self, other: Expr<R, U>, token: Token) -> Expr<R, V> {
        self.buffer.append(other.buffer);
        self.then(token)
    }
}

/// `a & b`: both hold.
impl<R> BitAnd for Expr<R, bool> {
    type Output = Self;

    #[inline]
    fn bitand(self, other: Self) -> Self {
        self.with(other, Token::Binary(Binary::And))
    }
}

/// `a | b`: one of them holds.
impl<R> BitOr for Expr<R, bool> {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        self.with(other, Token::Binary(Binary::Or))
    }
}

/// `!a`: it does not hold. A row for which it is unknown, as NULL stands in it, is one for which it does not.
impl<R> Not for Expr<R, bool> {
    type Output = Self;

    fn not(self) -> Self {
        self.then(Token::Unary(Unary::Not))
    }
}
