//! Work on a thread of its own, whose results travel in chunks.

use std::pin::Pin;

use futures_channel::mpsc;
use futures_core::Stream as _;

use crate::{Error, ErrorKind, Result, wait};

/// What a thread makes, as it comes. Dropped, the thread stops at the next thing it makes.
#[derive(Debug)]
pub struct Aside<T>(mpsc::Receiver<Result<Vec<T>>>);

/// Where a thread puts what it makes.
#[derive(Debug)]
pub struct Emit<T> {
    sender: mpsc::Sender<Result<Vec<T>>>,
    chunk: Vec<T>,
    most: usize,
}

/// Does work on a thread of its own. What it makes travels so many at a time; whoever reads slowly holds back the work,
/// not the memory.
///
/// # Errors
/// [`ErrorKind::Other`] when no thread can be started.
pub fn aside<T: Send + 'static>(
    most: usize,
    work: impl FnOnce(&mut Emit<T>) -> Result<()> + Send + 'static,
) -> Result<Aside<T>> {
    let (sender, receiver) = mpsc::channel(0);
    let mut emit = Emit { sender, chunk: Vec::new(), most };
    let run = move || {
        let done = work(&mut emit);
        let rest = std::mem::take(&mut emit.chunk);
        let last = match (done, rest.is_empty()) {
            (Ok(()), true) => return,
            (Ok(()), false) => emit.send(Ok(rest)),
            (Err(error), true) => emit.send(Err(error)),
            (Err(error), false) => emit.send(Ok(rest)).and_then(|()| emit.send(Err(error))),
        };
        // Where nobody waits any more there is nobody to tell.
        drop(last);
    };
    let thread = std::thread::Builder::new().name("cormorant-stream".to_owned()).spawn(run);
    match thread {
        Ok(_) => Ok(Aside(receiver)),
        Err(error) => Err(Error::new(ErrorKind::Other, format!("no thread can be started for the stream: {error}"))),
    }
}

impl<T> Emit<T> {
    /// Puts one thing there.
    ///
    /// # Errors
    /// When nobody waits for it any more: the work is to stop.
    #[inline]
    pub fn put(&mut self, item: T) -> Result<()> {
        if self.chunk.capacity() == 0 {
            self.chunk.reserve_exact(self.most);
        }
        self.chunk.push(item);
        if self.chunk.len() < self.most {
            return Ok(());
        }
        let full = std::mem::take(&mut self.chunk);
        self.send(Ok(full))
    }

    fn send(&mut self, chunk: Result<Vec<T>>) -> Result<()> {
        let abandoned = |_| Error::new(ErrorKind::Misuse, "nobody reads the stream any more");
        wait(std::future::poll_fn(|context| self.sender.poll_ready(context))).map_err(abandoned)?;
        self.sender.start_send(chunk).map_err(abandoned)
    }
}

impl<T> Aside<T> {
    /// The next chunk; `None` at the end of the work.
    ///
    /// # Errors
    /// The work's.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>> {
        std::future::poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await.transpose()
    }
}
