//! Whether the row at the end of a path is certainly there.

use cormorant_driver::Result;

/// How a path reaches its table, and so whether its columns may be NULL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how a path reaches its table",
    label = "expected `Inner` or `Left`"
)]
pub trait Join: 'static {
    /// What a value of type `T` is at the end of the path.
    type Of<T>;

    /// A value, if its row is `present`.
    ///
    /// # Errors
    /// Those of `load`.
    fn of<T>(present: bool, load: impl FnOnce() -> Result<T>) -> Result<Self::Of<T>>;
}

/// The row is there: the path starts at it, or follows foreign keys that are never NULL.
#[derive(Debug)]
pub enum Inner {}

/// The row may be missing: the path follows a nullable foreign key.
#[derive(Debug)]
pub enum Left {}

impl Join for Inner {
    type Of<T> = T;

    fn of<T>(_present: bool, load: impl FnOnce() -> Result<T>) -> Result<T> {
        load()
    }
}

impl Join for Left {
    type Of<T> = Option<T>;

    fn of<T>(present: bool, load: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        if present { load().map(Some) } else { Ok(None) }
    }
}
