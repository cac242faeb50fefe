//! Why a statement cannot be written.

use std::fmt;

use cormorant_schema::InvalidIdent;

/// Why a statement cannot be written as SQL.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// A name that no dialect can quote.
    Name(InvalidIdent),
    /// Something the dialect lacks.
    Unsupported {
        /// What was asked.
        what: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// More than a statement may hold.
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Tokens that do not make a statement: a fault in whoever built them.
    Malformed(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(invalid) => invalid.fmt(f),
            Self::Unsupported { what, instead } => write!(f, "{what}: {instead}"),
            Self::TooMuch { what, limit } => write!(f, "too many {what}: at most {limit} fit one statement"),
            Self::Malformed(what) => write!(f, "the statement is malformed: {what}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<InvalidIdent> for Fault {
    fn from(invalid: InvalidIdent) -> Self {
        Self::Name(invalid)
    }
}
