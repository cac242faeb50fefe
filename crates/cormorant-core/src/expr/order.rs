//! Orders.

use std::marker::PhantomData;

use cormorant_sql::{Buffer, Nulls, Token};

use super::Expr;

/// An expression and a direction.
#[must_use = "an order does nothing outside `order_by`"]
pub struct Order<R> {
    expression: Buffer,
    descending: bool,
    nulls: Nulls,
    mark: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for Order<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order").field("descending", &self.descending).finish_non_exhaustive()
    }
}

impl<R, T> Expr<R, T> {
    /// From small to large.
    pub fn asc(self) -> Order<R> {
        Order { expression: self.buffer, descending: false, nulls: Nulls::Native, mark: PhantomData }
    }

    /// From large to small.
    pub fn desc(self) -> Order<R> {
        Order { expression: self.buffer, descending: true, nulls: Nulls::Native, mark: PhantomData }
    }
}

impl<R> Order<R> {
    /// NULL in front. Without a word about it NULL stands where the backend puts it, and an index can serve the order.
    pub fn nulls_first(mut self) -> Self {
        self.nulls = Nulls::First;
        self
    }

    /// NULL behind.
    pub fn nulls_last(mut self) -> Self {
        self.nulls = Nulls::Last;
        self
    }

    fn push(self, buffer: &mut Buffer) {
        buffer.append(self.expression);
        buffer.push(Token::OrderBy { descending: self.descending, nulls: self.nulls });
    }
}

/// What `order_by` takes: an order, or several in a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an order",
    label = "expected `.asc()` or `.desc()` of a column, or a tuple of them"
)]
pub trait IntoOrder<R> {
    /// Appends it to a query.
    #[doc(hidden)]
    fn push_order(self, buffer: &mut Buffer);
}

impl<R> IntoOrder<R> for Order<R> {
    fn push_order(self, buffer: &mut Buffer) {
        self.push(buffer);
    }
}

macro_rules! tuples {
    ($($name:ident $place:tt)*) => {
        impl<R, $($name: IntoOrder<R>),*> IntoOrder<R> for ($($name,)*) {
            fn push_order(self, buffer: &mut Buffer) {
                $(self.$place.push_order(buffer);)*
            }
        }
    };
}

tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);
tuples!(A 0 B 1 C 2 D 3 E 4);
