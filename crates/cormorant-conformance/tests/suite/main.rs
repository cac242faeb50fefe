//! The suite. Models are defined beside the tests that use them, and created with `db.create(models![…])`.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod bulk;
mod cancel;
mod composite;
mod counts;
mod detour;
mod enums;
mod faults;
mod golden;
mod golden_relations;
mod graphs;
mod keys;
mod locks;
mod mapper;
mod names;
mod operators;
mod pipeline;
mod pool;
mod query;
mod raw;
mod record;
mod relations;
mod schema;
mod secrets;
mod session;
mod session_cascades;
mod session_counts;
mod session_graph;
mod session_merge;
mod session_oracle;
mod side_by_side;
mod slow;
mod stream;
mod transaction;
mod types;
mod update_many;
mod upsert;
mod upsert_many;
mod waiting;
