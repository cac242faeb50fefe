//! Installing a server where that needs no question: as root, on Debian and its relatives.

use std::process::{Command, Stdio};

use super::account::is_root;
use crate::program::{describe, find};

/// Installs `package`; `missing` says what for.
pub(super) fn install(package: &str, missing: &str) -> Result<(), String> {
    if find(&["apt-get"], &[]).is_none() || !is_root()? {
        return Err(format!(
            "{missing}: install it (on Debian and Ubuntu with `apt-get install {package}`), or put its programs in PATH"
        ));
    }
    eprintln!("{missing}: installing the package {package}");
    // One source that is down does not mean that the package cannot be had.
    if let Err(warning) = apt_get(&["update"]) {
        eprintln!("warning: {warning}");
    }
    apt_get(&["install", "--yes", "--no-install-recommends", package])
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    // Someone else's apt-get may be at work.
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    // Standard output is for our own result.
    command.stdin(Stdio::null()).stdout(std::io::stderr());
    eprintln!("$ {}", describe(&command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed ({status})", describe(&command))),
        Err(error) => Err(format!("cannot run `{}`: {error}", describe(&command))),
    }
}
