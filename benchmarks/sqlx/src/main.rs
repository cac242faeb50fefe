//! SQLx: SQL by hand, rows by the names of their columns, on one connection.

mod backend;
mod insert;
mod models;
mod relations;
mod system;

use harness::{Arguments, serve};
use tokio::runtime::Builder;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve::<system::Peer>(Arguments::parse()));
}
