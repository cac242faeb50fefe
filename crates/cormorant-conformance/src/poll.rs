//! Dropping a future in the middle.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Polls a future at most so many times, then drops it. `Some` when it was ready before.
///
/// Between two polls the runtime goes on, so that a server's answer can arrive.
pub async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
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
        tokio::time::sleep(std::time::Duration::from_micros(200)).await;
    }
    None
}
