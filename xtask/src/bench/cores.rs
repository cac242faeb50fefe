//! Which cores this program and those it starts run on.
//!
//! A core that idles takes tens of microseconds to wake up. With client and server on two cores that time is part of
//! every small query, comes and goes, and hides all differences between clients; on one core the sum of their work is
//! measured. Large results are made and read side by side, and there the second core counts.

use std::process::Command;

use crate::program::output;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cores {
    One,
    All,
}

/// Puts the old cores back when dropped.
pub(super) struct Restricted(Option<String>);

impl Cores {
    /// Everything started while the value lives runs there.
    pub(super) fn restrict(self) -> Restricted {
        if self == Self::All {
            return Restricted(None);
        }
        let all = allowed();
        if let Err(error) = all.as_ref().map_err(|error| *error).and_then(|all| set(last(all))) {
            eprintln!("warning: small cases run on all cores, where they wander: {error}");
        }
        Restricted(all.ok())
    }
}

impl Drop for Restricted {
    fn drop(&mut self) {
        if let Some(cores) = &self.0
            && let Err(error) = set(cores)
        {
            eprintln!("warning: everything goes on on one core: {error}");
        }
    }
}

/// As `taskset` writes it: `0-3,8`.
fn allowed() -> Result<String, &'static str> {
    let id = std::process::id().to_string();
    let text = output(Command::new("taskset").args(["--pid", "--cpu-list", &id])).map_err(|_| NO_TASKSET)?;
    text.rsplit_once(": ").map(|(_, cores)| cores.to_owned()).ok_or(NO_TASKSET)
}

const NO_TASKSET: &str = "`taskset` of util-linux is needed to change that";

fn set(cores: &str) -> Result<(), &'static str> {
    let id = std::process::id().to_string();
    output(Command::new("taskset").args(["--pid", "--cpu-list", cores, &id])).map(drop).map_err(|_| NO_TASKSET)
}

fn last(cores: &str) -> &str {
    cores.rsplit([',', '-']).next().unwrap_or(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_of_those_there_are() {
        assert_eq!(["0", "0,1", "0-3", "0-3,8"].map(last), ["0", "1", "3", "8"]);
    }
}
