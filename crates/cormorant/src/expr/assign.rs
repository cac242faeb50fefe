//! Assignments, for updates by query.

use std::marker::PhantomData;

use cormorant_sql::{Buffer, Token};

use super::{Expr, IntoExpr};

/// A column and its new value.
#[must_use = "an assignment does nothing outside `update`"]
pub struct Assign<R> {
    value: Buffer,
    column: u16,
    mark: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for Assign<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assign").field("column", &self.column).finish_non_exhaustive()
    }
}

/// The position of no column: rendering refuses it.
const NO_COLUMN: u16 = u16::MAX;

impl<R, T> Expr<R, T> {
    /// Sets this column, which has to be one of the updated table, to a value or an expression.
    pub fn set(self, value: impl IntoExpr<R, T>) -> Assign<R> {
        let column = match self.buffer.tokens.as_slice() {
            [Token::Column { via, column, outer: 0 }] if via.is_root() => *column,
            _ => NO_COLUMN,
        };
        Assign { value: value.into_expr().buffer, column, mark: PhantomData }
    }
}

/// What `update` takes: an assignment, or several in a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an assignment",
    label = "expected `.set(…)` of a column, or a tuple of them"
)]
pub trait IntoAssigns<R> {
    /// Appends it to a query.
    #[doc(hidden)]
    fn push_assigns(self, buffer: &mut Buffer);
}

impl<R> IntoAssigns<R> for Assign<R> {
    fn push_assigns(self, buffer: &mut Buffer) {
        buffer.append(self.value);
        buffer.push(Token::Set(self.column));
    }
}

impl<R, A: IntoAssigns<R>> IntoAssigns<R> for Vec<A> {
    fn push_assigns(self, buffer: &mut Buffer) {
        for assign in self {
            assign.push_assigns(buffer);
        }
    }
}

macro_rules! tuples {
    ($($name:ident $place:tt)*) => {
        impl<R, $($name: IntoAssigns<R>),*> IntoAssigns<R> for ($($name,)*) {
            fn push_assigns(self, buffer: &mut Buffer) {
                $(self.$place.push_assigns(buffer);)*
            }
        }
    };
}

tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);
tuples!(A 0 B 1 C 2 D 3 E 4);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5);
