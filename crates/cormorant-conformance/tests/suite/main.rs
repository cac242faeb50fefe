//! The suite. Models are defined beside the tests that use them, and created with `db.create(models![…])`.

#![allow(missing_docs, unused_crate_dependencies, reason = "tests")]

mod cancel;
mod faults;
mod golden;
mod keys;
mod names;
mod operators;
mod pool;
mod query;
mod raw;
mod record;
mod schema;
mod secrets;
mod transaction;
mod types;
mod waiting;
