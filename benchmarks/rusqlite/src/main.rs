//! The floor on SQLite: SQL by hand, columns by index.
//!
//! `rusqlite` holds its prepared statements, `rusqlite-cached` finds them in rusqlite's cache at every call, which is
//! what a library has to do.

mod graph;
mod insert;
mod relations;
mod statements;
mod system;

use harness::{Arguments, block_on, serve};
use statements::{Cached, Held};
use system::Floor;

fn main() {
    let arguments = Arguments::parse();
    match arguments.system.as_str() {
        "rusqlite" => block_on(serve::<Floor<Held>>(arguments)),
        "rusqlite-cached" => block_on(serve::<Floor<Cached>>(arguments)),
        other => panic!("no system is named {other}"),
    }
}
