//! Locked reads.

use super::Renderer;
use super::clauses::Clauses;
use super::nested::depths;
use crate::{Fault, Lock, Locking, Taken, Token};

impl Renderer {
    /// What stands behind a query that locks its rows. Those of joined tables are read and stay free, where the
    /// dialect can say so.
    pub(super) fn lock(&mut self, clauses: &Clauses) -> Result<(), Fault> {
        let Some(Locking { lock, taken }) = clauses.lock.filter(|_| self.dialect.locks_rows()) else { return Ok(()) };
        self.push(match lock {
            Lock::Update => " FOR UPDATE",
            Lock::Share => self.dialect.lock_in_share_mode(),
        });
        let scope = self.scope(0)?;
        let (alias, joined) = (scope.alias, !scope.joins.is_empty());
        if joined && self.dialect.locks_one_of_several_tables() {
            self.push(" OF ");
            self.alias(alias);
        }
        self.push(match taken {
            Taken::Wait => "",
            Taken::Fail => " NOWAIT",
            Taken::Skip => " SKIP LOCKED",
        });
        Ok(())
    }
}

/// Refuses to lock what is no row of the table any more.
pub(super) fn check(tokens: &[Token], clauses: &Clauses) -> Result<(), Fault> {
    if clauses.lock.is_none() {
        return Ok(());
    }
    let mut own = tokens.iter().zip(depths(tokens)?).filter(|(_, depth)| *depth == Some(0));
    if !clauses.group_by.is_empty() {
        refuse(clauses, "a group is no row that could be locked")
    } else if clauses.distinct {
        refuse(clauses, "`distinct` makes one of several rows, none of which could be locked")
    } else if !clauses.combined.is_empty() {
        refuse(clauses, "a row of combined queries is no row that could be locked")
    } else if own.any(|(token, _)| matches!(token, Token::Aggregate { .. } | Token::Over { .. })) {
        refuse(clauses, "an aggregate is no row that could be locked")
    } else {
        Ok(())
    }
}

/// Refuses a lock.
pub(super) fn refuse(clauses: &Clauses, why: &str) -> Result<(), Fault> {
    match clauses.lock {
        None => Ok(()),
        Some(_) => Err(Fault::Unsupported {
            what: format!("the query asks for `lock`, but {why}"),
            instead: "leave `lock` out, or lock the rows first with a query that selects them, in the same transaction",
        }),
    }
}
