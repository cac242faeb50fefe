//! Finding programs and running them quietly.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The first of `names` in PATH, else in one of the `extra` directories.
pub(crate) fn find(names: &[&str], extra: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = std::env::split_paths(&path).chain(extra.iter().map(PathBuf::from)).collect();
    names.iter().find_map(|name| directories.iter().map(|dir| dir.join(name)).find(|file| is_program(file)))
}

pub(crate) fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Runs `command` to its end and gives what it printed, or an error with what it complained of.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `{}`: {error}", describe(command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed ({}): {}", describe(command), output.status, complaint.trim()))
}

/// The command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_path_and_in_extra_directories() {
        assert!(find(&["no-such-program", "sh"], &[]).is_some_and(|file| file.ends_with("sh")));
        assert!(find(&["no-such-program"], &["/bin"]).is_none());
    }

    #[test]
    fn output_or_complaint() {
        assert_eq!(output(Command::new("echo").arg("a b")), Ok("a b".to_owned()));
        let message = output(Command::new("sh").args(["-c", "echo sorry >&2; exit 4"])).unwrap_err();
        assert!(message.contains("sorry") && message.contains("exit status: 4"), "{message}");
    }
}
