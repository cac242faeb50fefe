//! The suite. Models are defined beside the tests that use them, and created with `db.create(models![…])`.

#![allow(missing_docs, unused_crate_dependencies, reason = "tests")]

mod cancel;
mod record;
mod transaction;
