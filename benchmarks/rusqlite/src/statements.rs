//! How a statement is come by at each call.

use std::ops::DerefMut;

use rusqlite::{CachedStatement, Connection, Statement};

pub trait Statements {
    /// What is kept between calls.
    type Kept<'c>;
    type Ready<'k, 'c: 'k>: DerefMut<Target = Statement<'c>>;

    fn keep<'c>(connection: &'c Connection, sql: &'c str) -> Self::Kept<'c>;
    fn ready<'k, 'c: 'k>(kept: &'k mut Self::Kept<'c>) -> Self::Ready<'k, 'c>;
}

/// Prepared once and held.
pub struct Held;

impl Statements for Held {
    type Kept<'c> = Statement<'c>;
    type Ready<'k, 'c: 'k> = &'k mut Statement<'c>;

    fn keep<'c>(connection: &'c Connection, sql: &'c str) -> Statement<'c> {
        connection.prepare(sql).unwrap()
    }

    #[inline]
    fn ready<'k, 'c: 'k>(kept: &'k mut Statement<'c>) -> &'k mut Statement<'c> {
        kept
    }
}

/// Looked up by its text in rusqlite's cache.
pub struct Cached;

impl Statements for Cached {
    type Kept<'c> = (&'c Connection, &'c str);
    type Ready<'k, 'c: 'k> = CachedStatement<'c>;

    fn keep<'c>(connection: &'c Connection, sql: &'c str) -> (&'c Connection, &'c str) {
        (connection, sql)
    }

    #[inline]
    fn ready<'k, 'c: 'k>((connection, sql): &'k mut (&'c Connection, &'c str)) -> CachedStatement<'c> {
        connection.prepare_cached(sql).unwrap()
    }
}
