//! Keys of any type, for the identity map, and what else rows are told apart by.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::Value;
use smallvec::SmallVec;

use crate::Key;

/// The key of a row, or what it has in the columns of a unique constraint, as values: what rows of any model are told
/// apart by.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Identity(pub(crate) SmallVec<[Value<'static>; 1]>);

impl Identity {
    /// As one value: of several columns, a list of theirs.
    pub(crate) fn whole(self) -> Value<'static> {
        match self.0.len() {
            1 => self.0.into_iter().next().unwrap_or(Value::Null),
            _ => Value::List(self.0.into_vec()),
        }
    }

    /// An order of those of one table. What is equal in it is equal.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let values = self.0.iter().zip(&other.0).map(|pair| match pair {
            (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
            (Value::Int(one), Value::Int(other)) => one.cmp(other),
            // Never NaN: no column holds it.
            (Value::Float(one), Value::Float(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
            (Value::Decimal(one), Value::Decimal(other)) => one.cmp(other),
            (Value::Text(one), Value::Text(other)) => one.cmp(other),
            (Value::Bytes(one), Value::Bytes(other)) => one.cmp(other),
            (Value::Date(one), Value::Date(other)) => one.cmp(other),
            (Value::Time(one), Value::Time(other)) => one.cmp(other),
            (Value::DateTime(one), Value::DateTime(other)) => one.cmp(other),
            (Value::Timestamp(one), Value::Timestamp(other)) => one.cmp(other),
            (Value::Uuid(one), Value::Uuid(other)) => one.cmp(other),
            _ => Ordering::Equal,
        });
        values.fold(Ordering::Equal, Ordering::then)
    }

    pub(crate) fn of(key: &impl Key) -> Result<Self> {
        let mut values = SmallVec::new();
        key.values(|value| values.push(value))?;
        match values.iter().find_map(|value| if let Value::Unstorable(why) = value { Some(why) } else { None }) {
            Some(why) => Err(Error::new(ErrorKind::Encode, why.as_ref())),
            None => Ok(Self(values)),
        }
    }
}

/// Hashes keys with few multiplications: an identity map looks one up for every object that is read or written. It
/// begins with a random number, so that nobody can choose keys that collide.
pub(crate) type Seeded = foldhash::fast::RandomState;

/// A key is never a float, the one value that is not equal to itself.
impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in &self.0 {
            match value {
                Value::Null | Value::Float(_) | Value::List(_) => {}
                Value::Bool(value) => value.hash(state),
                Value::Int(value) => value.hash(state),
                Value::Decimal(value) => value.hash(state),
                Value::Text(value) => value.hash(state),
                Value::Bytes(value) => value.hash(state),
                Value::Date(value) => value.hash(state),
                Value::Time(value) => value.hash(state),
                Value::DateTime(value) => value.hash(state),
                Value::Timestamp(value) => value.hash(state),
                Value::Uuid(value) => value.hash(state),
                Value::Unstorable(why) => why.hash(state),
                // A variant to come: equal values still have equal hashes.
                _ => {}
            }
        }
    }
}
