//! Dropping a future in the middle.

use std::future::poll_fn;
use std::pin::{Pin, pin};
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

/// A future among others of its kind.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A future as one among others.
pub fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> Boxed<'a, T> {
    Box::pin(future)
}

/// Polls futures together, on one task and in their order, until all are ready.
pub async fn join<T>(mut futures: Vec<Boxed<'_, T>>) -> Vec<T> {
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

const PAUSE: Duration = Duration::from_micros(200);
