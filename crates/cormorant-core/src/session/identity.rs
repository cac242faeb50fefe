//! Keys of any type, for the identity map.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::Value;
use smallvec::SmallVec;

use super::entities::Entities;
use crate::Key;

/// The key of a row, as values: what objects of any model are told apart by.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Identity(pub(super) SmallVec<[Value<'static>; 1]>);

impl Identity {
    /// The key that a foreign key of these columns points at; none where one of them is NULL, or waits for its value.
    pub(super) fn pointed(entities: &dyn Entities, at: u32, columns: &[u16]) -> Option<Self> {
        let value = |column: &u16| entities.value(at, *column).ok().filter(|value| !value.is_null());
        columns.iter().map(|column| value(column).map(Value::into_owned)).collect::<Option<_>>().map(Self)
    }

    /// As one value: of several columns, a list of theirs.
    pub(super) fn whole(self) -> Value<'static> {
        match self.0.len() {
            1 => self.0.into_iter().next().unwrap_or(Value::Null),
            _ => Value::List(self.0.into_vec()),
        }
    }

    /// An order of keys of one table: that of numbers and texts.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let values = self.0.iter().zip(&other.0).map(|pair| match pair {
            (Value::Int(one), Value::Int(other)) => one.cmp(other),
            (Value::Text(one), Value::Text(other)) => one.cmp(other),
            (Value::Uuid(one), Value::Uuid(other)) => one.cmp(other),
            _ => Ordering::Equal,
        });
        values.fold(Ordering::Equal, Ordering::then)
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

/// Hashes keys with two multiplications each: an identity map looks one up for every object that is read or written. It
/// begins with a random number, so that nobody can choose keys that collide.
#[derive(Clone, Debug)]
pub(super) struct Seeded(u64);

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0u8))
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded(self.0)
    }
}

/// A state that takes up a word by multiplying to twice the width, and folding the halves together.
pub(super) struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            chunk.iter().zip(&mut word).for_each(|(byte, place)| *place = *byte);
            self.write_u64(u64::from_le_bytes(word));
        }
        self.write_u64(bytes.len() as u64);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word as u64);
    }
}

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
