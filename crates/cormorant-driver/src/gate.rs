//! A gate that lets so many through at a time, first come first served, and says who is inside when it cannot.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_timer::Delay;

/// Lets as many through at a time as it has places, first come first served. A place may hold something: whoever is
/// inside has it to themselves.
#[derive(Debug)]
pub struct Gate<T = ()> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    /// How many places there are, whoever has them.
    places: usize,
    free: Vec<T>,
    waiting: VecDeque<Waiter<T>>,
    /// Rings for all who wait. Each of them setting one of its own would cost more than the rest of waiting.
    alarm: Option<Alarm>,
    holders: Vec<Holder>,
    next: u64,
}

#[derive(Debug)]
struct Waiter<T> {
    id: u64,
    waker: Option<Waker>,
    /// The place it was given, which it does not know yet.
    place: Option<T>,
}

/// Wakes everybody who waits, once, no earlier than said: each then looks at the clock. It is left to ring where
/// nobody waits any more, for the next who does.
#[derive(Debug)]
struct Alarm {
    at: Instant,
    /// Dropped, it would not ring.
    _delay: Delay,
}

/// Who is inside.
#[derive(Clone, Copy, Debug)]
struct Holder {
    id: u64,
    what: &'static str,
    /// Since when somebody has had to wait for it. Looking at the clock each time somebody enters would cost more
    /// than everything else here.
    awaited: Option<Instant>,
}

/// The right to be inside a [`Gate`], with a place; leaving is dropping it. A pass that is used up at once borrows the
/// gate.
#[derive(Debug)]
pub struct Pass<T = (), G: Deref<Target = Gate<T>> = Arc<Gate<T>>> {
    gate: G,
    id: u64,
    /// `None` only while being dropped.
    place: Option<T>,
}

/// Nobody left a [`Gate`] in time. `Display` says who is inside, and for how long at least.
#[derive(Debug)]
pub struct TimedOut {
    /// How long the wait was.
    pub waited: Duration,
    holders: Vec<(&'static str, Duration)>,
    /// How many more borrowed their place to use it up at once, and are not done.
    others: usize,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (what, held)) in self.holders.iter().enumerate() {
            write!(f, "{}{what} for at least {:.1} s", if n > 0 { ", " } else { "" }, held.as_secs_f64())?;
        }
        match (self.others, self.holders.is_empty()) {
            (0, _) => Ok(()),
            (others, first) => write!(f, "{}{others} by a statement that is running", if first { "" } else { ", " }),
        }
    }
}

impl Gate {
    /// A gate that lets one through at a time.
    pub fn single() -> Arc<Self> {
        Self::new(vec![()])
    }
}

impl<T> Gate<T> {
    /// A gate with these places. The last one is taken first.
    pub fn new(places: Vec<T>) -> Arc<Self> {
        let state = State {
            places: places.len(),
            free: places,
            waiting: VecDeque::new(),
            alarm: None,
            holders: Vec::new(),
            next: 1,
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets through at once, or not.
    pub fn try_pass(self: &Arc<Self>, what: &'static str) -> Option<Pass<T>> {
        self.try_choose(what, |places| places.len().checked_sub(1))
    }

    /// Lets through at once to the place that `choose` finds among those that are free; where it finds none there
    /// is no free place for it.
    pub fn try_choose(
        self: &Arc<Self>,
        what: &'static str,
        choose: impl FnOnce(&[T]) -> Option<usize>,
    ) -> Option<Pass<T>> {
        let mut state = self.lock();
        let place = state.take(choose)?;
        let id = state.enter(what);
        drop(state);
        Some(Pass { gate: Arc::clone(self), id, place: Some(place) })
    }

    /// Lets through like [`try_choose`](Self::try_choose) somebody who borrows the gate, to use the place up at once,
    /// and keeps no name.
    #[inline]
    pub fn try_borrow(&self, choose: impl FnOnce(&[T]) -> Option<usize>) -> Option<Pass<T, &Self>> {
        let place = self.lock().take(choose)?;
        Some(Pass { gate: self, id: NOBODY, place: Some(place) })
    }

    /// Whether somebody waits for a place.
    pub fn is_awaited(&self) -> bool {
        self.lock().is_awaited()
    }

    /// Changes the places that are free.
    pub fn change_free(&self, change: impl FnMut(&mut T)) {
        self.lock().free.iter_mut().for_each(change);
    }

    fn queue(&self, now: Instant) -> Ticket<'_, T> {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        for holder in &mut state.holders {
            holder.awaited.get_or_insert(now);
        }
        // Someone may have left since `try_pass`.
        let place = state.free.pop();
        state.waiting.push_back(Waiter { id, waker: None, place });
        Ticket { gate: self, id }
    }

    /// Those inside, and how many more have no name.
    fn holders(&self) -> (Vec<(&'static str, Duration)>, usize) {
        let waited = |holder: &Holder| holder.awaited.map_or(Duration::ZERO, |since| since.elapsed());
        let state = self.lock();
        let promised = state.waiting.iter().filter(|waiter| waiter.place.is_some()).count();
        let inside = state.places - state.free.len() - promised;
        let named = state.holders.iter().map(|holder| (holder.what, waited(holder))).collect();
        (named, inside.saturating_sub(state.holders.len()))
    }

    #[inline]
    fn leave(&self, id: u64, place: T) {
        let mut state = self.lock();
        if id != NOBODY
            && let Some(at) = state.holders.iter().rposition(|holder| holder.id == id)
        {
            state.holders.swap_remove(at);
        }
        // Mostly nobody waits.
        if state.waiting.is_empty() {
            return state.free.push(place);
        }
        let waker = state.hand_on(place);
        drop(state);
        wake(waker);
    }
}

impl<T: Send + 'static> Gate<T> {
    /// Waits to be let through, at most so long. `what` says who waits, for others' errors.
    ///
    /// # Errors
    /// [`TimedOut`] when nobody left in time.
    pub async fn pass(self: &Arc<Self>, what: &'static str, timeout: Duration) -> Result<Pass<T>, TimedOut> {
        match self.try_pass(what) {
            Some(pass) => Ok(pass),
            None => self.wait(what, timeout).await,
        }
    }

    #[cold]
    async fn wait(self: &Arc<Self>, what: &'static str, timeout: Duration) -> Result<Pass<T>, TimedOut> {
        let started = Instant::now();
        // None that is never reached.
        let end = started.checked_add(timeout);
        let ticket = self.queue(started);
        let place = poll_fn(|context| {
            if let Some(place) = ticket.take(context.waker()) {
                return Poll::Ready(Some(place));
            }
            let Some(end) = end else { return Poll::Pending };
            let now = Instant::now();
            if now >= end {
                return Poll::Ready(ticket.take(Waker::noop()));
            }
            self.ring_by(end, now);
            Poll::Pending
        })
        .await;
        match place {
            Some(place) => {
                let id = self.lock().enter(what);
                Ok(Pass { gate: Arc::clone(self), id, place: Some(place) })
            }
            None => {
                let (holders, others) = self.holders();
                Err(TimedOut { waited: started.elapsed(), holders, others })
            }
        }
    }

    /// Sees to it that an alarm rings at this time or before.
    fn ring_by(self: &Arc<Self>, end: Instant, now: Instant) {
        if self.lock().rings_by(end, now) {
            return;
        }
        // Outside of the lock: it may ring at once, and `ring` locks.
        let mut delay = Delay::new(end - now);
        let bell = Waker::from(Arc::new(Bell(Arc::downgrade(self))));
        if Pin::new(&mut delay).poll(&mut Context::from_waker(&bell)).is_ready() {
            return self.ring();
        }
        let mut state = self.lock();
        // Somebody else may have set one since.
        if !state.rings_by(end, now) {
            state.alarm = Some(Alarm { at: end, _delay: delay });
        }
    }

    /// Everybody who waits looks at the clock, and sets the alarm again where its time has not come.
    fn ring(&self) {
        let wakers: Vec<Waker> = self.lock().waiting.iter_mut().filter_map(|waiter| waiter.waker.take()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// What an alarm rings. It keeps no gate from being dropped.
struct Bell<T>(Weak<Gate<T>>);

impl<T: Send + 'static> Wake for Bell<T> {
    fn wake(self: Arc<Self>) {
        if let Some(gate) = self.0.upgrade() {
            gate.ring();
        }
    }
}

/// Wakes who was let through: outside of the lock, as an executor may drop the one it wakes, who then locks too.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The id of those without a name.
const NOBODY: u64 = 0;

impl<T> State<T> {
    /// Takes a place. One is free only when nobody waits for it: `leave` hands it on.
    #[inline]
    fn take(&mut self, choose: impl FnOnce(&[T]) -> Option<usize>) -> Option<T> {
        let at = choose(&self.free).filter(|at| *at < self.free.len())?;
        Some(self.free.swap_remove(at))
    }

    /// Whether an alarm is still to ring, at this time or before.
    fn rings_by(&self, end: Instant, now: Instant) -> bool {
        self.alarm.as_ref().is_some_and(|alarm| now < alarm.at && alarm.at <= end)
    }

    fn is_awaited(&self) -> bool {
        self.waiting.iter().any(|waiter| waiter.place.is_none())
    }

    #[inline]
    fn enter(&mut self, what: &'static str) -> u64 {
        let id = self.next;
        self.next += 1;
        let now = self.is_awaited().then(Instant::now);
        self.holders.push(Holder { id, what, awaited: now });
        id
    }

    /// A place became free: the first who waits gets it, and is to be woken.
    fn hand_on(&mut self, place: T) -> Option<Waker> {
        match self.waiting.iter_mut().find(|waiter| waiter.place.is_none()) {
            Some(waiter) => {
                waiter.place = Some(place);
                waiter.waker.take()
            }
            None => {
                self.free.push(place);
                None
            }
        }
    }
}

/// A turn in the queue. Dropped before it comes it is given up; dropped after, the place passes on.
struct Ticket<'a, T> {
    gate: &'a Gate<T>,
    id: u64,
}

impl<T> Ticket<'_, T> {
    /// The place, once there is one; and with it the turn is used.
    fn take(&self, waker: &Waker) -> Option<T> {
        let mut state = self.gate.lock();
        let at = state.waiting.iter().position(|waiter| waiter.id == self.id)?;
        let waiter = state.waiting.get_mut(at)?;
        if waiter.place.is_none() {
            waiter.waker = Some(waker.clone());
            return None;
        }
        state.waiting.remove(at)?.place
    }
}

impl<T> Drop for Ticket<'_, T> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        let at = state.waiting.iter().position(|waiter| waiter.id == self.id);
        let place = at.and_then(|at| state.waiting.remove(at)).and_then(|waiter| waiter.place);
        let waker = place.and_then(|place| state.hand_on(place));
        drop(state);
        wake(waker);
    }
}

impl<T, G: Deref<Target = Gate<T>>> Pass<T, G> {
    /// What the place holds.
    #[inline]
    pub fn place(&mut self) -> Option<&mut T> {
        self.place.as_mut()
    }
}

impl<T, G: Deref<Target = Gate<T>>> Drop for Pass<T, G> {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.gate.leave(self.id, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn only_so_many_get_through() {
        let gate = Gate::single();
        let pass = wait(gate.pass("the first", SHORT)).unwrap();
        let refused = wait(gate.pass("the second", SHORT)).unwrap_err();
        assert!(refused.to_string().starts_with("the first for at least 0."), "{refused}");
        assert!(refused.waited >= SHORT);
        drop(pass);
        assert!(wait(gate.pass("the third", SHORT)).is_ok());
    }

    #[test]
    fn who_borrows_has_no_name_and_is_counted() {
        let gate = Gate::new(vec![(), (), ()]);
        let _named = gate.try_pass("the first").unwrap();
        let last = |places: &[()]| places.len().checked_sub(1);
        let borrowed = (gate.try_borrow(last).unwrap(), gate.try_borrow(last).unwrap());
        assert!(gate.try_borrow(last).is_none());
        let refused = wait(gate.pass("the fourth", SHORT)).unwrap_err().to_string();
        assert!(refused.ends_with(", 2 by a statement that is running"), "{refused}");
        drop(borrowed);
        assert!(wait(gate.pass("the fourth", SHORT)).is_ok());
    }

    #[test]
    fn who_waits_is_let_through_in_order() {
        let gate = Gate::single();
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
        let gate = Gate::new(vec![(), ()]);
        let held = (gate.try_pass("a").unwrap(), gate.try_pass("b").unwrap());
        let mut promised = Box::pin(gate.pass("promised", Duration::from_secs(10)));
        assert!(promised.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(held); // one place is handed to who waits, and the other is free
        assert!(wait(gate.pass("late", SHORT)).is_ok());
        let _first = gate.try_pass("again").unwrap();
        assert!(gate.try_pass("third").is_none(), "the promised place is not given away");
        assert!(wait(promised).is_ok());
    }

    #[test]
    fn each_wait_ends_in_its_own_time() {
        let gate = Gate::single();
        let _held = gate.try_pass("holder").unwrap();
        let given_up = || {
            let mut waiting = Box::pin(gate.pass("gives up", SHORT));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        };
        given_up(); // its alarm is left, and rings too soon for all but one of the others
        let waits: Vec<_> = [4, 1, 3, 2, 0]
            .map(|times| {
                let gate = Arc::clone(&gate);
                let wait_for = SHORT * times;
                std::thread::spawn(move || (wait_for, wait(gate.pass("waiter", wait_for)).unwrap_err().waited))
            })
            .into_iter()
            .collect();
        for thread in waits {
            let (wanted, waited) = thread.join().unwrap();
            assert!(waited >= wanted && waited < wanted + Duration::from_secs(5), "{waited:?} and not {wanted:?}");
        }
        given_up();
        std::thread::sleep(SHORT * 2); // it rings, and nobody is there
        assert!(wait(gate.pass("late", SHORT)).is_err());
    }

    #[test]
    fn an_alarm_keeps_no_gate() {
        let gate = Gate::new(vec![Arc::new(())]);
        let place = {
            let mut held = gate.try_pass("holder").unwrap();
            let mut waiting = Box::pin(gate.pass("gives up", Duration::from_secs(1000)));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            Arc::downgrade(held.place().unwrap())
        };
        drop(gate);
        assert_eq!(place.strong_count(), 0);
    }

    #[test]
    fn a_wait_may_have_no_end() {
        let gate = Gate::single();
        let held = gate.try_pass("holder").unwrap();
        let mut waiting = Box::pin(gate.pass("waiter", Duration::MAX));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(held);
        assert!(wait(waiting).is_ok());
    }

    #[test]
    fn a_wait_given_up_loses_nothing() {
        let gate = Gate::single();
        for polls in 0..3 {
            let held = gate.try_pass("holder").unwrap();
            let mut waiting = Box::pin(gate.pass("gives up", Duration::from_secs(10)));
            for _ in 0..polls {
                assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
            drop(held); // its turn has come
            drop(waiting); // but it is gone
            assert!(gate.try_pass("the next").is_some(), "after {polls} polls");
        }
    }
}
