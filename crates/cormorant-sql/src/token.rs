//! The words a statement is made of.
//!
//! Expressions stand in postfix order: operands first, then what combines them, so building one only ever
//! appends. A clause token ends the expression before it: `column, bind, Eq, Filter`.

use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use cormorant_schema::{ColumnType, TableDef};

use crate::{Class, Locking};

/// The way from the table a query starts at to the one a column belongs to: a few relations, each to one row. Below
/// [`Route::REVERSE`] it is the position of a foreign key; from there on that of a relation that is kept in the other
/// table ([`TableDef::many`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// Each hop is the relation's position plus one; zero ends the route.
    hops: [u8; Route::MAX],
}

impl Route {
    /// The longest route.
    pub const MAX: usize = 8;

    /// Where the numbers of relations begin that are kept in the other table.
    pub const REVERSE: u8 = 128;

    /// The table the query starts at.
    pub const ROOT: Self = Self { hops: [0; Self::MAX] };

    /// One hop further, along the relation with this number. A route that is too long, or follows a relation behind the
    /// 253rd, stays marked as such, and rendering it is an error.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "a constant function cannot use `get_mut`; the loop stays inside")]
    pub const fn then(mut self, relation: u8) -> Self {
        let mut at = 0;
        while at < Self::MAX && relation < u8::MAX - 1 {
            if self.hops[at] == 0 {
                self.hops[at] = relation + 1;
                return self;
            }
            at += 1;
        }
        self.hops[0] = u8::MAX;
        self
    }

    /// The numbers of the relations, in order; `None` for a route that cannot be followed (see [`Route::then`]).
    pub fn hops(&self) -> Option<impl Iterator<Item = u8> + use<>> {
        let hops = self.hops;
        (hops.first() != Some(&u8::MAX)).then(|| hops.into_iter().take_while(|hop| *hop != 0).map(|hop| hop - 1))
    }

    /// True at the table the query starts at.
    pub fn is_root(&self) -> bool {
        *self == Self::ROOT
    }
}

/// A word of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Token {
    /// A column of the table at the end of `via`; `outer` counts the enclosing queries between.
    Column {
        /// The way to its table.
        via: Route,
        /// Its position in that table.
        column: u16,
        /// How many queries further out its table is: 0 is this one.
        outer: u8,
    },
    /// The next value, as a parameter. A condition that it stands in must not compare it with NULL: that is
    /// [`Unary::IsNull`].
    Bind(Class),
    /// The value with this number once more: equal values of a grouped query, so that a server takes two expressions
    /// that read alike for one.
    Again(Class, u16),
    /// The next value, a list, as one parameter.
    List(Class),
    /// The next value, a list of keys of several columns, each a list itself, as one parameter.
    Keys,
    /// One operand.
    Unary(Unary),
    /// Two operands.
    Binary(Binary),
    /// Three operands: value, low, high.
    Between,
    /// Two operands: value, then a [`Token::List`] or a [`Token::Subquery`] of one column.
    In,
    /// So many operands, then [`Token::Keys`] or a [`Token::Subquery`] of so many columns.
    InRow(u8),
    /// A value, then so many others, one of which it is.
    OneOf(u16),
    /// A function of so many operands.
    Call(Function, u8),
    /// A function of the database's own, by name, of so many operands, which gives a value of this class.
    Named(Symbol, u8, Class),
    /// One operand, converted.
    Cast(ColumnType),
    /// `CASE`: so many pairs of condition and value, and a last value where `otherwise`.
    Case {
        /// Pairs of condition and value.
        branches: u8,
        /// Whether a value for no match follows.
        otherwise: bool,
    },
    /// An aggregate of one operand (`CountAll`: of none), then its filter where there is one.
    Aggregate {
        /// Which.
        function: Aggregate,
        /// Each value once.
        distinct: bool,
        /// Whether a condition stands behind the operand.
        filter: bool,
    },
    /// A window over a function ([`Token::Aggregate`] or [`Token::Named`]): so many partition and order expressions
    /// stand between.
    Over {
        /// Expressions of `PARTITION BY`.
        partition: u8,
        /// Expressions of `ORDER BY`, each followed by its [`Token::Sort`].
        order: u8,
    },
    /// The direction of the expression before it, inside a window.
    Sort {
        /// From large to small.
        descending: bool,
        /// Where NULL stands.
        nulls: Nulls,
    },
    /// A whole query of so many tokens, as a value, over a table of its own.
    Subquery {
        /// The table it starts at.
        table: TableId,
        /// How many tokens before this one are its own.
        tokens: u32,
        /// `EXISTS (…)` rather than its value.
        exists: bool,
    },

    /// Clause: every column of the table at the end of the route.
    Entity(Route),
    /// Clause: the expression before it is selected.
    Select,
    /// Clause: the condition before it must hold (WHERE, or HAVING behind a [`Token::GroupBy`]).
    Filter,
    /// Clause: rows are grouped by the expression before it.
    GroupBy,
    /// Clause: rows are ordered by the expression before it.
    OrderBy {
        /// From large to small.
        descending: bool,
        /// Where NULL stands.
        nulls: Nulls,
    },
    /// Clause: equal rows once.
    Distinct,
    /// Clause: at most so many rows; the expression before it is the number.
    Limit,
    /// Clause: without the first rows; the expression before it is the number.
    Offset,
    /// Clause: at most so many rows for each value of something, in the query's order. Before it stand the so many
    /// expressions of the something, and the number of rows.
    LimitEach(u8),
    /// Clause: the column takes the value before it.
    Set(u16),
    /// Clause: the same for a column at the end of a route: the key of a related row stands in this table as well.
    SetVia(Route, u16),
    /// Clause: the column is written, its values bound row by row: by an INSERT, or by an UPDATE of many rows.
    Into(u16),
    /// Clause of an UPDATE of many rows, behind [`Token::Into`]: the row to change has this value in the column, bound
    /// row by row.
    Match(u16),
    /// Clause: an INSERT or an UPDATE of so many rows.
    Rows(u32),
    /// Clause: an INSERT or an UPDATE of as many rows as its values have elements: each column's values travel as one
    /// list, and the text is the same for any number of rows. See
    /// [`Dialect::takes_lists`](crate::Dialect::takes_lists).
    Lists,
    /// Clause of an INSERT: the column is part of the unique constraint by which the row may be there already. Nothing
    /// is written then, but for what [`Token::Overwrite`] says; any other constraint stays an error.
    Conflict(u16),
    /// Clause of an INSERT behind [`Token::Conflict`]: the row that is there takes the value that was to be inserted.
    Overwrite(u16),
    /// Clause: the rows are locked.
    Lock(Locking),
    /// Clause of a statement that writes: the column is given back.
    Returning(u16),
    /// Clause: combine with a query of so many tokens over the same table: `UNION` and its like.
    Combine(SetOperation, u32),
    /// Clause: a query of so many tokens over the same table, under a name in `WITH`.
    With(Symbol, u32),
    /// Clause: rows come from the query of that name in `WITH`, which gives the table's columns.
    Source(Symbol),
}

impl Token {
    /// Whether it takes a value.
    pub const fn takes_value(self) -> bool {
        matches!(self, Self::Bind(_) | Self::List(_) | Self::Keys)
    }
}

impl Hash for Token {
    /// One write per token: a query is looked up by this on every run.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let word = match *self {
            Self::Column { via, column, outer } => {
                state.write_u64(u64::from_le_bytes(via.hops));
                1 | u64::from(column) << 8 | u64::from(outer) << 24
            }
            Self::Bind(class) => 2 | (class as u64) << 8,
            Self::List(class) => 3 | (class as u64) << 8,
            Self::Unary(op) => 4 | (op as u64) << 8,
            Self::Binary(op) => 5 | (op as u64) << 8,
            Self::Between => 6,
            Self::In => 7,
            Self::Keys => 38,
            Self::InRow(n) => 39 | u64::from(n) << 8,
            Self::OneOf(n) => 40 | u64::from(n) << 8,
            Self::Call(function, n) => 8 | (function as u64) << 8 | u64::from(n) << 16,
            Self::Named(name, n, class) => 9 | u64::from(n) << 8 | (class as u64) << 16 | u64::from(name.0) << 32,
            Self::Cast(ty) => {
                ty.hash(state);
                10
            }
            Self::Case { branches, otherwise } => 11 | u64::from(branches) << 8 | u64::from(otherwise) << 16,
            Self::Aggregate { function, distinct, filter } => {
                12 | (function as u64) << 8 | u64::from(distinct) << 16 | u64::from(filter) << 17
            }
            Self::Over { partition, order } => 13 | u64::from(partition) << 8 | u64::from(order) << 16,
            Self::Sort { descending, nulls } => 14 | u64::from(descending) << 8 | (nulls as u64) << 16,
            Self::Subquery { table, tokens, exists } => {
                state.write_u64(u64::from(tokens));
                15 | u64::from(exists) << 8 | u64::from(table.0) << 32
            }
            Self::Entity(route) => {
                state.write_u64(u64::from_le_bytes(route.hops));
                16
            }
            Self::Select => 17,
            Self::Filter => 18,
            Self::GroupBy => 19,
            Self::OrderBy { descending, nulls } => 20 | u64::from(descending) << 8 | (nulls as u64) << 16,
            Self::Distinct => 21,
            Self::Limit => 22,
            Self::Offset => 23,
            Self::Set(column) => 24 | u64::from(column) << 8,
            Self::Into(column) => 25 | u64::from(column) << 8,
            Self::Rows(n) => 26 | u64::from(n) << 8,
            Self::Lists => 33,
            Self::LimitEach(n) => 37 | u64::from(n) << 8,
            Self::Conflict(column) => 34 | u64::from(column) << 8,
            Self::Overwrite(column) => 35 | u64::from(column) << 8,
            Self::Lock(Locking { lock, taken }) => 36 | (lock as u64) << 8 | (taken as u64) << 16,
            Self::Returning(column) => 27 | u64::from(column) << 8,
            Self::Combine(operation, tokens) => 28 | (operation as u64) << 8 | u64::from(tokens) << 32,
            Self::With(name, tokens) => {
                state.write_u64(u64::from(tokens));
                29 | u64::from(name.0) << 32
            }
            Self::Again(class, value) => 31 | (class as u64) << 8 | u64::from(value) << 16,
            Self::SetVia(route, column) => {
                state.write_u64(u64::from_le_bytes(route.hops));
                32 | u64::from(column) << 8
            }
            Self::Match(column) => 38 | u64::from(column) << 8,
            Self::Source(name) => 30 | u64::from(name.0) << 32,
        };
        state.write_u64(word);
    }
}

/// An operator of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each name says what it is in SQL")]
pub enum Unary {
    Not,
    IsNull,
    IsNotNull,
    Negate,
}

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each name says what it is in SQL")]
pub enum Binary {
    And,
    Or,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    IsDistinct,
    IsNotDistinct,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Concat,
    Contains,
    StartsWith,
    EndsWith,
    IContains,
    IStartsWith,
    IEndsWith,
    IEq,
    Like,
    ILike,
    Regex,
}

/// A function that every dialect has, under whatever name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each name says what it is in SQL")]
pub enum Function {
    Coalesce,
    Lower,
    Upper,
    Length,
    Trim,
    Abs,
    Round,
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A function over many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each name says what it is in SQL")]
pub enum Aggregate {
    CountAll,
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

/// Where NULL stands in an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Nulls {
    /// Where the backend puts it, so that an index can serve the order: largest on PostgreSQL, smallest elsewhere.
    #[default]
    Native,
    /// In front.
    First,
    /// Behind.
    Last,
}

/// How two queries are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each name says what it is in SQL")]
pub enum SetOperation {
    Union,
    UnionAll,
    Intersect,
    Except,
}

/// A name in the program's text, as a number: tokens stay small, and compare without following a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Symbol(u32);

static SYMBOLS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

impl Symbol {
    /// The symbol of a name. It is kept for ever: names belong in the program's text, not in its input.
    pub fn of(name: &'static str) -> Self {
        Self(intern(&SYMBOLS, name, |known, name| known == name))
    }

    /// The name.
    pub fn name(self) -> &'static str {
        interned(&SYMBOLS, self.0).unwrap_or_default()
    }
}

/// A table definition, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableId(u32);

static TABLES: Mutex<Vec<&'static TableDef>> = Mutex::new(Vec::new());

impl TableId {
    /// The number of a table.
    pub fn of(table: &'static TableDef) -> Self {
        Self(intern(&TABLES, table, |known, table| std::ptr::eq(known, table)))
    }

    /// The table.
    pub fn table(self) -> Option<&'static TableDef> {
        interned(&TABLES, self.0)
    }
}

fn intern<T: Copy>(known: &Mutex<Vec<T>>, item: T, same: impl Fn(T, T) -> bool) -> u32 {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let at = known.iter().position(|other| same(*other, item)).unwrap_or_else(|| {
        known.push(item);
        known.len() - 1
    });
    // No program has four thousand million names; one that had would find none under the last number.
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn interned<T: Copy>(known: &Mutex<Vec<T>>, at: u32) -> Option<T> {
    let at = usize::try_from(at).ok()?;
    known.lock().unwrap_or_else(PoisonError::into_inner).get(at).copied()
}
