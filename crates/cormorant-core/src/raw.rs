//! SQL of the program's own.

mod classify;

use std::borrow::Cow;
use std::fmt;

use cormorant_driver::{Call, Error, ErrorKind, Result};
use cormorant_sql::{Class, Dialect, Parameter, Value};

use smallvec::{SmallVec, smallvec};

use self::classify::{StatementClass, classify};
use crate::{Executor, Field, FromRow, executor, query};

pub use self::classify::Known;

/// SQL text with bound values: what [`sql!`](macro.sql.html) makes.
///
/// An empty list is spread as `NULL`: no row is `IN` it, and no row is `NOT IN` it either, since SQL cannot tell.
///
/// # Values in braces are bound, lists are spread
/// ```
/// use cormorant::prelude::*;
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// let (name, ids) = ("x'; DROP TABLE items; --", [1, 2, 3]);
/// let row: (String, i64) = sql!("SELECT {name}, count(*) FROM (SELECT 2 AS id) AS t WHERE id IN ({..ids})").one(&db).wait()?;
/// assert_eq!(row, (name.to_owned(), 1));
/// # Ok(())
/// # }
/// ```
#[must_use = "SQL does nothing until it runs: `.all(&db).await?`"]
#[derive(Clone, Debug, Default)]
pub struct Sql {
    pieces: SmallVec<[Piece; 4]>,
    known: Option<&'static Known>,
}

#[derive(Clone)]
enum Piece {
    Text(Cow<'static, str>),
    Value(Result<Value<'static>, String>, Class),
    List(Vec<Piece>),
}

/// Shows the text, and of values what they are.
impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Value(_, class) => write!(f, "{{{class:?}}}"),
            Self::List(pieces) => write!(f, "{{..{} values}}", pieces.len()),
        }
    }
}

impl Sql {
    #[doc(hidden)]
    pub fn new(known: &'static Known) -> Self {
        Self { pieces: SmallVec::new(), known: Some(known) }
    }

    #[doc(hidden)]
    pub fn text(mut self, text: &'static str) -> Self {
        self.pieces.push(Piece::Text(Cow::Borrowed(text)));
        self
    }

    #[doc(hidden)]
    pub fn bind<T: Bind + ?Sized>(mut self, value: &T) -> Self {
        self.pieces.push(piece(value));
        self
    }

    #[doc(hidden)]
    pub fn list<'a, T, I>(mut self, values: &'a I) -> Self
    where
        T: Bind + 'a,
        I: ?Sized,
        &'a I: IntoIterator<Item = &'a T>,
    {
        self.pieces.push(Piece::List(values.into_iter().map(piece).collect()));
        self
    }

    /// SQL text that is made while the program runs. The name says what reviewers have to look for: this text
    /// becomes part of the statement as it is, so nothing in it may come from a user.
    pub fn unchecked(text: impl Into<UncheckedSql>) -> Self {
        Self { pieces: smallvec![Piece::Text(Cow::Owned(text.into().0))], known: None }
    }

    /// Every row.
    ///
    /// # Errors
    /// The database's, and [`ErrorKind::Decode`] when a row is not what the type says.
    pub async fn all<T: FromRow + Send>(self, db: &impl Executor) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.run(db, &mut |row| {
            rows.push(T::from_row(row)?);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// The one row.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none, [`ErrorKind::MultipleRows`] when there are several.
    pub async fn one<T: FromRow + Send>(self, db: &impl Executor) -> Result<T> {
        self.optional(db).await?.ok_or_else(|| query::not_found("sql!"))
    }

    /// The one row, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::MultipleRows`] when there are several.
    pub async fn optional<T: FromRow + Send>(self, db: &impl Executor) -> Result<Option<T>> {
        let mut rows = self.all(db).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            n => Err(Error::new(ErrorKind::MultipleRows, format!("{n} rows were found where one was asked for"))),
        }
    }

    /// Runs it for what it does; gives the number of rows written.
    ///
    /// # Errors
    /// The database's.
    pub async fn execute(self, db: &impl Executor) -> Result<u64> {
        self.run(db, &mut executor::no_rows).await
    }

    async fn run(mut self, db: &impl Executor, sink: cormorant_driver::Sink<'_>) -> Result<u64> {
        let target = db.target();
        let sql = self.sql(target.dialect());
        let mut bound = Bound::default();
        for piece in self.pieces.drain(..) {
            bound.push(piece)?;
        }
        let class = match self.known {
            Some(known) => known.classify(&sql)?,
            None => classify(&sql)?,
        };
        let call = Call {
            sql: &sql,
            values: &bound.values,
            parameters: &bound.parameters,
            order: None,
            outputs: &[],
            writes: class != StatementClass::Read,
            keep: true,
            session: class == StatementClass::Session,
            // Whatever its first word says, it may call a function that writes.
            repeats: false,
            single: false,
            key_query: None,
        };
        Ok(target.call(&call, sink).await?.rows)
    }

    /// The text, with a placeholder for each value. Without a list it is the same each time, and written once.
    fn sql(&self, dialect: Dialect) -> Cow<'static, str> {
        let lists = self.pieces.iter().any(|piece| matches!(piece, Piece::List(_)));
        match self.known {
            Some(known) if !lists => known.text(dialect, || write(&self.pieces, dialect)),
            _ => Cow::Owned(write(&self.pieces, dialect)),
        }
    }
}

/// About how long the text will be.
fn length(pieces: &[Piece]) -> usize {
    let of = |piece: &Piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Value(..) => 3,
        Piece::List(pieces) => pieces.len() * 6,
    };
    pieces.iter().map(of).sum()
}

fn write(pieces: &[Piece], dialect: Dialect) -> String {
    let mut sql = String::with_capacity(length(pieces));
    write_to(&mut sql, pieces, "", dialect, &mut 0);
    sql
}

fn write_to(sql: &mut String, pieces: &[Piece], between: &str, dialect: Dialect, values: &mut usize) {
    for (n, piece) in pieces.iter().enumerate() {
        if n > 0 {
            sql.push_str(between);
        }
        match piece {
            Piece::Text(text) => sql.push_str(text),
            Piece::Value(..) => {
                *values += 1;
                sql.push_str(&dialect.parameter(*values));
            }
            // `IN ()` is no SQL: NULL is in no list.
            Piece::List(pieces) if pieces.is_empty() => sql.push_str("NULL"),
            Piece::List(pieces) => write_to(sql, pieces, ", ", dialect, values),
        }
    }
}

/// The values, in order.
#[derive(Default)]
struct Bound {
    values: SmallVec<[Value<'static>; 4]>,
    parameters: SmallVec<[Parameter; 4]>,
}

impl Bound {
    fn push(&mut self, piece: Piece) -> Result<()> {
        match piece {
            Piece::Text(_) => Ok(()),
            Piece::Value(value, class) => {
                let value =
                    value.map_err(|why| Error::new(ErrorKind::Encode, why).with_parameter(self.values.len()))?;
                self.values.push(value);
                self.parameters.push(Parameter { class, list: false });
                Ok(())
            }
            Piece::List(pieces) => pieces.into_iter().try_for_each(|piece| self.push(piece)),
        }
    }
}

fn piece<T: Bind + ?Sized>(value: &T) -> Piece {
    Piece::Value(value.to_bind(), value.class())
}

/// What the braces of [`sql!`](macro.sql.html) can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound in `sql!`",
    label = "not a value of a column",
    note = "bind a plain value, an Option of one, a &str; spread a list with `{{..list}}`"
)]
pub trait Bind {
    #[doc(hidden)]
    fn to_bind(&self) -> Result<Value<'static>, String>;
    #[doc(hidden)]
    fn class(&self) -> Class;
}

impl<T: Field> Bind for T {
    fn to_bind(&self) -> Result<Value<'static>, String> {
        self.value().map(Value::into_owned).map_err(|unstorable| unstorable.0)
    }

    fn class(&self) -> Class {
        Class::of(T::TYPE)
    }
}

impl Bind for &str {
    fn to_bind(&self) -> Result<Value<'static>, String> {
        Ok(Value::Text(Cow::Owned((*self).to_owned())))
    }

    fn class(&self) -> Class {
        Class::Text
    }
}

macro_rules! borrowed {
    ($($type:ty),*) => {$(
        impl Bind for $type {
            fn to_bind(&self) -> Result<Value<'static>, String> {
                (**self).to_bind()
            }

            fn class(&self) -> Class {
                (**self).class()
            }
        }
    )*};
}

borrowed!(&String, &i16, &i32, &i64, &f64, &bool, &uuid::Uuid, &rust_decimal::Decimal, &jiff::Timestamp);

/// Text that becomes SQL as it is. Its name is what a reviewer looks for: nothing in it may come from a user.
#[derive(Clone, Debug)]
pub struct UncheckedSql(String);

impl UncheckedSql {
    /// Vouches for a text.
    pub fn vouch_for(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
