//! What passed and what failed, read from the output of test programs.

use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// One check that is not a test, such as formatting.
    pub(crate) fn check(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Which summary lines to believe. Only one kind is read, because a failed test's own output is
/// shown too, and under nextest that includes a `test result:` line for each failure.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// `cargo nextest run`: one summary, which is the last.
    Nextest,
    /// `cargo test`: one result for each test program, to be added up.
    Libtest,
}

/// Reads a test run's output line by line.
pub(crate) struct Counter {
    format: Format,
    tally: Tally,
}

impl Counter {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, tally: Tally::default() }
    }

    pub(crate) fn line(&mut self, line: &str) {
        let line = without_colors(line);
        match self.format {
            Format::Nextest => self.tally = nextest_summary(&line).unwrap_or(self.tally),
            Format::Libtest => self.tally += libtest_result(&line).unwrap_or_default(),
        }
    }

    /// The count, given whether the command succeeded.
    pub(crate) fn finish(self, success: bool) -> Tally {
        let mut tally = self.tally;
        // For example, a test that does not compile is in no summary.
        if !success && tally.failed == 0 {
            tally.failed = 1;
        }
        tally
    }
}

/// `     Summary [   0.082s] 5 tests run: 2 passed (1 slow), 1 failed, 2 timed out, 1 skipped`
fn nextest_summary(line: &str) -> Option<Tally> {
    let (_duration, rest) = line.trim_start().strip_prefix("Summary [")?.split_once("] ")?;
    let (run, counts) = rest.split_once(": ")?;
    if !(run.ends_with("test run") || run.ends_with("tests run")) {
        return None;
    }
    let mut tally = Tally::default();
    // Remarks in parentheses hold commas of their own.
    for count in without_parentheses(counts).split(',') {
        let Some((number, what)) = number_and_rest(count) else { continue };
        if what.starts_with("passed") {
            tally.passed += number;
        } else if what.contains("failed") || what.starts_with("timed out") {
            tally.failed += number;
        }
    }
    Some(tally)
}

/// `test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn libtest_result(line: &str) -> Option<Tally> {
    let (_verdict, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for count in counts.split(';') {
        match number_and_rest(count) {
            Some((number, "passed")) => tally.passed += number,
            Some((number, "failed")) => tally.failed += number,
            _ => {}
        }
    }
    Some(tally)
}

fn number_and_rest(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = text.trim().split_once(' ')?;
    Some((number.parse().ok()?, rest))
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|&c| {
            depth += u32::from(c == '(');
            let keep = depth == 0;
            depth = depth.saturating_sub(u32::from(c == ')'));
            keep
        })
        .collect()
}

/// Drops escape sequences of the form `ESC [ ... letter`, which are all that Cargo and nextest write.
fn without_colors(line: &str) -> String {
    let mut escaped = false;
    line.chars()
        .filter(|&c| {
            let keep = !escaped && c != '\x1b';
            escaped = c == '\x1b' || (escaped && !c.is_ascii_alphabetic());
            keep
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(format: Format, success: bool, output: &str) -> (u64, u64) {
        let mut counter = Counter::new(format);
        output.lines().for_each(|line| counter.line(line));
        let tally = counter.finish(success);
        (tally.passed, tally.failed)
    }

    #[test]
    fn nextest_summaries() {
        for (line, expected) in [
            ("     Summary [   0.005s] 1 test run: 1 passed, 3 skipped", (1, 0)),
            ("     Summary [  61.882s] 3 tests run: 2 passed, 1 failed, 1 skipped", (2, 1)),
            (
                "     Summary [   1.0s] 9 tests run: 4 passed (1 slow, 2 leaky), 2 failed, 3 timed out, 0 skipped",
                (4, 5),
            ),
            ("     Summary [   1.0s] 3 tests run: 1 passed, 1 failed (1 due to being leaky), 1 exec failed", (1, 2)),
            ("     Summary [   0.2s] 2/12 tests run: 2 passed (1 flaky), 0 skipped", (2, 0)),
            (
                "\x1b[32;1m     Summary\x1b[0m [   0.0s] \x1b[1m1\x1b[0m test run: \x1b[1m1\x1b[0m \x1b[32mpassed\x1b[0m",
                (1, 0),
            ),
            ("     Summary [   0.000s] 0 tests run: 0 passed, 4 skipped", (0, 0)),
        ] {
            assert_eq!(count(Format::Nextest, true, line), expected, "{line}");
        }
    }

    #[test]
    fn nextest_believes_the_last_summary_only() {
        let output = "\
    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Summary [   0.1s] 90 tests run: 90 passed, 0 skipped
     Summary [   0.2s] 3 tests run: 2 passed, 1 failed, 0 skipped
        FAIL [   0.081s] (3/3) a bad";
        assert_eq!(count(Format::Nextest, false, output), (2, 1));
    }

    #[test]
    fn libtest_results_add_up() {
        let output = "\
running 4 tests
test result: ok. 4 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Summary [   0.1s] 90 tests run: 90 passed, 0 skipped
\x1b[31mtest result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\x1b[0m";
        assert_eq!(count(Format::Libtest, false, output), (7, 2));
    }

    #[test]
    fn a_failure_that_no_summary_shows_is_counted() {
        assert_eq!(count(Format::Libtest, false, "error: could not compile `a` (lib test)"), (0, 1));
        let passed = "test result: ok. 4 passed; 0 failed; 0 ignored";
        assert_eq!(count(Format::Libtest, false, passed), (4, 1));
        assert_eq!(count(Format::Libtest, true, ""), (0, 0));
    }

    #[test]
    fn checks() {
        let mut tally = Tally::check(true);
        tally += Tally::check(false);
        assert_eq!(tally, Tally { passed: 1, failed: 1 });
    }
}
