//! `cargo xtask bench`: what Cormorant costs at run time, beside its peers and the drivers below them.
//!
//! Each system is a process of its own; all of them take turns inside each case, so that what disturbs the machine
//! disturbs everybody. `benchmarks/harness` says what the processes do.

pub(crate) mod build;
mod chart;
mod cores;
mod figures;
mod goals;
pub(crate) mod guard;
pub(crate) mod options;
mod peers;
mod place;
mod process;
mod python;
mod readme;
mod run;
mod table;
mod versions;

// The case list is the harness's own file, so that there is one.
#[allow(unreachable_pub, dead_code, reason = "a library's module, of which this program uses a part")]
#[path = "../../benchmarks/harness/src/case.rs"]
mod case;

use std::fs;
use std::path::{Path, PathBuf};

use figures::Figures;
use options::Options;

/// Measures, prints a table per backend, and writes `target/bench/results.json`. The error is what could not be
/// measured.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut figures = Figures::default();
    let mut failures = Vec::new();
    for backend in &options.backends {
        let peers = peers::chosen(*backend, options);
        for peer in &peers {
            peer.build(*backend)?;
        }
        failures.extend(run::measure(*backend, &peers, options, &mut figures)?);
        println!("\n{}", table::of(*backend, &figures));
        println!("{}", goals::of(*backend, &figures));
    }
    let file = root().join("target/bench/results.json");
    write(&file, &figures.to_json())?;
    eprintln!("written: target/bench/results.json");
    if options.write_readme {
        write(&root().join("benchmarks/chart.svg"), &chart::of(&figures))?;
        readme::write(&figures, options)?;
        eprintln!("written: benchmarks/chart.svg and the README's section on performance");
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n       ")) }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where the peers are built.
fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("bench/peers")
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    let failed = |error| format!("cannot write {}: {error}", file.display());
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    fs::write(file, text).map_err(failed)
}
