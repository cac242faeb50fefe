//! diesel-async: on SQLite Diesel on a thread of its own, elsewhere an async driver below Diesel's queries.

#[cfg_attr(feature = "sqlite", path = "sqlite.rs")]
#[cfg_attr(feature = "postgres", path = "postgres.rs")]
#[cfg_attr(feature = "mariadb", path = "mariadb.rs")]
mod backend;
mod insert;
mod models;
mod system;

use harness::{Arguments, serve};
use tokio::runtime::Builder;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve::<system::Peer>(Arguments::parse()));
}
