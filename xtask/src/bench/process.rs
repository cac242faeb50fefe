//! One system at work: a process that answers a line with a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::case::Case;
use crate::program::describe;

pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What a batch gave.
pub(super) enum Answer {
    Nanoseconds(f64),
    Skipped(String),
}

impl Process {
    pub(super) fn start(mut command: Command, arguments: &[String]) -> Result<Self, String> {
        // What it complains of goes where ours goes.
        let child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("cannot run `{}`: {error}", describe(&command)))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("`{}` has no pipes", describe(&command)));
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// One batch of a case. The first of a case sets it up and is not to be counted.
    pub(super) fn run(&mut self, case: Case, rows: usize) -> Result<Answer, String> {
        let mut line = String::new();
        let asked = writeln!(self.input, "run {} {rows}", case.name()).and_then(|()| self.input.flush());
        let read = asked.and_then(|()| self.output.read_line(&mut line));
        match (read, line.trim().parse()) {
            (Ok(1..), Ok(nanoseconds)) => Ok(Answer::Nanoseconds(nanoseconds)),
            (Ok(1..), Err(_)) if line.starts_with("skipped ") => {
                Ok(Answer::Skipped(line.trim_start_matches("skipped ").trim().to_owned()))
            }
            (Ok(1..), Err(_)) => Err(format!("it answered {line:?}")),
            _ => Err("it ended".to_owned()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
