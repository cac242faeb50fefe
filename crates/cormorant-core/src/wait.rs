//! Plain code.

use cormorant_driver::Error;

/// Runs an operation without async: `.wait()` where async code writes `.await`.
///
/// On SQLite the operation runs on the calling thread. A server's driver runs on a small runtime that the library
/// owns. On the thread of a current-thread runtime, an operation on a connection that this runtime serves is an
/// error, since it would wait for ever.
pub trait Wait<T, E>: Future<Output = Result<T, E>> + Sized {
    /// Waits for the operation to end.
    ///
    /// # Errors
    /// The operation's.
    fn wait(self) -> Result<T, E> {
        cormorant_driver::wait(self)
    }
}

impl<T, E: From<Error>, F: Future<Output = Result<T, E>>> Wait<T, E> for F {}
