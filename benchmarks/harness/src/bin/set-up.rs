//! Prints the statements that make the tables of a case and fill them, one per line: `set-up <backend> <case> <rows>`;
//! with `between` as a fourth word, those that run between its samples. For systems that are not written in Rust.

use harness::data::set_up;
use harness::{Backend, Case};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [backend, case, rows, what @ ..] = words.as_slice() else { panic!("set-up <backend> <case> <rows>") };
    let (backend, case) = (Backend::named(backend).expect("a backend"), Case::named(case).expect("a case"));
    match what {
        [] => set_up(backend, case, rows.parse().expect("a number of rows")).iter().for_each(|it| println!("{it}")),
        _ => backend.clear(case).iter().for_each(|it| println!("{it}")),
    }
}
