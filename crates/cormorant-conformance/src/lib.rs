//! One test suite that every backend runs.
//!
//! A test is written once, with [`conformance!`], and becomes three: `name::sqlite`, `name::postgres` and
//! `name::mariadb`. Each gets a [`Fixture`]: an empty database of its own, and a log of the statements sent to it.
//! `cargo xtask test` starts the servers and says where they are; without it the tests of servers fail and say so.

#![allow(clippy::panic, reason = "a fixture that cannot be made fails its test")]

mod fixture;
mod poll;
mod server;

/// The README's and the guide's programs, run by the test command.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/guide/01-active-record-or-session.md")]
    mod active_record_or_session {}
    #[doc = include_str!("../../../docs/guide/02-relations.md")]
    mod relations {}
    #[doc = include_str!("../../../docs/guide/03-unit-of-work.md")]
    mod unit_of_work {}
}

pub use fixture::{Backend, Fixture, unique_name};
pub use poll::{Boxed, boxed, join, poll_and_leave, poll_times};
pub use server::PATIENCE;

/// Defines a test for each backend.
///
/// ```ignore
/// conformance! {
///     /// What must hold everywhere.
///     async fn rows_are_counted(test: &Fixture) {
///         assert_eq!(test.count("SELECT …").await, 0);
///     }
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    ($($(#[$meta:meta])* async fn $name:ident($test:ident: &Fixture) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a test may stand alone")]
            use super::*;

            async fn run($test: &$crate::Fixture) -> ::cormorant::Result<()> {
                $body
                #[allow(unreachable_code, reason = "a test may return early")]
                Ok(())
            }

            #[test]
            fn sqlite() {
                $crate::Fixture::run($crate::Backend::Sqlite, stringify!($name), async |test| run(test).await);
            }

            #[test]
            fn postgres() {
                $crate::Fixture::run($crate::Backend::Postgres, stringify!($name), async |test| run(test).await);
            }

            #[test]
            fn mariadb() {
                $crate::Fixture::run($crate::Backend::MariaDb, stringify!($name), async |test| run(test).await);
            }
        }
    )*};
}
