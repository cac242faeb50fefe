//! SQLite, PostgreSQL and MySQL/MariaDB behind one connection type. No models: SQL and values go in, rows and
//! classified errors come out.
//!
//! - [`Options`] says where a database is and how to use it; [`Pool`] hands out [`Connection`]s.
//! - [`Call`] is a statement with its values; [`Row`] gives its cells by position, straight from the driver's row.
//! - [`Error`] has a kind, and never a value a user stored.
//! - [`wait`] runs any of it without an async runtime.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(unused_variables, unreachable_code, dead_code, reason = "a build without a driver is for libraries")
)]

mod aside;
mod connection;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod control;
mod error;
mod gate;
#[cfg(feature = "postgres")]
mod lane;
mod mismatch;
#[cfg(feature = "mysql")]
mod mysql;
mod options;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod runtime;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod text;
mod waiting;
mod watch;

pub use aside::{Aside, Emit, aside};
pub use connection::{Begin, Call, Connection, Done, Failed, Isolation, Part, Sink, StatementEvent};
pub use cormorant_sql as sql;
pub use error::{Conflict, Error, ErrorKind, Fault, Result};
pub use gate::{Gate, Pass, TimedOut};
pub use mismatch::Mismatch;
pub use options::{Backend, Options};
pub use pool::{Lease, Pool, Request};
pub use row::{Cell, Row};
pub use waiting::wait;
