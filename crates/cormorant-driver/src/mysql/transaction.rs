//! Where a transaction stands. The server ends one by itself more often than it says so in an error.

use crate::control::Control;
use crate::{Error, ErrorKind, Result};

/// Where the session's transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction {
    /// There is none.
    None,
    /// Begun by the library. `told`: the server has said so, and its silence means that the transaction is over.
    Open { told: bool },
    /// Begun by a statement of the user's own.
    ByHand,
    /// Failed half-way: rolling back is all that is left.
    Failed(Failure),
    /// Committed by a statement that cannot be part of one.
    Over,
}

/// What made a transaction fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A lock was not granted in time: that statement is undone, those before it are not.
    HalfDone,
    /// The server has rolled all of it back, savepoints too.
    RolledBack,
}

impl Transaction {
    pub(super) fn is_open(self) -> bool {
        self != Self::None
    }

    /// Refuses what would run outside of the transaction it was meant for.
    pub(super) fn check(self, control: Control) -> Result<()> {
        let why = match (self, control) {
            (_, Control::Rollback) | (Self::Over, Control::Commit) => return Ok(()),
            (Self::Over, Control::RollbackTo) => return Err(not_rolled_back()),
            (Self::Failed(Failure::HalfDone), _) => "a lock was not granted in time, which leaves it half done",
            (Self::Failed(Failure::RolledBack), _) => "the server rolled it back because of a conflict with another",
            (Self::Over, _) => {
                return Err(Error::new(
                    ErrorKind::TransactionPoisoned,
                    "the transaction is over: MySQL and MariaDB commit before a statement such as CREATE TABLE; \
                     run that outside of a transaction",
                ));
            }
            _ => return Ok(()),
        };
        Err(Error::new(
            ErrorKind::TransactionPoisoned,
            format!("the transaction failed: {why}; roll it back and run all of it again"),
        ))
    }

    /// Whether an error of the server may have ended it: an error does not say, and a CREATE TABLE that fails has
    /// committed all the same.
    pub(super) fn may_have_ended(self) -> bool {
        self == Self::Open { told: true }
    }

    /// The server told whether a transaction is open.
    pub(super) fn told(&mut self, open: bool) {
        *self = match (*self, open) {
            (Self::None, true) => Self::ByHand,
            (Self::ByHand, false) => Self::None,
            (Self::Open { .. }, true) => Self::Open { told: true },
            (Self::Open { told: true }, false) => Self::Over,
            (same, _) => same,
        };
    }

    /// A statement failed with this error of the server.
    pub(super) fn failed(&mut self, code: u16) {
        let failure = match code {
            1205 => Failure::HalfDone,
            // A full lock table, a snapshot that is too old (MariaDB), a deadlock, a cluster that disagrees.
            1020 | 1206 | 1213 => Failure::RolledBack,
            _ => return,
        };
        if let Self::Open { .. } = self {
            *self = Self::Failed(failure);
        }
    }
}

/// What was to be rolled back was committed before.
pub(super) fn not_rolled_back() -> Error {
    Error::new(
        ErrorKind::NotRolledBack,
        "the transaction could not be rolled back: a statement in it, such as CREATE TABLE, had committed it; \
         look at what it left",
    )
}
