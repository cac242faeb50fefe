//! The README's section on performance.

use std::fmt::Write as _;
use std::fs;

use super::case::Case;
use super::figures::{Figures, Outcome};
use super::options::Options;
use super::peers::{self, floor};
use super::table::{name, ratio};
use super::{root, versions, write as write_file};
use crate::args::Backend;

const BEGIN: &str = "<!-- bench:begin -->\n";
const END: &str = "<!-- bench:end -->";

/// What the README shows of the cases; the chart shows all.
const SHOWN: [(Case, usize); 14] = [
    (Case::TrivialQuery, 1),
    (Case::TrivialQuery, 100),
    (Case::TrivialQuery, 10_000),
    (Case::MediumComplexQuery, 100),
    (Case::PointLookup, 1),
    (Case::Update, 1),
    (Case::Insert, 1),
    (Case::Insert, 100),
    (Case::Insert, 1_000),
    (Case::HasMany, 1_000),
    (Case::ThreeLevels, 100),
    (Case::CommitGraph, 1_000),
    (Case::CommitChanges, 1_000),
    (Case::DeleteGraph, 1_000),
];

/// Puts a new section between the markers.
pub(super) fn write(figures: &Figures, options: &Options) -> Result<(), String> {
    let file = root().join("README.md");
    let text = fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    write_file(&file, &replaced(&text, &section(figures, options))?)
}

fn replaced(text: &str, section: &str) -> Result<String, String> {
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or("the README has no `<!-- bench:begin -->` with a `<!-- bench:end -->` behind")?;
    Ok(format!("{before}{BEGIN}{section}{END}{after}"))
}

fn section(figures: &Figures, options: &Options) -> String {
    let mut text = String::from(
        "![Time per operation, in times the driver's used by hand](benchmarks/chart.svg)\n\n\
         Time per operation, in times that of the driver used by hand; `cormorant` is `.await` on a current-thread \
         runtime.\n",
    );
    for backend in &options.backends {
        text += &table(*backend, figures);
    }
    text += "\nhas_many loads that many users, each with ten posts; three_levels loads their comments as well, ten each. \
         The last three are units of work, a transaction each: commit_graph writes that many new users with ten new \
         posts each, and has all their keys afterwards; commit_changes gives that many loaded users a colour of their \
         own; delete_graph deletes what commit_graph wrote, by the keys that it has. Making the new objects and \
         values in memory, strings included, is measured for everybody, as with insert; loading or writing what is \
         changed or deleted is measured for nobody.\n";
    text += &python(figures, options);
    text += &conditions(figures, options);
    text
}

/// How many times as long as `cormorant` the systems in Python take.
fn python(figures: &Figures, options: &Options) -> String {
    let mut text = String::new();
    for case in [Case::HasMany, Case::CommitGraph, Case::CommitChanges, Case::DeleteGraph] {
        let mut lines = Vec::new();
        for backend in &options.backends {
            let median = |system| figures.median(*backend, case, 1_000, system);
            for system in figures.systems(*backend).into_iter().filter(|system| peers::is_python(system)) {
                if let (Some(theirs), Some(ours)) = (median(system), median("cormorant")) {
                    lines.push(format!("{system} {} times on {}", ratio(theirs / ours), backend.name()));
                }
            }
        }
        if !lines.is_empty() {
            let (name, lines) = (name(case, 1_000), lines.join(", "));
            let _ = writeln!(text, "\nFor {name} these take as long as `cormorant`, so many times: {lines}.");
        }
    }
    text
}

fn table(backend: Backend, figures: &Figures) -> String {
    let floor = floor(backend);
    let shown = |system: &&str| *system != floor && !peers::is_python(system);
    let systems: Vec<&str> = figures.systems(backend).into_iter().filter(shown).collect();
    let mut text = format!("\n| {} | {floor} | {} |\n|---|---:|", backend.name(), systems.join(" | "));
    text += &"---:|".repeat(systems.len());
    for (case, rows) in SHOWN {
        let median = |system| figures.median(backend, case, rows, system);
        let Some(base) = median(floor) else { continue };
        let cells = systems.iter().map(|system| median(system).map_or("–".to_owned(), |time| ratio(time / base)));
        let cells: Vec<String> = cells.collect();
        let _ = write!(text, "\n| {} | {} | {} |", name(case, rows), duration(base), cells.join(" | "));
    }
    text + "\n"
}

fn conditions(figures: &Figures, options: &Options) -> String {
    let mut named = Vec::new();
    for backend in &options.backends {
        for chosen in peers::chosen(*backend, options) {
            let version = versions::of_peer(chosen.peer.name);
            if !named.contains(&version) {
                named.push(version);
            }
        }
    }
    let mut servers = figures.servers.clone();
    servers.dedup();
    let mut text = format!(
        "\nMeasured {} on {}, {}, {} rounds; release builds with fat LTO and one codegen unit. {}.",
        versions::date(),
        versions::machine(),
        versions::compiler(),
        options.rounds,
        named.join(", ")
    );
    if !servers.is_empty() {
        let _ = write!(text, " {}, reached by Unix socket, without waiting for the disk.", servers.join(", "));
    }
    text += "\n\nNot measured: networks, databases on a disk, several programs at once, memory, MySQL";
    text += if options.python { "." } else { ", SQLAlchemy and Django (`--python`)." };
    for (backend, system, reason) in missing(figures, options) {
        let _ = write!(text, " {system} on {}: {reason}.", backend.name());
    }
    text + " `cargo xtask bench` measures again.\n"
}

/// Systems that were measured nowhere on a backend.
fn missing<'a>(figures: &'a Figures, options: &Options) -> Vec<(Backend, &'a str, &'a str)> {
    let mut missing = Vec::new();
    for backend in &options.backends {
        for system in figures.systems(*backend) {
            let outcomes = figures.of(*backend).filter(|figure| figure.system == system).map(|figure| &figure.outcome);
            let reasons: Option<Vec<&str>> = outcomes.map(Outcome::reason).collect();
            if let Some(reason) = reasons.and_then(|reasons| reasons.first().copied()) {
                missing.push((*backend, system, reason));
            }
        }
    }
    missing
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        small if small < 1e3 => format!("{small:.0} ns"),
        middle if middle < 1e6 => format!("{:.1} µs", middle / 1e3),
        large => format!("{:.2} ms", large / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = format!("# Title\n{BEGIN}old\n{END}\nrest\n");
        assert_eq!(replaced(&text, "new\n").unwrap(), format!("# Title\n{BEGIN}new\n{END}\nrest\n"));
        assert!(replaced("# Title\n", "new\n").is_err());
    }

    #[test]
    fn python_is_compared_with_ours() {
        let mut figures = Figures::default();
        for (system, time) in [("rusqlite", 2.0), ("cormorant", 2.5), ("django", 80.0)] {
            figures.add(Backend::Sqlite, Case::HasMany, 1_000, system, Outcome::measured(vec![time]));
        }
        let (backends, cases) = (vec![Backend::Sqlite], vec![Case::HasMany]);
        let options = Options { backends, cases, systems: vec![], python: true, rounds: 1, write_readme: true };
        assert!(python(&figures, &options).contains("django 32 times on sqlite"));
        let table = table(Backend::Sqlite, &figures);
        assert!(table.contains("has_many 1000 | 2 ns | 1.25 |") && !table.contains("django"), "{table}");
        assert_eq!(python(&Figures::default(), &options), "");
    }

    #[test]
    fn durations_have_units() {
        assert_eq!([364.2, 15_079.0, 1_643_157.0].map(duration), ["364 ns", "15.1 µs", "1.64 ms"]);
    }
}
