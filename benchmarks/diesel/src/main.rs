//! Diesel, with its statements cached as it does by itself.

#[cfg_attr(feature = "sqlite", path = "sqlite.rs")]
#[cfg_attr(feature = "postgres", path = "postgres.rs")]
mod backend;
mod insert;
mod models;
mod system;

use harness::{Arguments, block_on, serve};

fn main() {
    block_on(serve::<system::Diesel>(Arguments::parse()));
}
