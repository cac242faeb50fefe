//! The order of work: case by case, round by round, system by system.

use super::case::Case;
use super::cores::Cores;
use super::figures::{Figures, Outcome};
use super::options::Options;
use super::peers::{Chosen, floor, is_ours};
use super::place::Place;
use super::process::{Answer, Process};
use crate::args::Backend;

/// Up to so many rows, client and server share a core.
const SMALL: usize = 100;

/// Measures every case on a backend. Gives what failed; peers may, ours and the floor may not.
pub(super) fn measure(
    backend: Backend,
    peers: &[Chosen],
    options: &Options,
    figures: &mut Figures,
) -> Result<Vec<String>, String> {
    let measurements = options.cases.iter().flat_map(|case| case.rows().iter().map(|rows| (*case, *rows)));
    let (small, large): (Vec<_>, Vec<_>) =
        measurements.partition(|(_, rows)| *rows <= SMALL && matches!(backend, Backend::Server(_)));
    let mut failures = Vec::new();
    for (cores, measurements) in [(Cores::One, small), (Cores::All, large)] {
        if measurements.is_empty() {
            continue;
        }
        let _restricted = cores.restrict();
        let place = Place::open(backend)?;
        figures.servers.extend(place.version());
        let mut field = Field::new(backend, peers, &place)?;
        for (n, (case, rows)) in measurements.iter().enumerate() {
            eprint!("{} {:<22} {rows:>6}  {}/{}", backend.name(), case.name(), n + 1, measurements.len());
            failures.extend(field.measure(*case, *rows, options.rounds, figures)?);
            eprintln!("  {}", figures.summary(backend, *case, *rows, floor(backend)));
        }
    }
    Ok(failures)
}

/// Everybody who takes part.
struct Field<'a> {
    backend: Backend,
    runners: Vec<Runner<'a>>,
}

struct Runner<'a> {
    chosen: &'a Chosen,
    system: &'static str,
    arguments: Vec<String>,
    process: Option<Process>,
}

impl<'a> Field<'a> {
    fn new(backend: Backend, peers: &'a [Chosen], place: &Place) -> Result<Self, String> {
        let mut runners = Vec::new();
        for chosen in peers {
            for system in &chosen.systems {
                let arguments = if chosen.missing.is_some() { Vec::new() } else { place.arguments(system)? };
                runners.push(Runner { chosen, system, arguments, process: None });
            }
        }
        Ok(Self { backend, runners })
    }

    fn measure(
        &mut self,
        case: Case,
        rows: usize,
        rounds: usize,
        figures: &mut Figures,
    ) -> Result<Vec<String>, String> {
        let mut outcomes: Vec<Result<Vec<f64>, String>> = self.runners.iter().map(|_| Ok(Vec::new())).collect();
        let mut failures = Vec::new();
        // The first round warms up.
        for round in 0..=rounds {
            for turn in 0..self.runners.len() {
                // Nobody always follows the same one.
                let n = (turn + round) % self.runners.len();
                let (Some(runner), Some(outcome)) = (self.runners.get_mut(n), outcomes.get_mut(n)) else { continue };
                let Ok(samples) = outcome else { continue };
                match runner.run(case, rows) {
                    Ok(Answer::Nanoseconds(_)) if round == 0 => {}
                    Ok(Answer::Nanoseconds(nanoseconds)) => samples.push(nanoseconds),
                    Ok(Answer::Skipped(reason)) => *outcome = Err(reason),
                    Err(error) => {
                        let what = format!("{} {} {} {rows}: {error}", self.backend.name(), runner.system, case.name());
                        failures.push(what);
                        *outcome = Err(format!("failed: {error}"));
                        runner.process = None;
                    }
                }
            }
        }
        for (runner, outcome) in self.runners.iter().zip(outcomes) {
            let required = is_ours(runner.system) || runner.system.starts_with(floor(self.backend));
            let outcome = match outcome {
                Err(reason) if required => {
                    return Err(format!("{} must not skip {} {rows}: {reason}", runner.system, case.name()));
                }
                Err(reason) => Outcome::Skipped(reason),
                Ok(samples) => Outcome::measured(samples),
            };
            figures.add(self.backend, case, rows, runner.system, outcome);
        }
        Ok(failures)
    }
}

impl Runner<'_> {
    fn run(&mut self, case: Case, rows: usize) -> Result<Answer, String> {
        if let Some(reason) = self.chosen.missing {
            return Ok(Answer::Skipped(reason.to_owned()));
        }
        let process = match &mut self.process {
            Some(process) => process,
            none => none.insert(Process::start(self.chosen.peer.command(), &self.arguments)?),
        };
        process.run(case, rows)
    }
}
