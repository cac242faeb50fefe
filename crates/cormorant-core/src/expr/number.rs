//! Arithmetic.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use cormorant_sql::schema::ColumnType;
use cormorant_sql::{Binary, Function, Token, Unary};
use rust_decimal::Decimal;

use super::{Expr, IntoExpr};

/// Numbers that can be calculated with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be calculated with",
    label = "not a number: integers, floats, Decimal, and Option of each are"
)]
pub trait Arithmetic {
    /// What it becomes as another type: an `Option` where it is one.
    type As<U>;
}

macro_rules! arithmetic {
    ($($type:ty),*) => {$(
        impl Arithmetic for $type {
            type As<U> = U;
        }

        impl Arithmetic for Option<$type> {
            type As<U> = Option<U>;
        }
    )*};
}

arithmetic!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Decimal);

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        impl<R, T: Arithmetic, V: IntoExpr<R, T>> $trait<V> for Expr<R, T> {
            type Output = Self;

            fn $method(self, other: V) -> Self {
                self.with(other.into_expr(), Token::Binary(Binary::$op))
            }
        }
    )*};
}

operators! {
    Add add Add;
    Sub sub Subtract;
    Mul mul Multiply;
    Div div Divide;
    Rem rem Remainder;
}

impl<R, T: Arithmetic> Neg for Expr<R, T> {
    type Output = Self;

    fn neg(self) -> Self {
        self.then(Token::Unary(Unary::Negate))
    }
}

impl<R, T: Arithmetic> Expr<R, T> {
    /// Without its sign.
    pub fn abs(self) -> Self {
        self.then(Token::Call(Function::Abs, 1))
    }

    /// As a 64-bit integer, rounded; an error where none holds it.
    pub fn cast_int(self) -> Expr<R, T::As<i64>> {
        self.then(Token::Cast(ColumnType::I64))
    }

    /// As a 64-bit float.
    pub fn cast_float(self) -> Expr<R, T::As<f64>> {
        self.then(Token::Cast(ColumnType::F64))
    }

    /// As an exact number of `precision` digits, `scale` of them behind the point. A sum on SQLite
    /// needs to know the digits.
    pub fn cast_decimal(self, precision: u8, scale: u8) -> Expr<R, T::As<Decimal>> {
        self.then(Token::Cast(ColumnType::Decimal { precision, scale }))
    }
}
