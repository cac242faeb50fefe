//! From the words on the command line to a request, or to a sentence about the word that is wrong.

use crate::bench::options as bench;
use crate::server::Engine;

/// What the caller asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help(&'static str),
    Test(TestOptions),
    Bench(bench::Options),
    /// What programs of these systems cost to build, measured so often.
    BenchBuild(Vec<String>, Option<usize>),
    Guard {
        bless: bool,
    },
    Db(Engine),
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct TestOptions {
    /// Test this backend alone; all of them when `None`.
    pub(crate) only: Option<Backend>,
    /// Leave out formatting and lints.
    pub(crate) no_lint: bool,
}

/// A database that the tests run against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Backend {
    /// Built into the test programs.
    Sqlite,
    /// Needs a server.
    Server(Engine),
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Server(Engine::Postgres), Self::Server(Engine::Mariadb)];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Server(engine) => engine.name(),
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }
}

pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Request, String> {
    let mut words = words.into_iter();
    match words.next().as_deref() {
        Some("test") => parse_test(words),
        Some("bench") => Ok(match bench::parse(words)? {
            bench::Request::Help => Request::Help(bench::HELP),
            bench::Request::Build(systems, rounds) => Request::BenchBuild(systems, rounds),
            bench::Request::Run(options) => Request::Bench(options),
        }),
        Some("guard") => parse_guard(words),
        Some("db") => parse_db(words),
        Some("help" | "--help" | "-h") => Ok(Request::Help(HELP)),
        Some(word) => Err(format!("unknown command `{word}`; see `cargo xtask --help`")),
        None => Err("a command is missing; see `cargo xtask --help`".into()),
    }
}

fn parse_test(mut words: impl Iterator<Item = String>) -> Result<Request, String> {
    const HINT: &str = "see `cargo xtask test --help`";
    let mut options = TestOptions::default();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        match (name, value) {
            ("--help" | "-h", None) => return Ok(Request::Help(TEST_HELP)),
            ("--no-lint", None) => options.no_lint = true,
            ("--only", value) => {
                let name = value.or_else(|| words.next()).ok_or(format!("`--only` needs a backend; {HINT}"))?;
                options.only = Some(Backend::named(&name).ok_or(format!("unknown backend `{name}`; {HINT}"))?);
            }
            _ if word.starts_with('-') => return Err(format!("unknown option `{word}`; {HINT}")),
            _ => return Err(format!("unexpected argument `{word}`; {HINT}")),
        }
    }
    Ok(Request::Test(options))
}

fn parse_guard(words: impl Iterator<Item = String>) -> Result<Request, String> {
    let mut bless = false;
    for word in words {
        match word.as_str() {
            "--help" | "-h" => return Ok(Request::Help(GUARD_HELP)),
            "--bless" => bless = true,
            _ => return Err(format!("unexpected argument `{word}`; see `cargo xtask guard --help`")),
        }
    }
    Ok(Request::Guard { bless })
}

fn parse_db(words: impl Iterator<Item = String>) -> Result<Request, String> {
    const HINT: &str = "see `cargo xtask db --help`";
    let mut asked = None;
    for word in words {
        match (word.as_str(), asked) {
            ("--help" | "-h", _) => return Ok(Request::Help(DB_HELP)),
            (option, _) if option.starts_with('-') => return Err(format!("unknown option `{option}`; {HINT}")),
            (name, None) => asked = Some(Engine::named(name).ok_or(format!("unknown server `{name}`; {HINT}"))?),
            (extra, Some(_)) => return Err(format!("unexpected argument `{extra}`; {HINT}")),
        }
    }
    asked.map(Request::Db).ok_or(format!("which server: `postgres` or `mariadb`? {HINT}"))
}

const HELP: &str = "\
Cormorant's own commands.

Usage: cargo xtask <COMMAND>

Commands:
  test    Check formatting and lints and run every test on every backend
  bench   Measure what Cormorant costs, beside its peers and the drivers
  guard   Check that hot paths take no more instructions than they did
  db      Start a throwaway PostgreSQL or MariaDB server and print its URL

`cargo xtask <COMMAND> --help` says more.
";

const TEST_HELP: &str = "\
Check formatting and lints and run every test on every backend.

Usage: cargo xtask test [--only <BACKEND>] [--no-lint]

Options:
  --only <BACKEND>  Test one backend: sqlite, postgres or mariadb
  --no-lint         Leave out formatting and lints

PostgreSQL and MariaDB run as private servers on free local ports, and are
removed at the end. On Debian and Ubuntu, root installs missing server packages
with apt-get. A backend that cannot be had is a failure; `--only sqlite` needs
no server.

All steps run even when one fails. The last line counts tests and checks:
`N passed, N failed`. The exit status is 0 when nothing failed, otherwise 1.
";

const GUARD_HELP: &str = "\
Check that hot paths take no more instructions than they did.

Usage: cargo xtask guard [--bless]

Options:
  --bless  Make what is counted now the baseline, benchmarks/guard/baseline.txt

valgrind counts the instructions of six operations on SQLite in memory, SQLite's
own included. A path that takes over 1 % more than its baseline is a failure.
Counts change with the compilers: with other ones than the baseline's, or
without valgrind, nothing is compared and the exit status is 0.
";

const DB_HELP: &str = "\
Start a throwaway server, and print the URL of an empty database.

Usage: cargo xtask db <postgres|mariadb>

The URL is the one line on standard output. The server and its data are removed
on Ctrl-C, when a pipe given as standard input is closed, or when the program
that started this one ends. Its data is not safe from a crash of the machine.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_and_options() {
        let test = |only, no_lint| Ok(Request::Test(TestOptions { only, no_lint }));
        assert_eq!(parsed("test"), test(None, false));
        assert_eq!(parsed("test --only sqlite"), test(Some(Backend::Sqlite), false));
        assert_eq!(parsed("test --only=mariadb --no-lint"), test(Some(Backend::Server(Engine::Mariadb)), true));
        assert_eq!(parsed("db postgres"), Ok(Request::Db(Engine::Postgres)));
        assert_eq!(parsed("bench build"), Ok(Request::BenchBuild(Vec::new(), None)));
        assert_eq!(parsed("guard"), Ok(Request::Guard { bless: false }));
        assert_eq!(parsed("guard --bless"), Ok(Request::Guard { bless: true }));
    }

    #[test]
    fn help_for_all_and_for_one() {
        assert_eq!(parsed("--help"), Ok(Request::Help(HELP)));
        assert_eq!(parsed("help"), Ok(Request::Help(HELP)));
        assert_eq!(parsed("test --no-lint -h"), Ok(Request::Help(TEST_HELP)));
        assert_eq!(parsed("db --help"), Ok(Request::Help(DB_HELP)));
    }

    #[test]
    fn errors_name_the_word_and_the_help() {
        for (line, word, help) in [
            ("", "missing", "cargo xtask --help"),
            ("tset", "`tset`", "cargo xtask --help"),
            ("test --quick", "`--quick`", "cargo xtask test --help"),
            ("test --no-lint=1", "`--no-lint=1`", "cargo xtask test --help"),
            ("test sqlite", "`sqlite`", "cargo xtask test --help"),
            ("test --only", "`--only`", "cargo xtask test --help"),
            ("test --only oracle", "`oracle`", "cargo xtask test --help"),
            ("guard --curse", "`--curse`", "cargo xtask guard --help"),
            ("db", "postgres", "cargo xtask db --help"),
            ("db sqlite", "`sqlite`", "cargo xtask db --help"),
            ("db --port 1", "`--port`", "cargo xtask db --help"),
            ("db postgres mariadb", "`mariadb`", "cargo xtask db --help"),
        ] {
            let message = parsed(line).unwrap_err();
            assert!(message.contains(word) && message.contains(help), "`{line}` gave: {message}");
        }
    }
}
