//! A cell that is not what was asked for.

use std::fmt;

/// A cell that is not what was asked for. Says types, never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    expected: &'static str,
    found: String,
}

impl Mismatch {
    /// What the field's type holds, and what the database gave.
    pub fn new(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.found == NULL {
            return write!(f, "expected {}, found NULL: a field that may be NULL is an `Option`", self.expected);
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

pub(crate) const NULL: &str = "NULL";
