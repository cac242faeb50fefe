//! Primary keys.

use std::fmt::Debug;
use std::hash::Hash;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::Value;
use smallvec::SmallVec;

use crate::{ForeignKey, Model, Scalar, Unstorable};

/// The key of a row: one value, or a tuple of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a key",
    note = "a key is an integer, a String, a Uuid, a date or another type with `Eq` and `Hash`, or a tuple of them"
)]
pub trait Key: Clone + Eq + Hash + Debug + Send + Sync + 'static {
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

/// A field that is a key or a part of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "not a key",
    note = "a key is an integer, a String, a Uuid, a date or another type with `Eq` and `Hash`, or a `ForeignKey`"
)]
pub trait KeyPart {
    /// Its value in the key.
    type Key: Scalar + Eq + Hash + Debug;

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

impl<M: Model> KeyPart for ForeignKey<M>
where
    M::Key: Scalar + Key,
{
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

macro_rules! tuples {
    ($($name:ident $place:tt)*) => {
        impl<$($name: Scalar + Eq + Hash + Debug),*> Key for ($($name,)*) {
            fn values(&self, mut take: impl FnMut(Value<'static>)) -> Result<()> {
                $(take(value(&self.$place)?);)*
                Ok(())
            }

            fn load(row: &mut Row<'_>) -> Result<Self> {
                Ok(($(row.read($name::from_cell)?,)*))
            }
        }
    };
}

tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);
