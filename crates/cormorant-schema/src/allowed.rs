//! The values of a type that has but a few.

use std::fmt;

/// The values that a column may hold, in the order in which the type declares them.
///
/// # As a message lists them
/// ```
/// use cormorant_schema::Allowed;
/// assert_eq!(Allowed::Texts(&["draft", "published"]).to_string(), "`draft`, `published`");
/// assert_eq!(Allowed::Integers(&[1, 2]).to_string(), "1, 2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// One of these texts.
    Texts(&'static [&'static str]),
    /// One of these integers.
    Integers(&'static [i64]),
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = |n| if n == 0 { "" } else { ", " };
        match self {
            Self::Texts(texts) => {
                texts.iter().enumerate().try_for_each(|(n, text)| write!(f, "{}`{text}`", between(n)))
            }
            Self::Integers(integers) => {
                integers.iter().enumerate().try_for_each(|(n, integer)| write!(f, "{}{integer}", between(n)))
            }
        }
    }
}
