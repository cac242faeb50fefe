//! What a peer implements.

use std::future::Future;

use crate::{Meter, Place};

/// `Err` is the reason why a case is skipped.
pub type Outcome = Result<(), &'static str>;

/// Of those that leave it to the program which rows are written, in which order and in how many statements.
const NO_UNIT: &str = "no unit of work";

/// A way to use a database, in an open state: it is opened anew for every case.
///
/// Every method is a future so that one trait serves all; a synchronous system's are ready at once. A failure is a
/// panic: it ends the process.
pub trait System: Sized + Send {
    fn open(place: &Place) -> impl Future<Output = Self> + Send;

    /// Runs a statement that binds nothing and whose rows nobody wants.
    fn execute(&mut self, sql: &str) -> impl Future<Output = ()> + Send;

    /// Runs statements that bind nothing, one after the other.
    fn execute_all(&mut self, statements: &[&str]) -> impl Future<Output = ()> + Send {
        async move {
            for statement in statements {
                self.execute(statement).await;
            }
        }
    }

    fn trivial_query(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    fn medium_complex_query(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    fn insert(&mut self, rows: usize, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    fn point_lookup(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    fn update(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    fn save_unchanged(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    /// On one connection, or on as many as there are at its place.
    fn lookups(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    /// Every user, with their posts.
    fn has_many(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    /// Every user, with their posts, with their comments.
    fn three_levels(&mut self, meter: &mut Meter) -> impl Future<Output = Outcome> + Send;

    /// New users with their new posts, in one transaction, the keys of all of them read back.
    fn commit_graph(&mut self, _users: usize, _meter: &mut Meter) -> impl Future<Output = Outcome> + Send {
        async { Err(NO_UNIT) }
    }

    /// Every user was loaded, gets a colour of their own, and is written, all in one transaction.
    fn commit_changes(&mut self, _meter: &mut Meter) -> impl Future<Output = Outcome> + Send {
        async { Err(NO_UNIT) }
    }

    /// What [`commit_graph`](Self::commit_graph) has written is deleted, in one transaction: those users and posts that
    /// the program knows, by their keys.
    fn delete_graph(&mut self, _users: usize, _meter: &mut Meter) -> impl Future<Output = Outcome> + Send {
        async { Err(NO_UNIT) }
    }
}
