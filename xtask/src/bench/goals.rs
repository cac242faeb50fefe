//! What was promised, and whether it holds.

use super::case::Case;
use super::figures::Figures;
use super::peers::{floor, is_driver, is_ours, is_python};
use super::table::{name, ratio};
use crate::args::Backend;

/// How many nanoseconds a single call may cost more than the same by hand with cached statements.
const CALL: f64 = 150.0;
/// How many times the floor.
const BULK: f64 = 1.10;
const RELATIONS: f64 = 1.15;
/// New rows of a unit of work; what is changed or deleted in one is reported, not promised.
const GRAPH: f64 = 1.3;
/// How many times as long Python takes for a thousand users with ten posts each: on SQLite to load them and to write
/// them, on PostgreSQL to write them.
const PYTHON: f64 = 20.0;
const PYTHON_ON_SERVER: f64 = 5.0;

/// A line per promise that is not kept.
pub(super) fn of(backend: Backend, figures: &Figures) -> String {
    let mut missed = Vec::new();
    for (case, rows) in figures.cases(backend) {
        for system in figures.systems(backend).into_iter().filter(|system| is_ours(system)) {
            missed.extend(check(backend, figures, case, rows, system));
        }
    }
    if missed.is_empty() { "every goal is met\n".to_owned() } else { format!("MISSED\n{}", missed.concat()) }
}

fn check(backend: Backend, figures: &Figures, case: Case, rows: usize, system: &str) -> Vec<String> {
    let median = |system: &str| figures.median(backend, case, rows, system);
    let Some(ours) = median(system) else { return Vec::new() };
    let mut missed = Vec::new();
    let mut miss = |what: String| missed.push(format!("  {:<29}{system:<16}{what}\n", name(case, rows)));

    let over = |base: &str| Some(ours - median(base)?).filter(|more| *more > CALL);
    let times = |base: &str, most: f64| Some(ours / median(base)?).filter(|times| *times > most);
    let most = match (backend, case, rows) {
        (Backend::Sqlite, Case::Insert, 1_000) => 1.3,
        (Backend::Server(_), Case::Insert, 1_000) => 1.15,
        (_, case, _) if case.is_relations() => RELATIONS,
        (_, Case::CommitGraph, _) => GRAPH,
        (_, Case::CommitChanges | Case::DeleteGraph, _) => f64::INFINITY,
        _ => BULK,
    };
    if backend == Backend::Sqlite && rows == 1 {
        if let Some(more) = over("rusqlite-cached") {
            miss(format!("{more:.0} ns over rusqlite-cached, at most {CALL:.0}"));
        }
    } else if (backend != Backend::Sqlite || rows >= 100)
        && let Some(times) = times(floor(backend), most)
    {
        miss(format!("{} of {}, at most {most}", ratio(times), floor(backend)));
    }
    // On servers Diesel is reported, not promised, but for relations: it is not async.
    let with_diesel = backend == Backend::Sqlite || case.is_relations();
    let rivals = figures.systems(backend).into_iter().filter(|other| !is_ours(other) && !is_driver(other));
    for rival in rivals.filter(|rival| with_diesel || *rival != "diesel") {
        let least = match (backend, case, rows) {
            (Backend::Sqlite, Case::HasMany | Case::CommitGraph, 1_000) if is_python(rival) => PYTHON,
            (Backend::Server(_), Case::CommitGraph, _) if is_python(rival) => PYTHON_ON_SERVER,
            _ => 1.0,
        };
        if let Some(times) = times(rival, 1.0 / least) {
            miss(format!("{rival} takes {} times as long, at least {least}", ratio(1.0 / times)));
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::super::figures::Outcome;
    use super::*;

    #[test]
    fn a_new_graph_has_goals_and_what_is_changed_or_deleted_is_reported() {
        let missed = |case, times: &[(&'static str, f64)]| {
            let mut figures = Figures::default();
            for (system, time) in times {
                figures.add(Backend::Sqlite, case, 1_000, system, Outcome::measured(vec![*time]));
            }
            of(Backend::Sqlite, &figures)
        };
        assert!(!missed(Case::CommitGraph, &[("rusqlite", 10.0), ("cormorant", 12.9)]).contains("MISSED"));
        assert!(missed(Case::CommitGraph, &[("rusqlite", 10.0), ("cormorant", 13.1)]).contains("at most 1.3"));
        assert!(missed(Case::CommitGraph, &[("cormorant", 1.0), ("django", 19.0)]).contains("at least 20"));
        assert!(!missed(Case::CommitGraph, &[("cormorant", 1.0), ("django", 21.0)]).contains("MISSED"));
        for case in [Case::CommitChanges, Case::DeleteGraph] {
            assert!(!missed(case, &[("rusqlite", 1.0), ("cormorant", 9.0), ("django", 10.0)]).contains("MISSED"));
            assert!(missed(case, &[("cormorant", 2.0), ("sea-orm", 1.0)]).contains("sea-orm"));
        }
    }
}
