//! The programs beside this file are examples: `cargo run --example item`.
