//! Comparison.

use cormorant_sql::{Binary, Class, Token, Unary, Value};

use super::bind::bound;
use super::{Expr, IntoExpr, Predicate};
use crate::{Field, Scalar};

impl<R, T> Expr<R, T> {
    /// Equals. An `Option` that is `None` asks for NULL.
    #[inline]
    pub fn eq(self, other: impl IntoExpr<R, T>) -> Predicate<R> {
        if other.is_null() {
            return self.then(Token::Unary(Unary::IsNull));
        }
        self.with(other.into_expr(), Token::Binary(Binary::Eq))
    }

    /// Less than.
    #[inline]
    pub fn lt(self, other: impl IntoExpr<R, T>) -> Predicate<R> {
        self.with(other.into_expr(), Token::Binary(Binary::Lt))
    }

    /// Less than, or equal.
    #[inline]
    pub fn le(self, other: impl IntoExpr<R, T>) -> Predicate<R> {
        self.with(other.into_expr(), Token::Binary(Binary::Le))
    }

    /// Greater than.
    #[inline]
    pub fn gt(self, other: impl IntoExpr<R, T>) -> Predicate<R> {
        self.with(other.into_expr(), Token::Binary(Binary::Gt))
    }

    /// Greater than, or equal.
    #[inline]
    pub fn ge(self, other: impl IntoExpr<R, T>) -> Predicate<R> {
        self.with(other.into_expr(), Token::Binary(Binary::Ge))
    }

    /// From `low` to `high`, both included.
    pub fn between(mut self, low: impl IntoExpr<R, T>, high: impl IntoExpr<R, T>) -> Predicate<R> {
        self.buffer.append(low.into_expr().buffer);
        self.with(high.into_expr(), Token::Between)
    }
}

impl<R, T: Field> Expr<R, T> {
    /// Not equal. Where it may be NULL, NULL differs from every value, and `None` asks for a value.
    pub fn ne(self, other: impl IntoExpr<R, T>) -> Predicate<R> {
        if other.is_null() {
            return self.then(Token::Unary(Unary::IsNotNull));
        }
        self.with(other.into_expr(), Token::Binary(if T::NULL { Binary::IsDistinct } else { Binary::Ne }))
    }

    /// One of these values; `None` is NULL. However many they are, they travel as one parameter; none matches nothing.
    /// With columns or calculations among them it is the same as [`eq`](Self::eq) to one of them.
    pub fn is_in<V: IntoExpr<R, T>>(self, values: impl IntoIterator<Item = V>) -> Predicate<R> {
        let mut listed = Vec::new();
        let mut calculated: Vec<Self> = Vec::new();
        // No comparison finds NULL: it is asked for by itself.
        let mut null = false;
        for value in values {
            if value.is_null() {
                null = true;
                continue;
            }
            let mut operand = value.into_expr();
            match operand.buffer.tokens.as_slice() {
                [Token::Bind(_)] => listed.extend(operand.buffer.values.pop()),
                _ => calculated.push(operand),
            }
        }
        let mut equal: Vec<_> =
            calculated.into_iter().map(|operand| self.clone().with(operand, Token::Binary(Binary::Eq))).collect();
        equal.extend(null.then(|| self.clone().then(Token::Unary(Unary::IsNull))));
        let in_list = (!listed.is_empty() || equal.is_empty()).then(|| {
            let mut this = self;
            this.buffer.push(Token::List(Class::of(T::TYPE)));
            this.buffer.values.push(Value::List(listed));
            this.then(Token::In)
        });
        let mut either = in_list.into_iter().chain(equal);
        let first = either.next().unwrap_or_else(|| !Predicate::always());
        either.fold(first, |either, equal| either | equal)
    }
}

impl<R, T: Scalar> Expr<R, Option<T>> {
    /// Is NULL.
    pub fn is_null(self) -> Predicate<R> {
        self.then(Token::Unary(Unary::IsNull))
    }

    /// Is not NULL.
    pub fn is_not_null(self) -> Predicate<R> {
        self.then(Token::Unary(Unary::IsNotNull))
    }

    /// The value, or another where it is NULL.
    pub fn or(self, other: impl IntoExpr<R, T>) -> Expr<R, T> {
        self.with(other.into_expr(), Token::Call(cormorant_sql::Function::Coalesce, 2))
    }
}

impl<R> Expr<R, bool> {
    /// Always true: where to start when conditions are added one by one.
    pub fn always() -> Self {
        bound(Class::Bool, Value::Bool(true))
    }
}
