//! Runs a command, shows its output as it comes, and lets the caller read along.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::describe;

/// How long to go on reading after the command ended: a stray process that a test left behind may
/// hold the pipes open for ever.
const STRAGGLERS: Duration = Duration::from_secs(5);

enum Line {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// Runs `command` with no input; `on_line` sees every line of both outputs.
pub(crate) fn stream(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<ExitStatus, String> {
    let failed = |command: &Command, error: io::Error| format!("cannot run `{}`: {error}", describe(command));
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| failed(command, error))?;

    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        let sender = sender.clone();
        thread::spawn(move || read_lines(stdout, &sender, Line::Out));
    }
    if let Some(stderr) = child.stderr.take() {
        thread::spawn(move || read_lines(stderr, &sender, Line::Err));
    }

    let mut ended = None::<Instant>;
    loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => on_line(&show(&line)),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => match ended {
                Some(since) if since.elapsed() > STRAGGLERS => break,
                Some(_) => {}
                None if matches!(child.try_wait(), Ok(Some(_))) => ended = Some(Instant::now()),
                None => {}
            },
        }
    }
    child.wait().map_err(|error| failed(command, error))
}

fn read_lines(output: impl Read, lines: &Sender<Line>, wrap: fn(Vec<u8>) -> Line) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        match output.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if !line.ends_with(b"\n") => line.push(b'\n'),
            Ok(_) => {}
        }
        if lines.send(wrap(line)).is_err() {
            return;
        }
    }
}

fn show(line: &Line) -> String {
    // Whether anyone can see the output does not change the result of the run.
    let bytes = match line {
        Line::Out(bytes) => {
            let mut stdout = io::stdout().lock();
            let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
            bytes
        }
        Line::Err(bytes) => {
            let _ = io::stderr().lock().write_all(bytes);
            bytes
        }
    };
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_both_outputs_and_the_status() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; printf unfinished; exit 3"]);
        let status = stream(&mut command, |line| lines.push(line.to_owned())).unwrap();
        lines.sort();
        assert_eq!(lines, ["err", "out", "unfinished"]);
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn a_process_left_behind_does_not_hold_the_run() {
        let started = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 20 & exit 0"]);
        assert!(stream(&mut command, |_| {}).unwrap().success());
        assert!(started.elapsed() < Duration::from_secs(15));
    }

    #[test]
    fn a_missing_program_is_named() {
        let message = stream(&mut Command::new("no-such-program"), |_| {}).unwrap_err();
        assert!(message.contains("no-such-program"), "{message}");
    }
}
