//! The table on the screen: everybody's ratio to the floor.

use super::case::Case;
use super::figures::{Figures, Outcome};
use super::peers::{floor, is_driver};
use crate::args::Backend;

/// One backend: ratios, then by how many nanoseconds a single call differs, then what was skipped.
pub(super) fn of(backend: Backend, figures: &Figures) -> String {
    let mut text = ratios(backend, figures);
    if backend == Backend::Sqlite {
        text += &differences(figures);
    }
    text + &skipped(backend, figures)
}

fn ratios(backend: Backend, figures: &Figures) -> String {
    let floor = floor(backend);
    let others: Vec<&str> = figures.systems(backend).into_iter().filter(|system| *system != floor).collect();
    let mut text = format!("{}: ratio to {floor}\n{:<29}{:>15}", backend.name(), "", format!("{floor}, ns"));
    text.extend(others.iter().map(|system| format!("{system:>width$}", width = width(system))));
    for (case, rows) in figures.cases(backend) {
        let median = |system| figures.median(backend, case, rows, system);
        let base = median(floor);
        let absolute = base.map_or("-".to_owned(), |base| format!("{base:.0}"));
        text += &format!("\n{:<29}{absolute:>15}", name(case, rows));
        for system in &others {
            let ratio = median(system).zip(base).map_or("-".to_owned(), |(median, base)| ratio(median / base));
            text += &format!("{ratio:>width$}", width = width(system));
        }
    }
    text + "\n"
}

fn differences(figures: &Figures) -> String {
    const BASE: &str = "rusqlite-cached";
    let backend = Backend::Sqlite;
    let others: Vec<&str> = figures.systems(backend).into_iter().filter(|system| !is_driver(system)).collect();
    let cases = figures.cases(backend).into_iter().filter(|(_, rows)| *rows == 1);
    let mut lines = Vec::new();
    for (case, rows) in cases {
        let Some(base) = figures.median(backend, case, rows, BASE) else { continue };
        let difference = |system: &&str| {
            let median = figures.median(backend, case, rows, system);
            let text = median.map_or("-".to_owned(), |median| format!("{:+.0}", median - base));
            format!("{text:>width$}", width = width(system))
        };
        lines.push(format!(
            "\n{:<29}{base:>19.0}{}",
            name(case, rows),
            others.iter().map(difference).collect::<String>()
        ));
    }
    if lines.is_empty() {
        return String::new();
    }
    let names: String = others.iter().map(|system| format!("{system:>width$}", width = width(system))).collect();
    format!("\nnanoseconds more than {BASE}\n{:<29}{:>19}{names}{}\n", "", format!("{BASE}, ns"), lines.concat())
}

fn skipped(backend: Backend, figures: &Figures) -> String {
    let mut reasons: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for figure in figures.of(backend) {
        let Outcome::Skipped(reason) = &figure.outcome else { continue };
        let case = name(figure.case, figure.rows);
        match reasons.iter_mut().find(|known| (known.0, known.1) == (figure.system, reason.as_str())) {
            Some((_, _, cases)) => cases.push(case),
            None => reasons.push((figure.system, reason, vec![case])),
        }
    }
    let all = figures.cases(backend).len();
    let line = |(system, reason, cases): &(&str, &str, Vec<String>)| {
        let cases = if cases.len() == all { String::new() } else { format!(" {}", cases.join(", ")) };
        format!("- {system}{cases}: {reason}\n")
    };
    reasons.iter().map(line).collect()
}

pub(super) fn name(case: Case, rows: usize) -> String {
    format!("{} {rows}", case.name())
}

pub(super) fn ratio(ratio: f64) -> String {
    if ratio < 9.995 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

fn width(system: &str) -> usize {
    system.len().max(6) + 2
}
