//! Running a future without an async runtime.

use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

thread_local! {
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a future to its end on this thread, which sleeps while the future cannot go on.
///
/// The thread is marked as waiting before the first poll, so that a server driver knows: it then works on a small
/// runtime that the library owns. On SQLite the future is ready at the first poll and nothing sleeps.
pub fn wait<F: Future>(future: F) -> F::Output {
    let _mark = Mark::set();
    let mut future = pin!(future);
    // Most futures are ready at once: a waker that does nothing costs nothing.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => park(),
        }
    }
}

/// Puts this thread to sleep. A worker of a runtime gives its work to another thread first: the task that serves the
/// connection, or the one that will give back what is waited for, may be next in its own queue.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn park() {
    use tokio::runtime::{Handle, RuntimeFlavor, worker_index};
    // A `LocalSet` runs on no worker, and there the work could not be given away.
    let is_worker = worker_index().is_some()
        && Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_worker { tokio::task::block_in_place(thread::park) } else { thread::park() }
}

#[cfg(not(any(feature = "postgres", feature = "mysql")))]
fn park() {
    thread::park();
}

/// True while this thread is inside [`wait`].
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn is_waiting() -> bool {
    WAITING.get()
}

/// Marks the thread, and puts back what was there: waits may be nested.
struct Mark {
    before: bool,
}

impl Mark {
    fn set() -> Self {
        Self { before: WAITING.replace(true) }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        WAITING.set(self.before);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
