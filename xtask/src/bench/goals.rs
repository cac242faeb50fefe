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
/// How many times as long Python takes, for a thousand users with ten posts each, on SQLite.
const PYTHON: f64 = 20.0;

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
            (Backend::Sqlite, Case::HasMany, 1_000) if is_python(rival) => PYTHON,
            _ => 1.0,
        };
        if let Some(times) = times(rival, 1.0 / least) {
            miss(format!("{rival} takes {} times as long, at least {least}", ratio(1.0 / times)));
        }
    }
    missed
}
