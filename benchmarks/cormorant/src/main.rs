//! Cormorant: `cormorant` with `.await` on a current-thread runtime, `cormorant-mt` with `.await` in a task of a
//! multi-thread runtime, `cormorant-wait` with `.wait()`.

mod models;
mod system;

use harness::{Arguments, block_on, serve};
use system::{Awaited, Waited};
use tokio::runtime::Builder;

fn main() {
    let arguments = Arguments::parse();
    match arguments.system.as_str() {
        "cormorant" => {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(serve::<Awaited>(arguments));
        }
        "cormorant-mt" => {
            let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(runtime.spawn(serve::<Awaited>(arguments))).unwrap();
        }
        "cormorant-wait" => block_on(serve::<Waited>(arguments)),
        other => panic!("no system is named {other}"),
    }
}
