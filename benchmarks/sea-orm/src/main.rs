//! SeaORM, through its pool.

mod models;
mod system;

use harness::{Arguments, serve};
use tokio::runtime::Builder;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve::<system::Peer>(Arguments::parse()));
}
