//! Assignments, for updates by query.

use std::marker::PhantomData;

use cormorant_sql::{Buffer, Route, Token};

use super::{Expr, IntoExpr};

/// A column and its new value, or a foreign key's columns and theirs.
#[must_use = "an assignment does nothing outside `update`"]
pub struct Assign<R> {
    /// Each value, and the clause that sets a column to it.
    buffer: Buffer,
    mark: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for Assign<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.buffer.tokens).finish()
    }
}

impl<R> Assign<R> {
    /// Columns, or what `set` was called on instead, which rendering refuses; and the value of each.
    pub(crate) fn of(values: impl IntoIterator<Item = (Token, Buffer)>) -> Self {
        let mut buffer = Buffer::default();
        for (target, value) in values {
            buffer.append(value);
            buffer.push(match target {
                Token::Column { via, column, outer: 0 } if via.is_root() => Token::Set(column),
                Token::Column { via, column, outer: 0 } => Token::SetVia(via, column),
                _ => Token::Set(u16::MAX),
            });
        }
        Self { buffer, mark: PhantomData }
    }
}

impl<R, T> Expr<R, T> {
    /// Sets this column to a value or an expression. It has to be one of the updated table: the key of a related row
    /// is, as the foreign key to it, `b.author().id().set(2)`.
    ///
    /// Expressions see the row as it was before the update.
    pub fn set(self, value: impl IntoExpr<R, T>) -> Assign<R> {
        let target = match self.buffer.tokens.as_slice() {
            [column] => *column,
            _ => NO_COLUMN,
        };
        Assign::of([(target, value.into_expr().buffer)])
    }
}

/// Stands for a calculation, which cannot be set.
const NO_COLUMN: Token = Token::Column { via: Route::ROOT, column: u16::MAX, outer: 0 };

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
        buffer.append(self.buffer);
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
