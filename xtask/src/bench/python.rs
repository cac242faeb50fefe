//! The systems written in Python: `benchmarks/python`, in a virtual environment of their own.

use std::path::PathBuf;
use std::process::Command;

use super::{root, target};
use crate::program::{find, output};

const HINT: &str = "install Python 3.10 or newer with venv and pip; on Debian and Ubuntu: apt-get install python3-venv";

/// Makes the environment where there is none, and installs what `requirements.txt` says.
pub(super) fn build() -> Result<(), String> {
    let python = find(&["python3"], &[]).ok_or(format!("`python3` is not in PATH: {HINT}"))?;
    if !program("pip").exists() {
        let made = output(Command::new(python).args(["-m", "venv"]).arg(environment()));
        made.map_err(|error| format!("there is no virtual environment for Python: {HINT}; {error}"))?;
    }
    let mut pip = Command::new(program("pip"));
    pip.args(["install", "--quiet", "--requirement"]).arg(directory().join("requirements.txt"));
    output(&mut pip).map(drop)
}

/// What is run, but for the arguments that every system gets.
pub(super) fn command() -> Command {
    let mut command = Command::new(program("python"));
    // Nothing compiled stays beside the sources.
    command.arg("-B").arg(directory().join("main.py")).arg(target().join("release/set-up"));
    command
}

/// The version of a package in the text of `requirements.txt`, whatever the case of its name.
pub(super) fn version(requirements: &str, package: &str) -> Option<String> {
    let versions = requirements.lines().filter_map(|line| line.split_once("=="));
    let mut found = versions.filter(|(name, _)| name.eq_ignore_ascii_case(package));
    found.next().map(|(name, version)| format!("{name} {version}"))
}

pub(super) fn directory() -> PathBuf {
    root().join("benchmarks/python")
}

fn environment() -> PathBuf {
    target().join("python")
}

fn program(name: &str) -> PathBuf {
    environment().join("bin").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_requirements() {
        let requirements = "SQLAlchemy==2.1.9\npsycopg[binary]==3.3.9\n";
        assert_eq!(version(requirements, "sqlalchemy").as_deref(), Some("SQLAlchemy 2.1.9"));
        assert_eq!(version(requirements, "django"), None);
    }
}
