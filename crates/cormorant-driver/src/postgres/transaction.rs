//! Where the server's transaction stands. The server says so after every statement, but tokio-postgres keeps it to
//! itself: it is told from the statements that were sent.

use crate::control::Control;

/// Whether a transaction is open, and whether it can still be committed.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    open: bool,
    failed: bool,
}

impl Transaction {
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn is_failed(&self) -> bool {
        self.open && self.failed
    }

    /// Before a statement is sent: cancelled now, it may have begun a transaction.
    pub(super) fn sending(&mut self, control: Control) {
        self.open |= control == Control::Begin;
    }

    pub(super) fn answered(&mut self, control: Control, success: bool) {
        match (control, success) {
            // COMMIT ends the transaction even when it is refused.
            (Control::Commit, _) | (Control::Rollback, true) => *self = Self::default(),
            (Control::Begin, false) => *self = Self::default(),
            (Control::RollbackTo, true) => self.failed = false,
            _ => {}
        }
    }

    /// The server refused a statement. Outside a transaction that is over at once.
    pub(super) fn failed(&mut self) {
        self.failed = self.open;
    }
}
