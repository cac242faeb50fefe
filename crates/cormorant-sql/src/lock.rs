//! Locks on the rows that a query finds.

/// A lock on the rows that a query finds, until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    /// For a change: nobody else changes, deletes or locks the row.
    Update,
    /// Against changes by others, who may take the same lock.
    Share,
}

/// A lock, and what happens where somebody else has locked a row already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Locking {
    /// The lock.
    pub lock: Lock,
    /// What happens at a row that somebody else has locked.
    pub taken: Taken,
}

/// What happens at a row that somebody else has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taken {
    /// It is waited for.
    Wait,
    /// That is an error, at once.
    Fail,
    /// It is left out.
    Skip,
}

impl Lock {
    /// Where somebody else has locked a row, that is an error at once: nobody is waited for.
    pub fn nowait(self) -> Locking {
        Locking { lock: self, taken: Taken::Fail }
    }

    /// Rows that somebody else has locked are left out: each worker of a queue takes another one.
    pub fn skip_locked(self) -> Locking {
        Locking { lock: self, taken: Taken::Skip }
    }
}

impl From<Lock> for Locking {
    /// A lock that is waited for.
    fn from(lock: Lock) -> Self {
        Self { lock, taken: Taken::Wait }
    }
}
