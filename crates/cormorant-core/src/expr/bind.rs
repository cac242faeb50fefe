//! What a column can be compared with.

use cormorant_sql::{Buffer, Class, Token, Value};
use rust_decimal::Decimal;

use super::Expr;
use crate::Scalar;

/// What can stand beside an expression of type `T`: a value, another expression, or an `Option` where `T` is one.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` takes no `{Self}`",
    label = "expected `{T}`, or a column or expression of that type"
)]
pub trait IntoExpr<R, T> {
    /// Becomes the expression.
    fn into_expr(self) -> Expr<R, T>;

    /// Whether it is NULL for certain: comparing with it is asking for NULL.
    #[doc(hidden)]
    fn is_null(&self) -> bool {
        false
    }
}

/// What says by itself of which type it is: an expression, a value, a `&str`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of a column, nor an expression",
    label = "expected a plain value, a column or an expression"
)]
pub trait Operand<R>: IntoExpr<R, Self::Is> {
    /// Its type.
    type Is;
}

impl<R, T> Operand<R> for Expr<R, T> {
    type Is = T;
}

impl<R, T: Scalar> Operand<R> for T {
    type Is = T;
}

impl<R> Operand<R> for &str {
    type Is = String;
}

/// A value as an expression. One that no column can hold is an error when the query runs: NULL in its place would make
/// the condition unknown, and its opposite too, and the query would find other rows than it asks for.
pub(super) fn bind<R, T: Scalar, U>(value: &T) -> Expr<R, U> {
    bound(
        Class::of(T::TYPE),
        value.to_value().map_or_else(|unstorable| Value::Unstorable(unstorable.0.into()), Value::into_owned),
    )
}

pub(super) fn bound<R, U>(class: Class, value: Value<'static>) -> Expr<R, U> {
    Expr::new(Buffer::bind(Token::Bind(class), value))
}

impl<R, T> IntoExpr<R, T> for Expr<R, T> {
    #[inline]
    fn into_expr(self) -> Self {
        self
    }
}

/// A column that is never NULL beside one that may be.
impl<R, T: Scalar> IntoExpr<R, Option<T>> for Expr<R, T> {
    #[inline]
    fn into_expr(self) -> Expr<R, Option<T>> {
        Expr::new(self.buffer)
    }
}

/// An integer column beside an exact number: `price * quantity`.
macro_rules! exact {
    ($($type:ty),*) => {$(
        impl<R> IntoExpr<R, Decimal> for Expr<R, $type> {
            fn into_expr(self) -> Expr<R, Decimal> {
                Expr::new(self.buffer)
            }
        }

        impl<R> IntoExpr<R, Option<Decimal>> for Expr<R, $type> {
            fn into_expr(self) -> Expr<R, Option<Decimal>> {
                Expr::new(self.buffer)
            }
        }
    )*};
}

exact!(i8, i16, i32, i64, u8, u16, u32, u64);

impl<R, T: Scalar> IntoExpr<R, T> for T {
    #[inline]
    fn into_expr(self) -> Expr<R, T> {
        bind(&self)
    }
}

impl<R, T: Scalar> IntoExpr<R, Option<T>> for T {
    #[inline]
    fn into_expr(self) -> Expr<R, Option<T>> {
        bind(&self)
    }
}

impl<R, T: Scalar> IntoExpr<R, Option<T>> for Option<T> {
    fn into_expr(self) -> Expr<R, Option<T>> {
        match &self {
            Some(value) => bind(value),
            None => bound(Class::of(T::TYPE), Value::Null),
        }
    }

    fn is_null(&self) -> bool {
        self.is_none()
    }
}

/// Borrowed forms of what is usually at hand borrowed.
macro_rules! borrowed {
    ($($borrowed:ty => $owned:ty, $value:expr;)*) => {$(
        impl<R> IntoExpr<R, $owned> for $borrowed {
            #[inline]
            fn into_expr(self) -> Expr<R, $owned> {
                bound(Class::of(<$owned as Scalar>::TYPE), $value(self))
            }
        }

        impl<R> IntoExpr<R, Option<$owned>> for $borrowed {
            #[inline]
            fn into_expr(self) -> Expr<R, Option<$owned>> {
                bound(Class::of(<$owned as Scalar>::TYPE), $value(self))
            }
        }
    )*};
}

borrowed! {
    &str => String, |text: &str| Value::Text(text.to_owned().into());
    &String => String, |text: &String| Value::Text(text.clone().into());
    &[u8] => Vec<u8>, |bytes: &[u8]| Value::Bytes(bytes.to_vec().into());
    &Vec<u8> => Vec<u8>, |bytes: &Vec<u8>| Value::Bytes(bytes.clone().into());
}
