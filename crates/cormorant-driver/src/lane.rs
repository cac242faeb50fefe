//! Queries side by side on one connection.
//!
//! PostgreSQL takes statements while it has not answered the last one. Where every connection is taken, a query that
//! gives at most one row and changes nothing need not wait for its turn: it goes with others of its kind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::connection::refuse_unstorable;
use crate::postgres::Session;
use crate::watch::Watch;
use crate::{Call, Done, Lease, Result, Sink};

/// As many queries go side by side at most.
const MOST: usize = 64;

/// A connection that has said nothing for so long may be busy with something long: nobody queues up behind that.
const LATELY: Duration = Duration::from_millis(10);

/// A connection that queries share. It goes back to the pool when the last of them is done.
#[derive(Debug)]
pub(crate) struct Lane {
    session: Arc<Session>,
    watch: Watch,
    /// When a query of it was answered, or it was opened.
    heard: Mutex<Instant>,
    /// A query was dropped before its answer came: the server was asked to stop, and may stop another one instead.
    abandoned: AtomicBool,
    lease: Mutex<Lease>,
}

impl Lane {
    pub(crate) fn new(lease: Lease, session: Arc<Session>, watch: Watch) -> Self {
        let (heard, abandoned) = (Mutex::new(Instant::now()), AtomicBool::new(false));
        Self { session, watch, heard, abandoned, lease: Mutex::new(lease) }
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    fn takes_more(&self) -> bool {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        !self.is_abandoned() && self.session.is_alive() && self.session.home().is_here() && heard.elapsed() < LATELY
    }

    /// Runs a query of at most one row beside the others.
    pub(crate) async fn run(&self, call: &Call<'_>, sink: Sink<'_>) -> Result<Done> {
        refuse_unstorable(call.values)?;
        let mut riding = Riding { lane: self, arrived: false };
        let started = self.watch.started();
        let result = self.session.run_single(call, sink).await;
        riding.arrived = true;
        self.watch.report(started, call.sql, false);
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        result
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let lease = self.lease.get_mut().unwrap_or_else(PoisonError::into_inner);
        if *self.abandoned.get_mut()
            && let Ok(connection) = lease.connection()
        {
            connection.abandon();
        }
    }
}

/// A query on its way.
struct Riding<'a> {
    lane: &'a Lane,
    arrived: bool,
}

impl Drop for Riding<'_> {
    fn drop(&mut self) {
        // Whoever comes behind should not have to wait for what nobody waits for. One question is enough: the
        // connection asks again when it is closed.
        if !self.arrived && !self.lane.abandoned.swap(true, Ordering::AcqRel) && self.lane.session.is_alive() {
            self.lane.session.cancel(None);
        }
    }
}

/// The lanes that are open.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<Vec<Weak<Lane>>>);

impl Lanes {
    pub(crate) fn open(&self, lane: &Arc<Lane>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(lane));
    }

    /// The one with the fewest queries that takes another.
    pub(crate) fn join(&self) -> Option<Arc<Lane>> {
        // Those that are not taken are let go behind the lock: one may be the last to hold its lane.
        let mut lanes = Vec::new();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|lane| lane.strong_count() > 0);
        lanes.extend(open.iter().filter(|lane| lane.strong_count() < MOST).filter_map(Weak::upgrade));
        drop(open);
        lanes.retain(|lane| lane.takes_more());
        lanes.into_iter().min_by_key(Arc::strong_count)
    }
}
