//! Keys of any type, for the identity map.

use std::hash::{Hash, Hasher};
use std::mem;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::Value;
use smallvec::SmallVec;

use crate::Key;

/// The key of a row, as values: what objects of any model are told apart by.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Identity(pub(super) SmallVec<[Value<'static>; 1]>);

impl Identity {
    /// A key of one value.
    pub(super) fn of_value(value: Value<'static>) -> Self {
        Self([value].into_iter().collect())
    }

    pub(super) fn of(key: &impl Key) -> Result<Self> {
        let mut values = SmallVec::new();
        key.values(|value| values.push(value))?;
        match values.iter().find_map(|value| if let Value::Unstorable(why) = value { Some(why) } else { None }) {
            Some(why) => Err(Error::new(ErrorKind::Encode, why.as_ref())),
            None => Ok(Self(values)),
        }
    }
}

/// A key is never a float, the one value that is not equal to itself.
impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in &self.0 {
            mem::discriminant(value).hash(state);
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
