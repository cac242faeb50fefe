//! `cargo xtask test`: every check the project has, as one command.

use std::io::IsTerminal;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::args::{Backend, TestOptions};
use crate::dependencies;
use crate::program::output;
use crate::server::{Engine, Server};
use crate::stream::stream;
use crate::tally::{Counter, Format, Tally};

/// Runs all steps, also after a failure, so that one run shows everything. True if all passed.
pub(crate) fn run(options: &TestOptions) -> bool {
    let backends = options.only.map_or(Backend::ALL.to_vec(), |only| vec![only]);
    let mut report = Report::default();
    let mut servers = Vec::new();

    for backend in &backends {
        if let Backend::Server(engine) = *backend {
            report.step(&format!("{} server", engine.name()), || start(engine, &mut servers));
        }
    }
    if !options.no_lint {
        report.step("formatting", || check(&["fmt", "--all", "--check"]));
        report.step("lints", || check(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
        // The workspace is built with every feature; a user's program is not.
        for features in ["", "sqlite", "postgres", "mysql"] {
            let what = if features.is_empty() { "the core" } else { features };
            report.step(&format!("lints with {what} alone"), || {
                let package = ["clippy", "--package", "cormorant", "--no-default-features", "--features", features];
                check(&[&package[..], &["--", "-D", "warnings"]].concat())
            });
        }
        report.step("links of the documentation", || {
            let mut doc = cargo();
            doc.args(["doc", "--workspace", "--all-features", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
            Tally::check(succeeded(&mut doc, |_| {}))
        });
        report.step("dependencies", || said(dependencies::check(&mut cargo())));
    }
    let environment = Environment::new(&backends, &servers);
    report.step("tests", || tests(&environment, &EVERY_TEST));
    if backends.contains(&Backend::Sqlite) {
        let environment = environment.with(SQLITE_OPTIONS, "?offload=thread");
        report.step("tests, SQLite on a thread of its own", || tests(&environment, &SUITE_ON_SQLITE));
    }
    report.step("documentation tests", || documentation_tests(&environment));

    if backends.contains(&Backend::Sqlite) {
        report.step("guard on instruction counts", || said(crate::bench::guard::check()));
    }

    drop(servers);
    report.finish()
}

fn start(engine: Engine, servers: &mut Vec<(Engine, Server)>) -> Tally {
    match Server::start(engine) {
        Ok(server) => {
            println!("{}", server.url(engine.first_database()));
            servers.push((engine, server));
            Tally::check(true)
        }
        Err(message) => {
            eprintln!("error: {message}");
            Tally::check(false)
        }
    }
}

fn said(result: Result<String, String>) -> Tally {
    match result {
        Ok(found) => {
            println!("{found}");
            Tally::check(true)
        }
        Err(message) => {
            eprintln!("error: {message}");
            Tally::check(false)
        }
    }
}

fn check(arguments: &[&str]) -> Tally {
    Tally::check(succeeded(cargo().args(arguments), |_| {}))
}

/// Which tests to run, in the words of each runner.
struct Selection {
    nextest: &'static [&'static str],
    libtest: &'static [&'static str],
}

const EVERY_TEST: Selection = Selection {
    nextest: &["--workspace"],
    // All but documentation tests, which are a step of their own.
    libtest: &["--workspace", "--lib", "--bins", "--tests", "--examples"],
};

const SUITE_ON_SQLITE: Selection = Selection {
    nextest: &["--package", "cormorant-conformance", "--test", "suite", "-E", "test(::sqlite)"],
    libtest: &["--package", "cormorant-conformance", "--test", "suite", "--", "::sqlite"],
};

fn tests(environment: &Environment, selection: &Selection) -> Tally {
    let (format, arguments) = if output(cargo().args(["nextest", "--version"])).is_ok() {
        (Format::Nextest, [&["nextest", "run", "--no-fail-fast"], selection.nextest].concat())
    } else {
        (Format::Libtest, [&["test", "--no-fail-fast"], selection.libtest].concat())
    };
    let mut tally = count(format, environment.apply(cargo().args(arguments)));
    // A run that tests nothing is a fault in the set-up.
    if tally == Tally::default() {
        eprintln!("error: no test ran");
        tally.failed = 1;
    }
    tally
}

fn documentation_tests(environment: &Environment) -> Tally {
    count(Format::Libtest, environment.apply(cargo().args(["test", "--workspace", "--doc", "--no-fail-fast"])))
}

fn count(format: Format, command: &mut Command) -> Tally {
    let mut counter = Counter::new(format);
    let success = succeeded(command, |line| counter.line(line));
    counter.finish(success)
}

fn succeeded(command: &mut Command, on_line: impl FnMut(&str)) -> bool {
    match stream(command, on_line) {
        Ok(status) => status.success(),
        Err(message) => {
            eprintln!("error: {message}");
            false
        }
    }
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    // Cargo sees a pipe in place of the terminal that its output ends up on.
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

/// What stands behind the URL of every SQLite database in the suite.
const SQLITE_OPTIONS: &str = "CORMORANT_TEST_SQLITE_OPTIONS";

/// What the tests are told about the backends.
struct Environment(Vec<(&'static str, Option<String>)>);

impl Environment {
    fn new(backends: &[Backend], servers: &[(Engine, Server)]) -> Self {
        let names: Vec<_> = backends.iter().map(|backend| backend.name()).collect();
        let url = |wanted| {
            let mut urls = servers.iter().filter(|(engine, _)| *engine == wanted);
            urls.next().map(|(engine, server)| server.url(engine.first_database()))
        };
        Self(vec![
            ("CORMORANT_TEST_BACKENDS", Some(names.join(","))),
            ("CORMORANT_TEST_POSTGRES", url(Engine::Postgres)),
            ("CORMORANT_TEST_MARIADB", url(Engine::Mariadb)),
            (SQLITE_OPTIONS, None),
        ])
    }

    fn with(&self, name: &'static str, value: &str) -> Self {
        let mut variables = self.0.clone();
        variables.retain(|(other, _)| *other != name);
        variables.push((name, Some(value.to_owned())));
        Self(variables)
    }

    fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for (name, value) in &self.0 {
            match value {
                Some(value) => command.env(name, value),
                // A URL from the caller's environment would hide that the server did not start.
                None => command.env_remove(name),
            };
        }
        command
    }
}

/// The steps done so far.
#[derive(Default)]
struct Report(Vec<Step>);

struct Step {
    name: String,
    tally: Tally,
    time: Duration,
}

impl Report {
    fn step(&mut self, name: &str, work: impl FnOnce() -> Tally) {
        println!("\n==== {name}");
        let started = Instant::now();
        let tally = work();
        let step = Step { name: name.to_owned(), tally, time: started.elapsed() };
        println!("{}", step.line());
        self.0.push(step);
    }

    /// Prints the overview and the count. True if all passed.
    fn finish(&self) -> bool {
        let mut total = Tally::default();
        println!("\n==== summary");
        for step in &self.0 {
            println!("{}", step.line());
            total += step.tally;
        }
        println!("{} passed, {} failed", total.passed, total.failed);
        total.failed == 0
    }
}

impl Step {
    fn line(&self) -> String {
        let Self { name, tally: Tally { passed, failed }, time } = self;
        let verdict = if *failed == 0 { "ok" } else { "FAILED" };
        format!("{verdict:<6} {name:<20} {:>7.1} s  {passed} passed, {failed} failed", time.as_secs_f64())
    }
}
