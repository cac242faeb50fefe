//! A temporary directory with one process in it, of which nothing is left behind.
//!
//! A watchdog, which is a small shell script, knows the directory and the process. It waits for the
//! end of a pipe of which this program holds the only other end. The system closes that pipe
//! however we end, `SIGKILL` included, and closing it on purpose is also how we stop a process: so
//! there is one way to clean up, and every run tests it.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::account::Account;
use crate::program::describe;

/// Arguments: the directory, the signal that stops the process. Input: a process id on each line,
/// of which the last counts; an empty line means that there is no process.
///
/// The signal goes to the process group of that id, because an installer has children of its own.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
group=
while read -r line; do group=$line; done
alive() { kill -s 0 -- "-$group"; }
if [ -n "$group" ] && kill -s "$2" -- "-$group"; then
    tenths=100
    while [ "$tenths" -gt 0 ] && alive; do sleep 0.1; tenths=$((tenths - 1)); done
    if alive; then kill -s KILL -- "-$group"; sleep 0.5; fi
fi
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"#;

/// Longer than the watchdog takes at most.
const STOP_LIMIT: Duration = Duration::from_secs(15);

pub(super) struct Sandbox {
    dir: PathBuf,
    account: Option<Account>,
    process: Option<Child>,
    watchdog: Child,
    /// The pipe; `None` once it is closed.
    orders: Option<ChildStdin>,
}

impl Sandbox {
    /// `account` is whom the processes run as; ourselves if `None`.
    pub(super) fn create(name: &str, stop_signal: &str, account: Option<Account>) -> Result<Self, String> {
        let dir = new_directory(name, account.is_some())?;
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "cormorant-watchdog"]).arg(&dir).arg(stop_signal);
        // Ctrl-C goes to our process group; the watchdog must outlive it.
        watchdog.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut watchdog = watchdog.spawn().map_err(|error| {
            let _ = fs::remove_dir(&dir);
            format!("cannot run `sh`: {error}")
        })?;
        let orders = watchdog.stdin.take();
        let sandbox = Self { dir, account, process: None, watchdog, orders };
        if let Some(Account { uid, gid }) = account {
            chown(&sandbox.dir, Some(uid), Some(gid))
                .map_err(|error| format!("cannot change the owner of {}: {error}", sandbox.dir.display()))?;
        }
        Ok(sandbox)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `command` to its end.
    pub(super) fn run(&mut self, command: Command, limit: Duration) -> Result<(), String> {
        let name = describe(&command);
        self.start(command)?;
        let deadline = Instant::now() + limit;
        while self.is_running()? {
            if Instant::now() > deadline {
                return Err(format!("`{name}` takes more than {} seconds{}", limit.as_secs(), self.end_of_log()));
            }
            sleep(Duration::from_millis(20));
        }
        let status = self.process.as_mut().map(Child::wait).transpose();
        match status.map_err(|error| format!("cannot wait for `{name}`: {error}"))? {
            Some(status) if !status.success() => Err(format!("`{name}` failed ({status}){}", self.end_of_log())),
            _ => Ok(()),
        }
    }

    /// Starts `command` in place of the process before it, which has ended. Its output is the log.
    pub(super) fn start(&mut self, mut command: Command) -> Result<(), String> {
        let failed = |error| format!("cannot start a process in {}: {error}", self.dir.display());
        let log = File::create(self.log_file()).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        command.current_dir(&self.dir).env("HOME", &self.dir).env("TMPDIR", &self.dir).process_group(0);
        if let Some(Account { uid, gid }) = self.account {
            // The standard library also drops root's other groups, and the process has our child's id,
            // which a wrapper such as `su` would hide.
            command.uid(uid).gid(gid);
        }
        let process = command.spawn().map_err(|error| format!("cannot run `{}`: {error}", describe(&command)))?;
        let id = process.id();
        self.process = Some(process);
        self.order(&id.to_string())
    }

    pub(super) fn is_running(&mut self) -> Result<bool, String> {
        let Some(process) = &mut self.process else { return Ok(false) };
        let running = process.try_wait().map_err(|error| format!("cannot wait for the server: {error}"))?.is_none();
        if !running {
            // From here on the system may give the id to another process.
            self.order("")?;
        }
        Ok(running)
    }

    pub(super) fn log(&self) -> String {
        fs::read(self.log_file()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The last lines of the log, as the end of an error message.
    pub(super) fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let first = lines.len().saturating_sub(20);
        lines.iter().skip(first).fold("; its log ends with:".to_owned(), |text, line| text + "\n  " + line)
    }

    fn log_file(&self) -> PathBuf {
        self.dir.join("log")
    }

    fn order(&mut self, line: &str) -> Result<(), String> {
        let orders = self.orders.as_mut().ok_or("the watchdog has been told to stop")?;
        writeln!(orders, "{line}").map_err(|error| format!("the watchdog is gone: {error}"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.orders.take());
        let deadline = Instant::now() + STOP_LIMIT;
        if let Some(process) = &mut self.process {
            // The watchdog sees the process end only after we have waited for it.
            while matches!(process.try_wait(), Ok(None)) {
                // The watchdog outlives the process, unless someone killed it.
                if matches!(self.watchdog.try_wait(), Ok(Some(_))) || Instant::now() > deadline {
                    let _ = process.kill();
                    let _ = process.wait();
                    break;
                }
                sleep(Duration::from_millis(20));
            }
        }
        let _ = self.watchdog.wait();
        if let Err(error) = fs::remove_dir_all(&self.dir)
            && error.kind() != ErrorKind::NotFound
        {
            eprintln!("warning: cannot remove {}: {error}", self.dir.display());
        }
    }
}

fn new_directory(name: &str, for_others: bool) -> Result<PathBuf, String> {
    let base = base_directory(for_others);
    let mut number = 0_u32;
    loop {
        let dir = base.join(format!("cormorant-{name}-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&dir) {
            Ok(()) => return Ok(dir),
            // A process with our id was killed together with its watchdog.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 1000 => number += 1,
            Err(error) => return Err(format!("cannot create {}: {error}", dir.display())),
        }
    }
}

/// The temporary directory, if the server's user may enter it and it leaves room for a socket,
/// whose whole path may have about 100 bytes.
fn base_directory(for_others: bool) -> PathBuf {
    let base = std::env::temp_dir();
    let may_enter = |dir: &Path| dir.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0);
    let short = base.as_os_str().len() <= 50;
    if base.is_absolute() && short && (!for_others || base.ancestors().all(may_enter)) { base } else { "/tmp".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox(name: &str) -> Sandbox {
        Sandbox::create(&format!("test-{name}"), "TERM", None).unwrap()
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn is_alive(id: u32) -> bool {
        shell(&format!("kill -0 {id} 2>&-")).status().unwrap().success()
    }

    #[test]
    fn dropping_stops_the_process_and_removes_the_directory() {
        let mut sandbox = sandbox("drop");
        sandbox.start(shell("exec sleep 600")).unwrap();
        let (dir, id) = (sandbox.dir().to_owned(), sandbox.process.as_ref().unwrap().id());
        assert!(sandbox.is_running().unwrap() && dir.is_dir());
        drop(sandbox);
        assert!(!is_alive(id) && !dir.exists());
    }

    #[test]
    fn a_killed_watchdog_is_made_up_for() {
        let mut sandbox = sandbox("lost");
        sandbox.start(shell("exec sleep 600")).unwrap();
        let (dir, id) = (sandbox.dir().to_owned(), sandbox.process.as_ref().unwrap().id());
        sandbox.watchdog.kill().unwrap();
        drop(sandbox);
        assert!(!is_alive(id) && !dir.exists());
    }

    #[test]
    fn a_failed_command_shows_the_end_of_its_log() {
        let mut sandbox = sandbox("fail");
        let message = sandbox.run(shell("echo reason; exit 7"), Duration::from_secs(60)).unwrap_err();
        assert!(message.contains("reason") && message.contains("exit status: 7"), "{message}");
        assert_eq!(sandbox.run(shell("true"), Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn a_slow_command_is_given_up() {
        let message = sandbox("slow").run(shell("sleep 600"), Duration::from_millis(100)).unwrap_err();
        assert!(message.contains("takes more than"), "{message}");
    }
}
