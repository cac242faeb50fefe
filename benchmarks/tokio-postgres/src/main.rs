//! The floor on PostgreSQL: SQL by hand, statements held, columns by index.
//!
//! `tokio-postgres` runs on a current-thread runtime, which is its fastest; `tokio-postgres-mt` in a task of a
//! multi-thread runtime.

mod graph;
mod insert;
mod relations;
mod rows;
mod system;

use harness::{Arguments, serve};
use system::Floor;
use tokio::runtime::Builder;

fn main() {
    let arguments = Arguments::parse();
    match arguments.system.as_str() {
        "tokio-postgres" => {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(serve::<Floor>(arguments));
        }
        "tokio-postgres-mt" => {
            let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(runtime.spawn(serve::<Floor>(arguments))).unwrap();
        }
        other => panic!("no system is named {other}"),
    }
}
