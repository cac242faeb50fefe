//! A gate that lets so many through at a time, first come first served, and says who is inside when it cannot.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use futures_timer::Delay;

/// Lets so many holders through at a time, first come first served.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: VecDeque<(u64, Waiter)>,
    holders: Vec<(u64, Holder)>,
    next: u64,
}

#[derive(Debug)]
struct Waiter {
    waker: Option<Waker>,
    admitted: bool,
    what: &'static str,
}

/// Who is inside.
#[derive(Clone, Copy, Debug)]
struct Holder {
    what: &'static str,
    since: Instant,
}

/// The right to be inside a [`Gate`]; leaving is dropping it.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    id: u64,
}

/// Nobody left a [`Gate`] in time. `Display` says who is inside, and for how long.
#[derive(Debug)]
pub struct TimedOut {
    /// How long the wait was.
    pub waited: Duration,
    holders: Vec<(&'static str, Duration)>,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (what, held)) in self.holders.iter().enumerate() {
            write!(f, "{}{what} for {:.1} s", if n > 0 { ", " } else { "" }, held.as_secs_f64())?;
        }
        Ok(())
    }
}

impl Gate {
    /// A gate that lets `free` through at a time.
    pub fn new(free: usize) -> Arc<Self> {
        let state = State { free, waiting: VecDeque::new(), holders: Vec::new(), next: 0 };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits to be let through, at most so long. `what` says who waits, for others' errors.
    ///
    /// # Errors
    /// [`TimedOut`] when nobody left in time.
    pub async fn pass(self: &Arc<Self>, what: &'static str, timeout: Duration) -> Result<Pass, TimedOut> {
        if let Some(pass) = self.try_pass(what) {
            return Ok(pass);
        }
        let started = Instant::now();
        let ticket = self.queue(what);
        let mut delay = pin!(Delay::new(timeout));
        let admitted = poll_fn(|context| {
            if ticket.admitted(context.waker()) {
                return Poll::Ready(true);
            }
            delay.as_mut().poll(context).map(|()| false)
        })
        .await;
        if admitted || ticket.admitted(Waker::noop()) {
            return Ok(ticket.into_pass());
        }
        Err(TimedOut { waited: started.elapsed(), holders: self.holders() })
    }

    /// Lets through at once, or not.
    pub fn try_pass(self: &Arc<Self>, what: &'static str) -> Option<Pass> {
        let mut state = self.lock();
        // A place is free only when nobody waits for one: `leave` hands it on.
        if state.free == 0 {
            return None;
        }
        state.free -= 1;
        let id = state.enter(what);
        Some(Pass { gate: Arc::clone(self), id })
    }

    fn queue(self: &Arc<Self>, what: &'static str) -> Ticket {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        // Someone may have left since `try_pass`.
        let admitted = state.free > 0;
        if admitted {
            state.free -= 1;
        }
        state.waiting.push_back((id, Waiter { waker: None, admitted, what }));
        Ticket { gate: Arc::clone(self), id, used: false }
    }

    fn holders(&self) -> Vec<(&'static str, Duration)> {
        self.lock().holders.iter().map(|(_, holder)| (holder.what, holder.since.elapsed())).collect()
    }

    fn leave(&self, id: u64) {
        let mut state = self.lock();
        state.holders.retain(|(other, _)| *other != id);
        state.admit_next();
    }
}

impl State {
    fn enter(&mut self, what: &'static str) -> u64 {
        let id = self.next;
        self.next += 1;
        self.holders.push((id, Holder { what, since: Instant::now() }));
        id
    }

    /// Someone left: the first who waits is let through, else there is one place more.
    fn admit_next(&mut self) {
        match self.waiting.iter_mut().find(|(_, waiter)| !waiter.admitted) {
            Some((_, waiter)) => {
                waiter.admitted = true;
                if let Some(waker) = waiter.waker.take() {
                    waker.wake();
                }
            }
            None => self.free += 1,
        }
    }
}

/// A place in the queue. Dropped before its turn it is given up; dropped after, the turn passes on.
struct Ticket {
    gate: Arc<Gate>,
    id: u64,
    used: bool,
}

impl Ticket {
    fn admitted(&self, waker: &Waker) -> bool {
        let mut state = self.gate.lock();
        let Some((_, waiter)) = state.waiting.iter_mut().find(|(id, _)| *id == self.id) else { return false };
        if !waiter.admitted {
            waiter.waker = Some(waker.clone());
        }
        waiter.admitted
    }

    fn into_pass(mut self) -> Pass {
        self.used = true;
        let mut state = self.gate.lock();
        let what = state.waiting.iter().find(|(id, _)| *id == self.id).map_or("", |(_, waiter)| waiter.what);
        let id = state.enter(what);
        drop(state);
        Pass { gate: Arc::clone(&self.gate), id }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        let at = state.waiting.iter().position(|(id, _)| *id == self.id);
        let waiter = at.and_then(|at| state.waiting.remove(at));
        if waiter.is_some_and(|(_, waiter)| waiter.admitted) && !self.used {
            state.admit_next();
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn only_so_many_get_through() {
        let gate = Gate::new(1);
        let pass = wait(gate.pass("the first", SHORT)).unwrap();
        let refused = wait(gate.pass("the second", SHORT)).unwrap_err();
        assert!(refused.to_string().starts_with("the first for 0."), "{refused}");
        assert!(refused.waited >= SHORT);
        drop(pass);
        assert!(wait(gate.pass("the third", SHORT)).is_ok());
    }

    #[test]
    fn who_waits_is_let_through_in_order() {
        let gate = Gate::new(1);
        let held = gate.try_pass("holder").unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
                let queued = gate.lock().waiting.len();
                let thread = std::thread::spawn({
                    let gate = Arc::clone(&gate);
                    move || {
                        let _pass = wait(gate.pass("waiter", Duration::from_secs(10))).unwrap();
                        order.lock().unwrap().push(n);
                    }
                });
                while gate.lock().waiting.len() == queued {
                    std::thread::yield_now();
                }
                thread
            })
            .collect();
        drop(held);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_free_place_is_taken_while_another_is_promised() {
        let gate = Gate::new(2);
        let held = (gate.try_pass("a").unwrap(), gate.try_pass("b").unwrap());
        let mut promised = Box::pin(gate.pass("promised", Duration::from_secs(10)));
        assert!(promised.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())).is_pending());
        drop(held); // one place is handed to who waits, and the other is free
        assert!(wait(gate.pass("late", SHORT)).is_ok());
        let _first = gate.try_pass("again").unwrap();
        assert!(gate.try_pass("third").is_none(), "the promised place is not given away");
        assert!(wait(promised).is_ok());
    }

    #[test]
    fn a_wait_given_up_loses_nothing() {
        let gate = Gate::new(1);
        for polls in 0..3 {
            let held = gate.try_pass("holder").unwrap();
            let mut waiting = Box::pin(gate.pass("gives up", Duration::from_secs(10)));
            for _ in 0..polls {
                assert!(waiting.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())).is_pending());
            }
            drop(held); // its turn has come
            drop(waiting); // but it is gone
            assert!(gate.try_pass("the next").is_some(), "after {polls} polls");
        }
    }
}
