//! Which Tokio runtime a server connection lives on.
//!
//! Its socket belongs to one runtime. In async code that is the caller's; from [`wait`](crate::wait), and on other
//! executors, it is a small one that the library owns: blocking a thread of the caller's runtime while that same
//! runtime has to serve the socket could wait for ever.

use std::sync::OnceLock;
use std::thread::ThreadId;

use tokio::runtime::{Builder, Handle, Id, Runtime, RuntimeFlavor};

use crate::waiting::is_waiting;
use crate::{Error, ErrorKind, Result};

/// Where a connection lives.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    handle: Handle,
    /// The one thread that serves it, where the runtime has no other.
    only_thread: Option<ThreadId>,
}

impl Home {
    /// The home of a connection made here and now.
    pub(crate) fn here() -> Result<Self> {
        match Handle::try_current() {
            Ok(handle) if !is_waiting() => {
                let single = handle.runtime_flavor() == RuntimeFlavor::CurrentThread;
                Ok(Self { handle, only_thread: single.then(|| std::thread::current().id()) })
            }
            _ => Ok(Self { handle: owned()?.handle().clone(), only_thread: None }),
        }
    }

    /// Where its tasks run.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether a connection of this home is the one to use here: the caller's runtime, or the library's.
    pub(crate) fn is_here(&self) -> bool {
        match Handle::try_current() {
            Ok(current) if !is_waiting() => current.id() == self.handle.id(),
            _ => OWNED.get().and_then(|owned| owned.as_ref().ok()).map(|owned| owned.handle().id()) == Some(self.id()),
        }
    }

    /// Refuses to put the one thread to sleep that would have to wake it.
    pub(crate) fn check_waiting(&self) -> Result<()> {
        if is_waiting() && self.only_thread == Some(std::thread::current().id()) {
            return Err(Error::new(
                ErrorKind::Misuse,
                "`.wait()` on the thread of a current-thread runtime would stop the runtime that serves the connection: \
                 write `.await`, or call it in `spawn_blocking`",
            ));
        }
        Ok(())
    }

    fn id(&self) -> Id {
        self.handle.id()
    }
}

static OWNED: OnceLock<std::io::Result<Runtime>> = OnceLock::new();

/// The library's own runtime: one thread that serves sockets.
fn owned() -> Result<&'static Runtime> {
    let built = OWNED.get_or_init(|| {
        Builder::new_multi_thread().worker_threads(1).thread_name("cormorant").enable_io().enable_time().build()
    });
    built.as_ref().map_err(|error| {
        Error::new(ErrorKind::Misuse, format!("the library's own runtime could not be started: {error}"))
    })
}
