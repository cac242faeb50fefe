//! Values over many rows.

use cormorant_sql::{Aggregate, Buffer, Token};
use rust_decimal::Decimal;

use super::Expr;
use crate::{Field, Scalar};

/// Numbers that can be summed, and what their sum is: `None` over no rows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be summed",
    label = "not a number: integers, floats, Decimal, and Option of each are"
)]
pub trait Numeric {
    /// The type of the sum.
    type Sum;
}

macro_rules! numeric {
    ($($type:ty => $sum:ty),*) => {$(
        impl Numeric for $type {
            type Sum = Option<$sum>;
        }

        impl Numeric for Option<$type> {
            type Sum = Option<$sum>;
        }
    )*};
}

numeric!(i8 => i64, i16 => i64, i32 => i64, i64 => i64, u8 => i64, u16 => i64, u32 => i64, u64 => i64);
numeric!(f32 => f64, f64 => f64, Decimal => Decimal);

/// How many rows.
pub fn count<R>() -> Expr<R, i64> {
    Expr::new(Buffer::of(Token::Aggregate { function: Aggregate::CountAll, distinct: false, filter: false }))
}

impl<R, T> Expr<R, T> {
    fn aggregate<U>(self, function: Aggregate, distinct: bool) -> Expr<R, U> {
        self.then(Token::Aggregate { function, distinct, filter: false })
    }

    /// How many values: NULL is none.
    pub fn count(self) -> Expr<R, i64> {
        self.aggregate(Aggregate::Count, false)
    }

    /// How many different values.
    pub fn count_distinct(self) -> Expr<R, i64> {
        self.aggregate(Aggregate::Count, true)
    }
}

impl<R, T> Expr<R, T> {
    /// The sum: exact for integers and exact numbers, whose overflow is an error.
    pub fn sum(self) -> Expr<R, T::Sum>
    where
        T: Numeric,
    {
        self.aggregate(Aggregate::Sum, false)
    }

    /// The mean.
    pub fn avg(self) -> Expr<R, Option<f64>>
    where
        T: Numeric,
    {
        self.aggregate(Aggregate::Avg, false)
    }
}

/// The smallest and the largest value.
impl<R, T: Scalar> Expr<R, T> {
    /// The smallest value; `None` over no rows.
    pub fn min(self) -> Expr<R, Option<T>> {
        self.aggregate(Aggregate::Min, false)
    }

    /// The largest value; `None` over no rows.
    pub fn max(self) -> Expr<R, Option<T>> {
        self.aggregate(Aggregate::Max, false)
    }
}

impl<R, T: Scalar> Expr<R, Option<T>>
where
    Option<T>: Field,
{
    /// The smallest value; `None` where there is none.
    pub fn min(self) -> Self {
        self.aggregate(Aggregate::Min, false)
    }

    /// The largest value; `None` where there is none.
    pub fn max(self) -> Self {
        self.aggregate(Aggregate::Max, false)
    }
}
