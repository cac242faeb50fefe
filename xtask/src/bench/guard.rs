//! `cargo xtask guard`: does a hot path take more instructions than it did?
//!
//! Instructions are counted, not time: the same program takes the same number of them on a busy machine. They are
//! those of the whole process, SQLite and libc included, so a baseline holds for the tools it was taken with.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{root, versions, write};
use crate::program::{find, output};
use crate::stream::stream;

/// How many percent a path may grow. Another run, directory or environment moves the counts by 0.15 % at most; the
/// rest is for what the compiler inlines differently after a change elsewhere.
const TOLERANCE: f64 = 1.0;

const BASELINE: &str = "benchmarks/guard/baseline.txt";

/// Compares with the baseline; the error is a path that takes more. Without valgrind, or with other tools than the
/// baseline's, nothing is compared, and the text says so.
pub(crate) fn check() -> Result<String, String> {
    let Some(valgrind) = valgrind() else {
        return Ok("valgrind is not present: guard skipped, nothing was compared".to_owned());
    };
    let file = root().join(BASELINE);
    let text = fs::read_to_string(&file).map_err(|error| format!("cannot read {BASELINE}: {error}"))?;
    let (old, tools) = (Counts::parse(&text)?, tools(&valgrind)?);
    if old.tools != tools {
        return Ok(format!("guard skipped, nothing was compared:\n  baseline is for {}\n  here is {tools}", old.tools));
    }
    compare(&old, &Counts { tools, paths: count(&valgrind)? })
}

/// Makes what is counted now the baseline.
pub(crate) fn bless() -> Result<String, String> {
    let valgrind = valgrind().ok_or("valgrind is not present: install it (`apt-get install valgrind`)")?;
    let now = Counts { tools: tools(&valgrind)?, paths: count(&valgrind)? };
    let file = root().join(BASELINE);
    let before = fs::read_to_string(&file).ok().and_then(|text| Counts::parse(&text).ok());
    write(&file, &now.to_text())?;
    let table = before.map_or_else(|| now.to_text(), |old| table(&old, &now).0);
    Ok(format!("{table}written: {BASELINE}"))
}

fn valgrind() -> Option<PathBuf> {
    find(&["valgrind"], &[])
}

/// What the counts depend on: both compilers, how valgrind runs the program, and where.
fn tools(valgrind: &Path) -> Result<String, String> {
    let c_compiler = std::env::var_os("CC").unwrap_or("cc".into());
    let all = [
        output(Command::new("rustc").arg("--version"))?,
        output(Command::new(c_compiler).arg("--version"))?,
        output(Command::new(valgrind).arg("--version"))?,
        std::env::consts::ARCH.to_owned(),
        // libc copies memory in a way of its own on each kind.
        versions::processor(),
    ];
    Ok(all.map(|text| text.lines().next().unwrap_or_default().to_owned()).join(", "))
}

/// Instructions of each path, per repetition.
fn count(valgrind: &Path) -> Result<Vec<(String, u64)>, String> {
    let (workspace, target) = (root().join("benchmarks/guard/Cargo.toml"), root().join("target/bench/guard"));
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    build.args(["build", "--release", "--manifest-path"]).arg(workspace).arg("--target-dir").arg(&target);
    if !stream(&mut build, |_| {})?.success() {
        return Err("the guarded program does not build".to_owned());
    }
    let program = target.join("release/guard");
    let mut counts = Vec::new();
    for line in output(&mut Command::new(&program))?.lines() {
        let (path, repetitions) = name_and_number(line)?;
        let profile = target.join(format!("{path}.callgrind"));
        let run = |repetitions: u64| {
            // The environment lies on the stack, and moves what comes after it.
            let mut command = Command::new(valgrind);
            command.env_clear().arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", profile.display()));
            output(command.arg(&program).arg(path).arg(repetitions.to_string()))?;
            total(&fs::read_to_string(&profile).map_err(|error| format!("callgrind wrote no profile: {error}"))?)
        };
        // What happens once, such as opening the database, is in both and cancels.
        let (once, twice) = (run(repetitions)?, run(repetitions * 2)?);
        counts.push((path.to_owned(), twice.saturating_sub(once) / repetitions.max(1)));
    }
    Ok(counts)
}

fn total(profile: &str) -> Result<u64, String> {
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).ok_or_else(|| "callgrind's profile has no total".to_owned())
}

/// Counts, and the tools they were taken with.
#[derive(Debug, PartialEq)]
struct Counts {
    tools: String,
    paths: Vec<(String, u64)>,
}

impl Counts {
    fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let tools = lines.next().ok_or_else(|| format!("{BASELINE} is empty"))?.to_owned();
        let paths = lines.map(|line| name_and_number(line).map(|(name, number)| (name.to_owned(), number)));
        Ok(Self { tools, paths: paths.collect::<Result<_, _>>()? })
    }

    fn to_text(&self) -> String {
        let mut text =
            "# Instructions per operation, SQLite's included. Written by `cargo xtask guard --bless`.\n".to_owned();
        let _ = writeln!(text, "{}", self.tools);
        for (path, count) in &self.paths {
            let _ = writeln!(text, "{path} {count}");
        }
        text
    }

    fn of(&self, path: &str) -> Option<u64> {
        self.paths.iter().find(|(name, _)| name == path).map(|(_, count)| *count)
    }
}

fn name_and_number(line: &str) -> Result<(&str, u64), String> {
    let parts = line.split_once(' ').and_then(|(name, number)| Some((name, number.parse().ok()?)));
    parts.ok_or_else(|| format!("expected a path and a number, found `{line}`"))
}

fn compare(old: &Counts, now: &Counts) -> Result<String, String> {
    let (table, failed) = table(old, now);
    match failed.first() {
        None => Ok(format!("{table}no path takes over {TOLERANCE} % more instructions than its baseline")),
        Some(first) => Err(format!(
            "the guard does not hold: {}\n{table}where they go: callgrind_annotate target/bench/guard/{first}.callgrind\n\
             if it is meant: cargo xtask guard --bless",
            failed.join(", ")
        )),
    }
}

/// A line for each path, and the paths that fail: those that grew, came or went.
fn table<'a>(old: &'a Counts, now: &'a Counts) -> (String, Vec<&'a str>) {
    let mut table = format!("{:<24}{:>12}{:>12}{:>10}\n", "instructions of", "baseline", "now", "change");
    let mut failed = Vec::new();
    for (path, count) in &now.paths {
        let (before, change, remark) = match old.of(path) {
            None => ("-".to_owned(), "-".to_owned(), "NOT IN THE BASELINE"),
            Some(before) => {
                let percent = (*count as f64 / before as f64 - 1.0) * 100.0;
                let remark = match percent {
                    more if more > TOLERANCE => "MORE",
                    less if less < -TOLERANCE => "less: bless it, or it may grow back",
                    _ => "",
                };
                (before.to_string(), format!("{percent:+.2} %"), remark)
            }
        };
        if remark.starts_with(char::is_uppercase) {
            failed.push(path.as_str());
        }
        let line = format!("{path:<24}{before:>12}{count:>12}{change:>10}  {remark}");
        let _ = writeln!(table, "{}", line.trim_end());
    }
    for (path, before) in old.paths.iter().filter(|(path, _)| now.of(path).is_none()) {
        let _ = writeln!(table, "{path:<24}{before:>12}{:>12}{:>10}  NOT COUNTED ANY MORE", "-", "-");
        failed.push(path);
    }
    (table, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(paths: &[(&str, u64)]) -> Counts {
        let paths = paths.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect();
        Counts { tools: "rustc 1".to_owned(), paths }
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let counts = counts(&[("lookup", 9_930), ("load", 2_897_716)]);
        assert_eq!(Counts::parse(&counts.to_text()), Ok(counts));
        assert!(Counts::parse("").is_err());
        assert!(Counts::parse("rustc 1\nlookup many\n").is_err());
    }

    #[test]
    fn growth_over_the_tolerance_fails_and_says_what_to_do() {
        let old = counts(&[("lookup", 10_000), ("load", 5_000)]);
        assert!(compare(&old, &counts(&[("lookup", 10_090), ("load", 5_000)])).is_ok());
        let message = compare(&old, &counts(&[("lookup", 10_110), ("load", 5_000)])).unwrap_err();
        for part in ["lookup", "10000", "10110", "+1.10 %", "cargo xtask guard --bless"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(
            compare(&old, &counts(&[("lookup", 9_000), ("load", 5_000)])).is_ok_and(|text| text.contains("bless it"))
        );
    }

    #[test]
    fn a_path_that_came_or_went_fails() {
        let (one, two) = (counts(&[("lookup", 1)]), counts(&[("lookup", 1), ("load", 1)]));
        assert!(compare(&one, &two).is_err_and(|message| message.contains("NOT IN THE BASELINE")));
        assert!(compare(&two, &one).is_err_and(|message| message.contains("NOT COUNTED")));
    }

    #[test]
    fn callgrinds_total() {
        assert_eq!(total("fn=(1) main\n0 12\n\ntotals: 61890757\n"), Ok(61_890_757));
        assert!(total("").is_err());
    }
}
