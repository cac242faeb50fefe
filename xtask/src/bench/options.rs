//! What `cargo xtask bench` is asked for.

use super::case::Case;
use super::peers;
use crate::args::Backend;

const ROUNDS: usize = 11;
const HINT: &str = "see `cargo xtask bench --help`";

#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Help,
    /// What programs cost to build: of which systems, all when empty, and how often.
    Build(Vec<String>, Option<usize>),
    Run(Options),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) backends: Vec<Backend>,
    pub(super) cases: Vec<Case>,
    /// All when empty.
    pub(super) systems: Vec<String>,
    /// Those written in Python as well.
    pub(super) python: bool,
    pub(super) rounds: usize,
    pub(super) write_readme: bool,
}

pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Request, String> {
    let (mut what, mut rounds, mut python, mut write_readme) = (None, None, false, false);
    let (mut systems, mut cases) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || value.clone().or_else(|| words.next()).ok_or(format!("`{name}` needs a value; {HINT}"));
        match name {
            "--help" | "-h" => return Ok(Request::Help),
            "--rounds" => rounds = Some(number(&value()?)?),
            "--systems" => systems = list(&value()?),
            "--cases" => cases = list(&value()?),
            "--python" => python = true,
            "--write-readme" => write_readme = true,
            _ if word.starts_with('-') => return Err(format!("unknown option `{word}`; {HINT}")),
            _ if what.is_some() => return Err(format!("unexpected argument `{word}`; {HINT}")),
            _ => what = Some(word),
        }
    }
    if what.as_deref() == Some("build") {
        if write_readme || python || !cases.is_empty() {
            return Err(format!("`build` takes `--rounds` and `--systems` alone; {HINT}"));
        }
        return Ok(Request::Build(systems, rounds));
    }
    if write_readme && !(systems.is_empty() && cases.is_empty()) {
        return Err(format!("`--write-readme` needs every system and case; {HINT}"));
    }
    let backends = match what {
        None => Backend::ALL.to_vec(),
        Some(name) => vec![Backend::named(&name).ok_or(format!("unknown backend `{name}`; {HINT}"))?],
    };
    for system in &systems {
        if !backends.iter().any(|backend| peers::systems(*backend).any(|known| known == system)) {
            let mut known: Vec<&str> = backends.iter().flat_map(|backend| peers::systems(*backend)).collect();
            known.sort_unstable();
            known.dedup();
            return Err(format!("unknown system `{system}`; there are {} ({HINT})", known.join(", ")));
        }
    }
    Ok(Request::Run(Options {
        backends,
        cases: all_or(&cases)?,
        systems,
        python,
        rounds: rounds.unwrap_or(ROUNDS),
        write_readme,
    }))
}

fn all_or(names: &[String]) -> Result<Vec<Case>, String> {
    let known = || Case::ALL.map(Case::name).join(", ");
    let case = |name: &String| Case::named(name).ok_or_else(|| format!("unknown case `{name}`; there are {}", known()));
    if names.is_empty() { Ok(Case::ALL.to_vec()) } else { names.iter().map(case).collect() }
}

fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("`--rounds` needs a number above 0, not `{text}`; {HINT}")),
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

pub(crate) const HELP: &str = "\
Measure what Cormorant costs, beside its peers and the drivers below them.

Usage: cargo xtask bench [<BACKEND>] [OPTIONS]
       cargo xtask bench build [--rounds <N>] [--systems <A,B>]

Backends: sqlite, postgres, mariadb; all of them when none is named. `build`
measures what a program of five models costs to build instead: once from
nothing and five times again, or N times both; it writes
target/bench/build.json.

Options:
  --rounds <N>     How often each system measures each case (11); 1 is a trial
  --systems <A,B>  Only these, such as rusqlite,cormorant,diesel
  --cases <A,B>    Only these, such as trivial_query,point_lookup
  --python         SQLAlchemy and Django as well, on SQLite and PostgreSQL, in a
                   virtual environment under target/: trivial_query, relations
                   and units of work
  --write-readme   Write benchmarks/chart.svg and the README's section on
                   performance; needs every system and case

Prints a table per backend and writes target/bench/results.json. The systems
are built first, each in the workspace under benchmarks/ that its dependencies
need. PostgreSQL and MariaDB run as private servers, reached by Unix socket;
cases of up to 100 rows share one core with the server, larger ones have all.
has_many and three_levels count users, who have ten posts each, which have ten
comments each. commit_graph, commit_changes and delete_graph are units of work:
a transaction each, of so many users, in the first and the last with ten posts
each. Rows are counted between the measurements.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn everything_or_what_is_named() {
        let Ok(Request::Run(all)) = parsed("") else { panic!("no run") };
        assert_eq!((all.backends.len(), all.cases.len(), all.rounds), (3, Case::ALL.len(), ROUNDS));
        let Ok(Request::Run(few)) = parsed("sqlite --rounds 2 --systems rusqlite,diesel --cases=insert") else {
            panic!("no run")
        };
        assert_eq!((few.backends, few.cases, few.rounds), (vec![Backend::Sqlite], vec![Case::Insert], 2));
        assert_eq!(few.systems, ["rusqlite", "diesel"]);
        let Ok(Request::Run(python)) = parsed("sqlite --python --systems rusqlite") else { panic!("no run") };
        let systems = |options: &Options| peers::chosen(Backend::Sqlite, options).into_iter().flat_map(|c| c.systems);
        assert_eq!(systems(&python).collect::<Vec<_>>(), ["rusqlite", "sqlalchemy", "django"]);
        assert!(!systems(&all).any(peers::is_python));
        assert_eq!(parsed("sqlite --help"), Ok(Request::Help));
        assert_eq!(parsed("build"), Ok(Request::Build(Vec::new(), None)));
        assert_eq!(parsed("build --rounds=3 --systems diesel"), Ok(Request::Build(vec!["diesel".to_owned()], Some(3))));
    }

    #[test]
    fn errors_name_the_word_and_what_is_known() {
        for (line, word, known) in [
            ("oracle", "`oracle`", "--help"),
            ("sqlite postgres", "`postgres`", "--help"),
            ("--fast", "`--fast`", "--help"),
            ("--rounds 0", "`0`", "--help"),
            ("--rounds", "needs a value", "--help"),
            ("sqlite --systems hibernate", "`hibernate`", "rusqlite"),
            ("--cases delete", "`delete`", "point_lookup"),
            ("--write-readme --cases insert", "every system and case", "--help"),
            ("build --cases insert", "`build`", "--help"),
            ("build --python", "`build`", "--help"),
        ] {
            let message = parsed(line).unwrap_err();
            assert!(message.contains(word) && message.contains(known), "`{line}` gave: {message}");
        }
    }
}
