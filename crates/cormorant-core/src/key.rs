//! Primary keys.

use std::fmt::Debug;
use std::hash::Hash;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::schema::{ColumnType, TableDef};
use cormorant_sql::{Buffer, Route, Token, Value};
use smallvec::SmallVec;

use crate::query::class_of;
use crate::{ForeignKey, Model, Scalar, Unstorable};

/// The key of a row: one value, or a tuple of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a key",
    note = "a key is an integer, a String, a Uuid, a date or another type with `Eq` and `Hash`, or a tuple of them"
)]
pub trait Key: Clone + Eq + Hash + Debug + Send + Sync + 'static {
    /// What its columns hold.
    const TYPES: KeyTypes;

    /// The value of one of its columns, counted from 0.
    ///
    /// # Errors
    /// [`Unstorable`] when no column holds it.
    fn value(&self, at: usize) -> Result<Value<'_>, Unstorable>;

    /// Gives its values, in the order of the key's columns.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] when a value cannot be stored.
    fn values(&self, take: impl FnMut(Value<'static>)) -> Result<()>;

    /// Its values, borrowed where that is possible. Most keys have one: it is made where it stays, and not moved.
    #[doc(hidden)]
    fn borrowed(&self) -> Result<SmallVec<[Value<'_>; 1]>> {
        let mut values = SmallVec::new();
        self.values(|value| values.push(value))?;
        Ok(values)
    }

    /// Takes it from the next cells of a row, one per column.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] when a cell holds something else.
    fn load(row: &mut Row<'_>) -> Result<Self>;
}

/// What the columns of a key hold, in their order.
#[derive(Clone, Copy, Debug)]
pub struct KeyTypes {
    types: [ColumnType; Self::MAX],
    count: usize,
}

#[allow(clippy::indexing_slicing, reason = "it runs while the program is compiled")]
impl KeyTypes {
    /// The most columns that a key has on every backend.
    const MAX: usize = 16;

    /// Of no column.
    pub const fn none() -> Self {
        Self { types: [ColumnType::I64; Self::MAX], count: 0 }
    }

    /// Of one column.
    pub const fn one(ty: ColumnType) -> Self {
        // Text without a length is as long as a key of text is.
        let ty = match ty {
            ColumnType::Text { max_length: None } => ColumnType::Text { max_length: Some(255) },
            other => other,
        };
        let mut types = Self::none();
        types.types[0] = ty;
        types.count = 1;
        types
    }

    /// Of these columns, and others behind them.
    pub const fn and(mut self, others: Self) -> Self {
        assert!(self.count + others.count <= Self::MAX, "a key has at most 16 columns");
        let mut at = 0;
        while at < others.count {
            self.types[self.count] = others.types[at];
            self.count += 1;
            at += 1;
        }
        self
    }

    /// How many they are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// What the column at a position holds. Of a position behind the last the compiler has said elsewhere that there is
    /// no such column.
    pub const fn at(&self, position: usize) -> ColumnType {
        self.types[position % Self::MAX]
    }
}

/// A field that is a key or a part of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a key",
    note = "a key is an integer, a String, a Uuid, a date or another type with `Eq` and `Hash`, or a `ForeignKey`"
)]
pub trait KeyPart {
    /// Its value in the key.
    type Key: Key;

    /// Its value in the key.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] when it points at a row that is not saved yet.
    fn key(&self) -> Result<Self::Key>;
}

impl<T: Scalar + Eq + Hash + Debug> KeyPart for T {
    type Key = T;

    fn key(&self) -> Result<T> {
        Ok(self.clone())
    }
}

impl<M: Model> KeyPart for ForeignKey<M> {
    type Key = M::Key;

    fn key(&self) -> Result<M::Key> {
        self.key().cloned().ok_or_else(|| Error::new(ErrorKind::Encode, crate::foreign_key::UNSAVED))
    }
}

fn value<T: Scalar>(part: &T) -> Result<Value<'static>> {
    part.to_value().map(Value::into_owned).map_err(|fault| unstorable(&fault))
}

#[cold]
fn unstorable(fault: &Unstorable) -> Error {
    Error::new(ErrorKind::Encode, fault.to_string())
}

impl<T: Scalar + Eq + Hash + Debug> Key for T {
    const TYPES: KeyTypes = KeyTypes::one(T::TYPE);

    #[inline]
    fn value(&self, _at: usize) -> Result<Value<'_>, Unstorable> {
        self.to_value()
    }

    #[inline]
    fn values(&self, mut take: impl FnMut(Value<'static>)) -> Result<()> {
        take(value(self)?);
        Ok(())
    }

    #[inline]
    fn borrowed(&self) -> Result<SmallVec<[Value<'_>; 1]>> {
        let value = self.to_value().map_err(|fault| unstorable(&fault))?;
        Ok(SmallVec::from_buf([value]))
    }

    #[inline]
    fn load(row: &mut Row<'_>) -> Result<Self> {
        row.read(T::from_cell)
    }
}

/// A part may be a key of several columns itself: a foreign key to one.
macro_rules! tuples {
    ($($name:ident $place:tt)*) => {
        impl<$($name: Key),*> Key for ($($name,)*) {
            const TYPES: KeyTypes = KeyTypes::none()$(.and($name::TYPES))*;

            fn value(&self, at: usize) -> Result<Value<'_>, Unstorable> {
                let mut at = at;
                $(
                    if at < $name::TYPES.count() {
                        return self.$place.value(at);
                    }
                    at -= $name::TYPES.count();
                )*
                Err(Unstorable(format!("the key has no column {at} places behind its last")))
            }

            fn values(&self, mut take: impl FnMut(Value<'static>)) -> Result<()> {
                $(self.$place.values(&mut take)?;)*
                Ok(())
            }

            fn load(row: &mut Row<'_>) -> Result<Self> {
                Ok(($($name::load(row)?,)*))
            }
        }
    };
}

tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);

/// A key as one value: of several columns, a list of theirs.
#[inline]
pub(crate) fn whole<K: Key>(key: &K) -> Value<'static> {
    let value = |at| key.value(at).map_or_else(|fault| Value::Unstorable(fault.0.into()), Value::into_owned);
    if K::TYPES.count() == 1 {
        return value(0);
    }
    let mut values = Vec::with_capacity(K::TYPES.count());
    for value in (0..K::TYPES.count()).map(value) {
        // The key is none then.
        if matches!(value, Value::Unstorable(_)) {
            return value;
        }
        values.push(value);
    }
    Value::List(values)
}

/// The values of so many columns that hold a key which is one value. What is no key is refused in each of them.
pub(crate) fn parts(key: Value<'static>, columns: usize) -> impl Iterator<Item = Value<'static>> {
    let (values, other) = match key {
        Value::List(values) => (values, None),
        other => (Vec::new(), Some(other)),
    };
    values.into_iter().chain(other.into_iter().flat_map(move |other| std::iter::repeat_n(other, columns)))
}

/// The condition that the columns of a table at the end of a route are one of these keys, each as one value.
pub(crate) fn push_in(
    buffer: &mut Buffer,
    via: Route,
    table: &'static TableDef,
    columns: &[u16],
    keys: Vec<Value<'static>>,
) {
    for column in columns {
        buffer.push(Token::Column { via, column: *column, outer: 0 });
    }
    let (list, is_in) = match columns {
        [column] => (Token::List(class_of(table, *column)), Token::In),
        _ => (Token::Keys, Token::InRow(columns.len() as u8)),
    };
    buffer.push(list);
    buffer.values.push(Value::List(keys));
    buffer.push(is_in);
}
