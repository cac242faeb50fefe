//! What was measured on what: machine, versions, date.

use std::fs;
use std::process::Command;

use super::{python, root};
use crate::program::output;

/// `2 cores of Intel(R) Xeon(R) Processor`.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}", processor())
}

/// The processor, as Linux names it.
pub(super) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or("an unknown processor", |(_, name)| name.trim()).to_owned()
}

pub(super) fn compiler() -> String {
    let text = output(Command::new("rustc").arg("--version")).unwrap_or_default();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// `2026-11-20`.
pub(super) fn date() -> String {
    output(Command::new("date").args(["-u", "+%Y-%m-%d"])).unwrap_or_default()
}

/// The versions of a peer's crate and of the SQLite bindings it links, from its lock file; of a package of Python's from
/// the requirements.
pub(super) fn of_peer(peer: &str) -> String {
    let requirements = fs::read_to_string(python::directory().join("requirements.txt")).unwrap_or_default();
    if let Some(version) = python::version(&requirements, peer) {
        return version;
    }
    let lock = fs::read_to_string(root().join("benchmarks").join(peer).join("Cargo.lock")).unwrap_or_default();
    let version = |name: &str| version(&lock, name);
    let own = version(peer).unwrap_or_default();
    match version("libsqlite3-sys") {
        Some(bindings) => format!("{peer} {own} (libsqlite3-sys {bindings})"),
        None => format!("{peer} {own}"),
    }
}

fn version(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1)?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock = "[[package]]\nname = \"sqlx\"\nversion = \"0.9.0\"\n\n[[package]]\nname = \"sqlx-core\"\n";
        assert_eq!(version(lock, "sqlx").as_deref(), Some("0.9.0"));
        assert_eq!(version(lock, "diesel"), None);
    }
}
