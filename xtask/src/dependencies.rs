//! What a program that uses SQLite alone has to build.

use std::collections::BTreeSet;
use std::process::Command;

use crate::program::output;

/// The most crates such a program may build, Cormorant's own included.
const MOST_CRATES: usize = 45;

/// Crates that have no place in it: async runtimes, and the drivers that need one.
const UNWANTED: [&str; 3] = ["tokio", "tokio-postgres", "mysql_async"];

/// Checks the dependencies of `cormorant` with its default features.
pub(crate) fn check(cargo: &mut Command) -> Result<String, String> {
    let tree = output(cargo.args(["tree", "--package", "cormorant", "--edges", "normal,build", "--prefix", "none"]))?;
    verdict(&crates(&tree))
}

/// `syn v3.0.9 (proc-macro) (*)` is `syn v3.0.9`.
pub(crate) fn crates(tree: &str) -> BTreeSet<String> {
    let name_and_version = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    tree.lines().map(name_and_version).filter(|name| !name.is_empty()).collect()
}

fn verdict(crates: &BTreeSet<String>) -> Result<String, String> {
    for name in crates {
        let (name, _) = name.split_once(' ').unwrap_or((name, ""));
        if UNWANTED.contains(&name) {
            return Err(format!("{name} is a dependency of a program that uses SQLite alone"));
        }
    }
    match crates.len() {
        0 => Err("cargo tree names no crate".to_owned()),
        n if n > MOST_CRATES => Err(format!("{n} crates for SQLite alone, at most {MOST_CRATES} are allowed")),
        n => Ok(format!("{n} crates for SQLite alone, no async runtime among them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_counted_once() {
        let tree = "cormorant v0.1.0 (/x)\nsyn v3.0.9\nsyn v3.0.9 (*)\n\nquote v1.0.0 (proc-macro)\n";
        assert_eq!(crates(tree).len(), 3);
    }

    #[test]
    fn a_runtime_is_refused() {
        assert!(verdict(&crates("cormorant v0.1.0\ntokio v1.54.1\n")).is_err());
        assert!(verdict(&crates("cormorant v0.1.0\ntokio-macros-like v1.0.0\n")).is_ok());
        assert!(verdict(&crates("")).is_err());
        let many: String = (0..46).map(|n| format!("c{n} v1\n")).collect();
        assert!(verdict(&crates(&many)).is_err());
    }
}
