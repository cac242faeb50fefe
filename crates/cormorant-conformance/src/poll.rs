//! Dropping a future in the middle.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// Polls a future at most so many times, then drops it. `Some` when it was ready before.
///
/// Between two polls the runtime goes on, so that a server's answer can arrive; after the last the future is dropped
/// at once, with its question on the way.
pub async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    poll_and_leave(future, times, Duration::ZERO).await
}

/// As [`poll_times`], but the future lies untouched for a while before it is dropped: its answer has arrived, and
/// nobody has read it.
pub async fn poll_and_leave<F: Future>(future: F, times: usize, lies: Duration) -> Option<F::Output> {
    let mut future = pin!(future);
    for n in 0..times {
        if n > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let poll = poll_fn(|context| {
            Poll::Ready(match future.as_mut().poll(context) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            })
        })
        .await;
        if poll.is_some() {
            return poll;
        }
    }
    if !lies.is_zero() {
        tokio::time::sleep(lies).await;
    }
    None
}

const PAUSE: Duration = Duration::from_micros(200);
