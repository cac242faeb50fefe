//! What a query gives.

use std::marker::PhantomData;

use cormorant_driver::{Result, Row};
use cormorant_sql::{Buffer, Token};

use crate::expr::IntoExpr;
use crate::{Expr, Field, FromRow};

/// What `select` takes: an expression, the path itself (a whole record), a struct's `columns(…)`, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected from `{R}`",
    label = "expected a column, an expression, the path itself, or a tuple of them"
)]
pub trait Selectable<R> {
    /// What it becomes.
    type Row;

    /// Appends it to a query.
    #[doc(hidden)]
    fn push(self, buffer: &mut Buffer);

    /// Reads it from a row.
    #[doc(hidden)]
    fn load(row: &mut Row<'_>) -> Result<Self::Row>;
}

impl<R, T: Field> Selectable<R> for Expr<R, T> {
    type Row = T;

    fn push(self, buffer: &mut Buffer) {
        buffer.append(self.buffer);
        buffer.push(Token::Select);
    }

    #[inline]
    fn load(row: &mut Row<'_>) -> Result<T> {
        T::load(row)
    }
}

macro_rules! tuples {
    ($($name:ident $place:tt)*) => {
        #[diagnostic::do_not_recommend]
        impl<R, $($name: Groupable<R>),*> Groupable<R> for ($($name,)*) {
            fn push_group(self, buffer: &mut Buffer) {
                $(self.$place.push_group(buffer);)*
            }
        }

        impl<R, $($name: Selectable<R>),*> Selectable<R> for ($($name,)*) {
            type Row = ($($name::Row,)*);

            fn push(self, buffer: &mut Buffer) {
                $(self.$place.push(buffer);)*
            }

            #[inline]
            fn load(row: &mut Row<'_>) -> Result<Self::Row> {
                Ok(($($name::load(row)?,)*))
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);
tuples!(A 0 B 1 C 2 D 3 E 4);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);

/// What `group_by` takes: a column or another expression, or a tuple of them.
///
/// A path is none: the rows of a group have one value of what they are grouped by, and a whole row has many.
#[diagnostic::on_unimplemented(
    message = "rows cannot be grouped by `{Self}`",
    label = "expected a column, an expression, or a tuple of them",
    note = "a related row is told by its key: `.group_by(|b| b.author().id())`, or by several of its columns"
)]
pub trait Groupable<R> {
    /// Appends it to a query.
    #[doc(hidden)]
    fn push_group(self, buffer: &mut Buffer);
}

impl<R, T: Field> Groupable<R> for Expr<R, T> {
    fn push_group(self, buffer: &mut Buffer) {
        buffer.append(self.buffer);
        buffer.push(Token::GroupBy);
    }
}

/// The expressions that make a struct: what its `columns(…)` gives.
#[must_use = "a selection does nothing outside `select`"]
pub struct Selection<R, T> {
    buffer: Buffer,
    mark: PhantomData<fn() -> (R, T)>,
}

impl<R, T> std::fmt::Debug for Selection<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.buffer.tokens).finish()
    }
}

impl<R, T> Selection<R, T> {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "derived code is its only caller")]
    pub fn new() -> Self {
        Self { buffer: Buffer::default(), mark: PhantomData }
    }

    #[doc(hidden)]
    pub fn add<U>(&mut self, expression: impl IntoExpr<R, U>) {
        self.buffer.append(expression.into_expr().buffer);
        self.buffer.push(Token::Select);
    }
}

impl<R, T: FromRow> Selectable<R> for Selection<R, T> {
    type Row = T;

    fn push(self, buffer: &mut Buffer) {
        buffer.append(self.buffer);
    }

    fn load(row: &mut Row<'_>) -> Result<T> {
        T::from_row(row)
    }
}
