//! The one type a name has on its way into SQL.

use std::borrow::Cow;
use std::fmt;

/// A name of a table, column, constraint, index, savepoint or alias, checked so that quoting it is always possible.
///
/// The rules hold on every backend: not empty, at most 63 bytes (PostgreSQL cuts longer names silently, and two
/// names may then collide), and no control characters (NUL ends a C string; the others hide in logs).
/// Any other character is allowed: the dialect's quoting doubles the closing quote.
///
/// # A name, and one that is refused
/// ```
/// use cormorant_schema::Ident;
/// assert_eq!(Ident::new("order items")?.as_str(), "order items");
/// assert_eq!(
///     Ident::new("a\0b").unwrap_err().to_string(),
///     r#"the name "a\0b" holds the control character U+0000: names are written into SQL and may hold none"#,
/// );
/// # Ok::<(), cormorant_schema::InvalidIdent>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(Cow<'static, str>);

/// PostgreSQL's `NAMEDATALEN - 1`, the shortest limit of the three backends.
pub(crate) const MAX_BYTES: usize = 63;

impl Ident {
    /// Checks a name.
    ///
    /// # Errors
    /// [`InvalidIdent`] when the name is empty, longer than 63 bytes, or holds a control character.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, InvalidIdent> {
        let name = name.into();
        match check(&name) {
            Ok(()) => Ok(Self(name)),
            Err(reason) => Err(InvalidIdent { name: name.into_owned(), reason }),
        }
    }

    /// The name as it is, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(name: &str) -> Result<(), Reason> {
    if name.is_empty() {
        return Err(Reason::Empty);
    }
    if name.len() > MAX_BYTES {
        return Err(Reason::TooLong(name.len()));
    }
    match name.chars().find(|c| c.is_control()) {
        Some(c) => Err(Reason::Control(c)),
        None => Ok(()),
    }
}

/// Why a name cannot be an [`Ident`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIdent {
    name: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Empty,
    TooLong(usize),
    Control(char),
}

impl fmt::Display for InvalidIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Empty => f.write_str("a name is empty: tables, columns and constraints need one"),
            Reason::TooLong(bytes) => write!(
                f,
                "the name {:?} has {bytes} bytes, at most {MAX_BYTES} are allowed on every backend: choose a shorter one",
                self.name
            ),
            Reason::Control(c) => write!(
                f,
                "the name {:?} holds the control character U+{:04X}: names are written into SQL and may hold none",
                self.name, c as u32
            ),
        }
    }
}

impl std::error::Error for InvalidIdent {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_bytes() {
        assert!(Ident::new("x".repeat(63)).is_ok());
        assert!(Ident::new("x".repeat(64)).is_err());
        assert!(Ident::new("é".repeat(32)).is_err(), "64 bytes in 32 characters");
    }

    #[test]
    fn every_control_character_is_refused() {
        let controls = (0..=0x1f).chain(0x7f..=0x9f).filter_map(char::from_u32);
        for c in controls {
            assert!(Ident::new(format!("a{c}b")).is_err(), "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn everything_else_is_a_name() {
        for name in ["a\"; DROP TABLE x;--", "`", "select", "a.b", "a$b", "a#", "x]", "'", "ʼ", " ", "🦀"] {
            assert_eq!(Ident::new(name).unwrap().as_str(), name);
        }
        assert!(Ident::new("").is_err());
    }
}
