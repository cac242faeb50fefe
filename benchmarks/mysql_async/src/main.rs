//! The floor on MariaDB: SQL by hand, statements held, columns by index.
//!
//! `mysql_async` runs on a current-thread runtime, which is its fastest; `mysql_async-mt` in a task of a
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
        "mysql_async" => {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(serve::<Floor>(arguments));
        }
        "mysql_async-mt" => {
            let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(runtime.spawn(serve::<Floor>(arguments))).unwrap();
        }
        other => panic!("no system is named {other}"),
    }
}
