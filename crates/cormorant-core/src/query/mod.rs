//! Queries.

mod lock;
mod nested;
mod read;
mod stream;
mod write;

use std::marker::PhantomData;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Buffer, Class, Dialect, Kind, Nulls, Route, Token, Value, render};

pub use lock::IntoLocking;
pub use nested::exists;
pub use stream::RowStream;
pub(crate) use stream::Source;

use crate::executor::{Target, Work};
use crate::expr::{IntoOrder, Predicate};
use crate::relation::{self, Plan, Relation};
use crate::{Groupable, Mapper, Model, PathOf, Record, Selectable};

/// Which rows of `M`, and what they become: records at first, something else after [`select`](Self::select).
///
/// A query is a value; nothing runs before a terminal: `all`, `first`, `one`, `count`, `update`, `delete` …
///
/// # Building and running
/// ```
/// use cormorant::prelude::*;
/// #[derive(Model)]
/// struct Item { id: i64, name: String, stock: i64 }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Item]).wait()?;
/// let scarce = Item::filter(|i| i.stock().lt(3) & !i.name().contains("old")).order_by(|i| i.name().asc());
/// let names: Vec<String> = scarce.clone().select(|i| i.name()).all(&db).wait()?;
/// let touched = scarce.update(&db, |i| i.stock().set(i.stock() + 10)).wait()?;
/// assert_eq!(touched, names.len() as u64);
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until it runs: `.all(&db).await?`"]
pub struct Query<M, O: Output> {
    buffer: Buffer,
    loader: O::Loader,
    /// A page was asked for: without an order of its own it is ordered by key when it runs.
    paged: bool,
    /// The relations to load.
    plan: Option<Box<Plan>>,
    mark: PhantomData<fn() -> (M, O)>,
}

/// What a query's rows become: the model itself, or [`Rows`] of something selected.
#[diagnostic::on_unimplemented(
    message = "the rows of a query cannot become `{Self}`",
    label = "expected a model, or `Rows` of something selected"
)]
pub trait Output {
    /// How a row is read, where the type alone does not say.
    #[doc(hidden)]
    type Loader: Copy + Send + Sync;
}

/// An [`Output`] that is read without a session.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is read through a session",
    label = "only models become records: use `session.all(query)`"
)]
pub trait Fetch: Output {
    /// The type of a row.
    type Row: Send;

    /// Reads a row.
    #[doc(hidden)]
    fn load(loader: Self::Loader, row: &mut Row<'_>) -> Result<Self::Row>;

    /// Loads relations of the rows.
    #[doc(hidden)]
    fn fill<'a>(plan: &'a Plan, target: Target<'a>, rows: &'a mut [Self::Row]) -> Work<'a, ()>;
}

impl<M: Mapper> Output for M {
    type Loader = ();
}

/// A model's own query gives records.
#[diagnostic::do_not_recommend]
impl<M: Model> Fetch for M {
    type Row = Record<M>;

    #[inline]
    fn load(_loader: (), row: &mut Row<'_>) -> Result<Record<M>> {
        M::load(row).map(Record::loaded)
    }

    fn fill<'a>(plan: &'a Plan, target: Target<'a>, rows: &'a mut [Record<M>]) -> Work<'a, ()> {
        Box::pin(relation::fill(plan, target, rows))
    }
}

/// What a query gives after `select`: rows of type `T`.
#[derive(Debug)]
pub struct Rows<T>(PhantomData<T>);

impl<T> Output for Rows<T> {
    type Loader = fn(&mut Row<'_>) -> Result<T>;
}

impl<T: Send> Fetch for Rows<T> {
    type Row = T;

    #[inline]
    fn load(loader: Self::Loader, row: &mut Row<'_>) -> Result<T> {
        loader(row)
    }

    fn fill<'a>(_plan: &'a Plan, _target: Target<'a>, _rows: &'a mut [T]) -> Work<'a, ()> {
        Box::pin(async {
            Err(Error::new(
                ErrorKind::Misuse,
                "`include` loads relations of records, and `select` gives others: load them with `load_all`",
            ))
        })
    }
}

impl<M, O: Output> Clone for Query<M, O> {
    fn clone(&self) -> Self {
        Self {
            buffer: self.buffer.clone(),
            loader: self.loader,
            paged: self.paged,
            plan: self.plan.clone(),
            mark: PhantomData,
        }
    }
}

impl<M, O: Output> std::fmt::Debug for Query<M, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.buffer.tokens).finish()
    }
}

impl<M: Mapper> Query<M, M> {
    pub(crate) fn new() -> Self {
        Self { buffer: Buffer::default(), loader: (), paged: false, plan: None, mark: PhantomData }
    }
}

impl<M: Model> Query<M, M> {
    /// Loads related rows as well: one statement for each relation on the way, however many rows there are. To many
    /// rows, they can be filtered, ordered and limited for each row that they belong to, and have relations of their
    /// own included.
    ///
    /// # The rows, and what belongs to them
    /// ```
    /// use cormorant::prelude::*;
    /// #[derive(Model)]
    /// struct Author { id: i64, name: String, books: HasMany<Book> }
    ///
    /// #[derive(Model)]
    /// struct Book { id: i64, author: ForeignKey<Author>, title: String, sold: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Author, Book]).wait()?;
    /// let authors = Author::query()
    ///     .include(|a| a.books().filter(|b| b.sold().gt(0)).order_by(|b| b.sold().desc()).limit(3)) // 3 of each
    ///     .all(&db)
    ///     .wait()?;
    /// for author in &authors {
    ///     println!("{}: {}", author.name, author.books.get()?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn include<I: Relation<M>>(mut self, relation: impl FnOnce(PathOf<M>) -> I) -> Self {
        self.plan.get_or_insert_default().add(relation(M::path(Route::ROOT)).to_include());
        self
    }
}

impl<M: Mapper, O: Output> Query<M, O> {
    pub(crate) fn buffer_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// Only rows that meet the condition. Several filters must all hold. After [`group_by`](Self::group_by) it is a
    /// condition on groups.
    #[inline]
    pub fn filter(mut self, condition: impl FnOnce(PathOf<M>) -> Predicate<M>) -> Self {
        self.buffer.append(condition(M::path(Route::ROOT)).buffer);
        self.buffer.push(Token::Filter);
        self
    }

    /// Orders rows; further calls order what is equal so far.
    pub fn order_by<X: IntoOrder<M>>(mut self, order: impl FnOnce(PathOf<M>) -> X) -> Self {
        order(M::path(Route::ROOT)).push_order(&mut self.buffer);
        self
    }

    /// At most so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.push_number(rows, Token::Limit);
        self
    }

    /// Without the first so many rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.push_number(rows, Token::Offset);
        self
    }

    /// One page of `size` rows; the first page is 1. Without an order, rows are ordered by their key.
    pub fn page(self, number: u64, size: u64) -> Self {
        let mut query = self.limit(size).offset(number.saturating_sub(1).saturating_mul(size));
        query.paged = true;
        query
    }

    /// Equal rows once.
    pub fn distinct(mut self) -> Self {
        self.buffer.push(Token::Distinct);
        self
    }

    /// One row for all that are equal in this: select it beside aggregates.
    ///
    /// ```
    /// use cormorant::prelude::*;
    /// #[derive(Model)]
    /// struct Item { id: i64, shop: String, price: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// let dear: Vec<(String, i64, Option<i64>)> = Item::query()
    ///     .group_by(|i| i.shop())
    ///     .filter(|_| count().gt(1)) // HAVING
    ///     .select(|i| (i.shop(), count(), i.price().sum()))
    ///     .all(&db).wait()?;
    /// # assert!(dear.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn group_by<G: Groupable<M>>(mut self, group: impl FnOnce(PathOf<M>) -> G) -> Self {
        group(M::path(Route::ROOT)).push_group(&mut self.buffer);
        self
    }

    /// What each row becomes: an expression, a tuple, the path itself (a record), or a struct's `columns(…)`.
    pub fn select<S>(mut self, selected: impl FnOnce(PathOf<M>) -> S) -> Query<M, Rows<S::Row>>
    where
        S: Selectable<M>,
        S::Row: Send,
    {
        // A second `select` takes the place of the first.
        let before = std::mem::take(&mut self.buffer);
        self.buffer = without_selected(before);
        selected(M::path(Route::ROOT)).push(&mut self.buffer);
        Query { buffer: self.buffer, loader: S::load, paged: self.paged, plan: self.plan, mark: PhantomData }
    }

    /// The statement's text in a dialect.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the dialect lacks something.
    pub fn to_sql(&self, dialect: Dialect) -> Result<String> {
        let mut query = self.clone();
        query.settle();
        let statement = crate::executor::statement(Kind::Select, M::TABLE, &query.buffer.tokens);
        Ok(render(&statement, dialect).map_err(Error::from_sql)?.sql)
    }

    /// What it asks, and the relations to load, for whoever runs it.
    pub(crate) fn into_parts(mut self) -> (Buffer, Option<Box<Plan>>) {
        self.settle();
        (self.buffer, self.plan)
    }

    /// In its order, or by key.
    pub(crate) fn ordered(mut self) -> Self {
        self.order_by_key(false);
        self
    }

    /// At most so many rows, or fewer where a lower limit was asked for.
    pub(crate) fn limit_to(mut self, rows: u64) -> Self {
        let is_limit = |token: &Token| *token == Token::Limit;
        let own = self.buffer.has(is_limit).then(|| self.buffer.own().find(|(_, token)| is_limit(token)));
        let Some((at, _)) = own.flatten() else {
            self.push_number(rows, Token::Limit);
            return self;
        };
        // A limit is one bound number, the last before it.
        let before = self.buffer.tokens.iter().take(at);
        let bound = before.filter(|token| token.takes_value()).count();
        if let Some(Value::Int(limit)) = self.buffer.values.get_mut(bound.saturating_sub(1)) {
            *limit = (*limit).min(i64::try_from(rows).unwrap_or(i64::MAX));
        }
        self
    }

    /// Becomes the query that runs.
    #[inline]
    fn settle(&mut self) {
        if self.paged {
            self.order_by_key(false);
        }
        if self.buffer.has(|token| matches!(token, Token::GroupBy)) {
            self.buffer = with_shared_values(std::mem::take(&mut self.buffer));
        }
    }

    fn push_number(&mut self, number: u64, clause: Token) {
        self.buffer.push(Token::Bind(Class::Int));
        // No table has more rows than this.
        self.buffer.values.push(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)));
        self.buffer.push(clause);
    }

    /// Orders rows by their key, unless they have an order, or are no rows of the table any more: groups, equal rows
    /// once, or the one row that an aggregate makes of all.
    fn order_by_key(&mut self, descending: bool) {
        let settled = |token: &Token| {
            matches!(token, Token::OrderBy { .. } | Token::GroupBy | Token::Distinct | Token::Aggregate { .. })
        };
        if self.buffer.has(settled) {
            return;
        }
        for column in M::TABLE.key {
            self.buffer.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
            self.buffer.push(Token::OrderBy { descending, nulls: Nulls::Native });
        }
    }
}

/// Takes what is selected out of a buffer, with its values.
fn without_selected(buffer: Buffer) -> Buffer {
    if !buffer.has(|token| matches!(token, Token::Select | Token::Entity(_))) {
        return buffer;
    }
    let mut kept = Buffer::default();
    let mut clause = Buffer::default();
    let ends: Vec<usize> = buffer.own().filter(|(_, token)| ends_clause(*token)).map(|(at, _)| at).collect();
    let mut values = buffer.values.into_iter();
    for (at, token) in buffer.tokens.into_iter().enumerate() {
        clause.push(token);
        if token.takes_value() {
            clause.values.extend(values.next());
        }
        if ends.binary_search(&at).is_ok() {
            let clause = std::mem::take(&mut clause);
            if !matches!(token, Token::Select | Token::Entity(_)) {
                kept.append(clause);
            }
        }
    }
    kept
}

/// Binds equal values of a grouped query once. A server that is told of two parameters cannot know that they are
/// equal, and would refuse to select what rows are grouped by.
fn with_shared_values(buffer: Buffer) -> Buffer {
    let mut shared = Buffer::default();
    let mut values = buffer.values.into_iter();
    for token in buffer.tokens {
        let value = if token.takes_value() { values.next() } else { None };
        let known = value.as_ref().and_then(|value| shared.values.iter().position(|other| other == value));
        match (token, known.and_then(|n| u16::try_from(n).ok())) {
            (Token::Bind(class), Some(n)) => shared.push(Token::Again(class, n)),
            _ => {
                shared.push(token);
                shared.values.extend(value);
            }
        }
    }
    shared
}

fn ends_clause(token: Token) -> bool {
    matches!(
        token,
        Token::Entity(_)
            | Token::Select
            | Token::Filter
            | Token::GroupBy
            | Token::OrderBy { .. }
            | Token::Distinct
            | Token::Limit
            | Token::Offset
            | Token::Lock(_)
    )
}

/// How a column's values travel.
pub(crate) fn class_of(table: &'static TableDef, column: u16) -> Class {
    table.column(column).map_or(Class::Int, |column| Class::of(column.ty))
}

pub(crate) fn several(model: &str) -> Error {
    Error::new(
        ErrorKind::MultipleRows,
        "several rows were found where one was asked for: filter by something unique, or ask for `first`",
    )
    .with_model(model)
}

pub(crate) fn not_found(model: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        "no row was found where one was asked for: ask with `find`, `first` or `optional` if there may be none",
    )
    .with_model(model)
}
