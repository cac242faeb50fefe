//! Statements as text: on the left what is built, on the right what is written.
//!
//! Every statement for SQLite is also prepared on a real one, so that no text passes that only looks right.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy takes for a program"
)]

mod build;
mod chains;
mod composite;
mod conflict;
mod ddl;
mod decimals;
mod expression;
mod functions;
mod hostile;
mod literal;
mod lock;
mod property;
mod select;
mod shapes;
mod sqlite;
mod subquery;
mod tables;
mod update_rows;
mod write;
