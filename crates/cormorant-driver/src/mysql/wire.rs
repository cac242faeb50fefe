//! A mysql_async connection that closes when it is dropped, whatever it is in the middle of.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use mysql_async::Conn;
use mysql_async::consts::StatusFlags;
use tokio::runtime::{Builder, Handle};

use crate::runtime::Home;
use crate::{Error, ErrorKind, Result};

/// A connection and the runtime that serves its socket.
pub(super) struct Wire {
    /// `None` only while being dropped.
    conn: Option<Conn>,
    home: Home,
    /// A statement was sent and its answer is not read to the end.
    busy: bool,
}

impl Wire {
    pub(super) fn new(conn: Conn, home: Home) -> Self {
        Self { conn: Some(conn), home, busy: false }
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// The connection, for one statement: until [`done`](Self::done) it counts as half read.
    pub(super) fn start(&mut self) -> Result<(&Home, &mut Conn)> {
        self.home.check_waiting()?;
        self.busy = true;
        match &mut self.conn {
            Some(conn) => Ok((&self.home, conn)),
            None => Err(Error::new(ErrorKind::ConnectionLost, "the connection was closed")),
        }
    }

    pub(super) fn done(&mut self) {
        self.busy = false;
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.busy && self.conn.as_ref().is_some_and(|conn| !conn.is_disconnected())
    }

    /// Whether the server says that a transaction is open; `None` after an error, which does not say.
    pub(super) fn server_in_transaction(&self) -> Option<bool> {
        let answer = self.conn.as_ref()?.last_ok_packet()?;
        Some(answer.status_flags().contains(StatusFlags::SERVER_STATUS_IN_TRANS))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        if self.busy || conn.is_disconnected() || std::thread::panicking() {
            let _nowhere = nowhere();
            drop(conn);
            return;
        }
        // Nothing is to be read, so one poll sends the goodbye and closes. Where it does not, dropping closes.
        let _here = self.home.handle().enter();
        let mut goodbye = pin!(conn.disconnect());
        let _ = goodbye.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// Polls in the context of the runtime that serves the socket, wherever the caller runs.
pub(super) fn at<F: Future>(home: &Home, mut future: Pin<&mut F>) -> impl Future<Output = F::Output> {
    poll_fn(move |context| {
        let _here = home.handle().enter();
        future.as_mut().poll(context)
    })
}

/// A future that leaves nothing behind when it is dropped in the middle.
pub(super) struct Abandon<F>(Option<Pin<Box<F>>>);

impl<F: Future> Abandon<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Future for Abandon<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match &mut self.0 {
            Some(future) => future.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for Abandon<F> {
    fn drop(&mut self) {
        let _nowhere = nowhere();
        self.0 = None;
    }
}

/// Enters a runtime that has ended: what is spawned there is dropped at once. A mysql_async connection that is
/// dropped in the middle of its rows spawns a task that reads all of them before it closes.
fn nowhere() -> Option<tokio::runtime::EnterGuard<'static>> {
    static ENDED: LazyLock<Option<Handle>> = LazyLock::new(|| {
        let runtime = Builder::new_current_thread().build().ok()?;
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        Some(handle)
    });
    ENDED.as_ref().map(Handle::enter)
}
