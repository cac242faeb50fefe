//! Paths to many rows: asking about them inside a query, and including them.

use std::marker::PhantomData;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::ManyDef;
use cormorant_sql::{Binary, Buffer, Route, TableId, Token};

use super::include::{Include, Plan, Relation, Step};
use crate::expr::{IntoOrder, Numeric, Predicate};
use crate::{Expr, Model, PathOf, Scalar};

/// The related rows of a row, in a query that starts at `R`: a path's method of a [`HasMany`](crate::HasMany) or
/// [`ManyToMany`](crate::ManyToMany) gives it.
///
/// Conditions and calculations are queries of their own inside the query: its rows are never multiplied.
///
/// # Asking about related rows
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Author { id: i64, name: String, books: HasMany<Book> }
///
/// #[derive(Model)]
/// struct Book { id: i64, author: ForeignKey<Author>, title: String, pages: i64 }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Author, Book]).wait()?;
/// let long: Vec<(String, i64, Option<i64>)> = Author::filter(|a| a.books().any(|b| b.pages().gt(500)))
///     .order_by(|a| a.books().count().desc())
///     .select(|a| (a.name(), a.books().count(), a.books().sum(|b| b.pages())))
///     .all(&db)
///     .wait()?;
/// # assert!(long.is_empty());
/// # Ok(())
/// # }
/// ```
#[must_use = "related rows are nothing by themselves: ask with `any`, `count` …, or include them"]
pub struct ToMany<R, M: Model>(Included<R, M>);

/// Related rows that a query includes: filtered, ordered and limited per row that they belong to.
#[must_use = "included rows are nothing outside `include`"]
pub struct Included<R, M: Model> {
    route: Route,
    /// The number of the relation among those of its model that are kept elsewhere.
    number: u8,
    def: &'static ManyDef,
    buffer: Buffer,
    limit: Option<u64>,
    plan: Plan,
    mark: PhantomData<fn() -> (R, M)>,
}

impl<R, M: Model> Included<R, M> {
    /// The path of the related rows, in the query that reads them.
    fn path(&self) -> PathOf<M> {
        M::path(self.def.there.map_or(Route::ROOT, |there| Route::ROOT.then(there)))
    }

    /// Only rows that meet the condition.
    pub fn filter(mut self, condition: impl FnOnce(PathOf<M>) -> Predicate<M>) -> Self {
        self.buffer.append(condition(self.path()).buffer);
        self.buffer.push(Token::Filter);
        self
    }

    /// The order of the rows of each row that they belong to.
    pub fn order_by<X: IntoOrder<M>>(mut self, order: impl FnOnce(PathOf<M>) -> X) -> Self {
        order(self.path()).push_order(&mut self.buffer);
        self
    }

    /// At most so many rows for each row that they belong to; without an order, those with the lowest keys.
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Loads relations of the related rows as well.
    pub fn include<I: Relation<M>>(mut self, relation: impl FnOnce(PathOf<M>) -> I) -> Self {
        // From the related rows themselves: they are loaded by then, and no link leads to them.
        self.plan.add(relation(M::path(Route::ROOT)).to_include());
        self
    }
}

impl<R, M: Model> ToMany<R, M> {
    /// The relation with this number at the end of a route. Derived code calls it.
    #[doc(hidden)]
    pub fn new(route: Route, number: u8, def: &'static ManyDef) -> Self {
        let (buffer, plan) = (Buffer::default(), Plan::default());
        Self(Included { route, number, def, buffer, limit: None, plan, mark: PhantomData })
    }

    /// Only related rows that meet the condition.
    pub fn filter(self, condition: impl FnOnce(PathOf<M>) -> Predicate<M>) -> Self {
        Self(self.0.filter(condition))
    }

    /// Included: in this order.
    pub fn order_by<X: IntoOrder<M>>(self, order: impl FnOnce(PathOf<M>) -> X) -> Included<R, M> {
        self.0.order_by(order)
    }

    /// Included: at most so many for each row that they belong to; without an order, those with the lowest keys.
    pub fn limit(self, rows: u64) -> Included<R, M> {
        self.0.limit(rows)
    }

    /// Included: with relations of their own.
    pub fn include<I: Relation<M>>(self, relation: impl FnOnce(PathOf<M>) -> I) -> Included<R, M> {
        self.0.include(relation)
    }

    /// The number of the relation in its model.
    pub(crate) fn number(&self) -> u8 {
        Route::REVERSE + self.0.number
    }

    /// The relation itself, of the model that the path starts at, and all of it.
    pub(crate) fn of_root(self) -> Result<&'static ManyDef> {
        match self.0.route.is_root() && self.0.buffer.tokens.is_empty() {
            true => Ok(self.0.def),
            false => Err(Error::new(
                ErrorKind::Misuse,
                "expected a relation of the object itself, without a condition, such as `|p| p.comments()`",
            )),
        }
    }

    /// One of them meets the condition. Conditions joined by `&` inside are about the same row; two `any` may be about
    /// two.
    pub fn any(self, condition: impl FnOnce(PathOf<M>) -> Predicate<M>) -> Predicate<R> {
        self.filter(condition).subquery(Buffer::default(), true)
    }

    /// Every one of them meets the condition; so do none at all.
    pub fn all(self, condition: impl FnOnce(PathOf<M>) -> Predicate<M>) -> Predicate<R> {
        self.none(|row| !condition(row))
    }

    /// None of them meets the condition.
    pub fn none(self, condition: impl FnOnce(PathOf<M>) -> Predicate<M>) -> Predicate<R> {
        !self.any(condition)
    }

    /// How many there are.
    pub fn count(self) -> Expr<R, i64> {
        self.aggregate(|_| crate::expr::count::<M>())
    }

    /// The sum of a value of them; `None` over none.
    pub fn sum<T: Numeric>(self, value: impl FnOnce(PathOf<M>) -> Expr<M, T>) -> Expr<R, T::Sum> {
        self.aggregate(|row| value(row).sum())
    }

    /// The mean of a value of them; `None` over none.
    pub fn avg<T: Numeric>(self, value: impl FnOnce(PathOf<M>) -> Expr<M, T>) -> Expr<R, Option<f64>> {
        self.aggregate(|row| value(row).avg())
    }

    /// The smallest value of them; `None` over none.
    pub fn min<T: Plain>(self, value: impl FnOnce(PathOf<M>) -> Expr<M, T>) -> Expr<R, Option<T::Value>> {
        self.aggregate(|row| T::min(value(row)))
    }

    /// The largest value of them; `None` over none.
    pub fn max<T: Plain>(self, value: impl FnOnce(PathOf<M>) -> Expr<M, T>) -> Expr<R, Option<T::Value>> {
        self.aggregate(|row| T::max(value(row)))
    }

    fn aggregate<T>(self, value: impl FnOnce(PathOf<M>) -> Expr<M, T>) -> Expr<R, T> {
        let mut selected = value(self.0.path()).buffer;
        selected.push(Token::Select);
        self.subquery(selected, false)
    }

    /// A query over the related rows, as a value: its own conditions, then the given tokens.
    fn subquery<T>(self, selected: Buffer, exists: bool) -> Expr<R, T> {
        let Included { route, def, buffer: conditions, .. } = self.0;
        let mut buffer = Buffer::default();
        let source = (def.source)();
        if let Some(key) = def.foreign_key() {
            for (here, there) in key.columns.iter().zip((key.target)().key) {
                buffer.push(Token::Column { via: Route::ROOT, column: *here, outer: 0 });
                buffer.push(Token::Column { via: route, column: *there, outer: 1 });
                buffer.push(Token::Binary(Binary::Eq));
                buffer.push(Token::Filter);
            }
        }
        super::push_linked(&mut buffer, def);
        buffer.append(conditions);
        buffer.append(selected);
        let tokens = u32::try_from(buffer.tokens.len()).unwrap_or(u32::MAX);
        buffer.push(Token::Subquery { table: TableId::of(source), tokens, exists });
        Expr::new(buffer)
    }
}

/// A value or an `Option` of one: what is NULL where there is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a plain value",
    label = "expected a value, or an `Option` of one"
)]
pub trait Plain: Sized {
    /// The value itself.
    type Value;
    #[doc(hidden)]
    fn min<R>(of: Expr<R, Self>) -> Expr<R, Option<Self::Value>>;
    #[doc(hidden)]
    fn max<R>(of: Expr<R, Self>) -> Expr<R, Option<Self::Value>>;
}

impl<T: Scalar> Plain for T {
    type Value = T;
    fn min<R>(of: Expr<R, T>) -> Expr<R, Option<T>> {
        of.min()
    }
    fn max<R>(of: Expr<R, T>) -> Expr<R, Option<T>> {
        of.max()
    }
}

impl<T: Scalar> Plain for Option<T> {
    type Value = T;
    fn min<R>(of: Expr<R, Self>) -> Expr<R, Self> {
        of.min()
    }
    fn max<R>(of: Expr<R, Self>) -> Expr<R, Self> {
        of.max()
    }
}

impl<R, M: Model> Relation<R> for Included<R, M> {
    type Target = M;

    fn to_include(self) -> Include {
        let Self { route, number, buffer, limit, plan, .. } = self;
        Include { route, last: Some(Step { relation: Route::REVERSE + number, buffer, limit, plan }) }
    }
}

impl<R, M: Model> Relation<R> for ToMany<R, M> {
    type Target = M;

    fn to_include(self) -> Include {
        self.0.to_include()
    }
}
