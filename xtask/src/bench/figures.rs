//! What was measured.

use super::case::Case;
use crate::args::Backend;

#[derive(Default)]
pub(super) struct Figures {
    pub(super) list: Vec<Figure>,
    /// The servers' names and versions.
    pub(super) servers: Vec<String>,
}

pub(super) struct Figure {
    pub(super) backend: Backend,
    pub(super) case: Case,
    pub(super) rows: usize,
    pub(super) system: &'static str,
    pub(super) outcome: Outcome,
}

/// In nanoseconds per operation.
pub(super) enum Outcome {
    Measured {
        median: f64,
        /// Half of the rounds lie between these.
        quartiles: [f64; 2],
    },
    Skipped(String),
}

impl Outcome {
    pub(super) fn measured(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |share: f64| rounds.get(((rounds.len() - 1) as f64 * share).round() as usize).copied();
        match (at(0.5), at(0.25), at(0.75)) {
            (Some(median), Some(low), Some(high)) => Self::Measured { median, quartiles: [low, high] },
            _ => Self::Skipped("no round".to_owned()),
        }
    }

    /// Why it was skipped, if it was.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Measured { .. } => None,
            Self::Skipped(reason) => Some(reason),
        }
    }
}

impl Figures {
    pub(super) fn add(&mut self, backend: Backend, case: Case, rows: usize, system: &'static str, outcome: Outcome) {
        self.list.push(Figure { backend, case, rows, system, outcome });
    }

    pub(super) fn median(&self, backend: Backend, case: Case, rows: usize, system: &str) -> Option<f64> {
        let mut figures = self.of(backend).filter(|figure| (figure.case, figure.rows) == (case, rows));
        match figures.find(|figure| figure.system == system)?.outcome {
            Outcome::Measured { median, .. } => Some(median),
            Outcome::Skipped(_) => None,
        }
    }

    pub(super) fn of(&self, backend: Backend) -> impl Iterator<Item = &Figure> {
        self.list.iter().filter(move |figure| figure.backend == backend)
    }

    /// The systems of a backend, in their order.
    pub(super) fn systems(&self, backend: Backend) -> Vec<&'static str> {
        let mut systems: Vec<&'static str> = Vec::new();
        for figure in self.of(backend) {
            if !systems.contains(&figure.system) {
                systems.push(figure.system);
            }
        }
        systems
    }

    /// The cases of a backend with their rows, in the order of the case list.
    pub(super) fn cases(&self, backend: Backend) -> Vec<(Case, usize)> {
        let all = Case::ALL.into_iter().flat_map(|case| case.rows().iter().map(move |rows| (case, *rows)));
        all.filter(|asked| self.of(backend).any(|figure| (figure.case, figure.rows) == *asked)).collect()
    }

    /// A line while it runs.
    pub(super) fn summary(&self, backend: Backend, case: Case, rows: usize, floor: &str) -> String {
        let median = |system| self.median(backend, case, rows, system);
        match (median(floor), median("cormorant")) {
            (Some(floor), Some(ours)) => format!("{floor:>10.0} ns, cormorant {:.2}", ours / floor),
            _ => String::new(),
        }
    }

    pub(super) fn to_json(&self) -> String {
        let line = |figure: &Figure| {
            let Figure { backend, case, rows, system, outcome } = figure;
            let outcome = match outcome {
                Outcome::Measured { median, quartiles: [low, high] } => {
                    format!(r#""median_ns": {median:.1}, "quartile_1_ns": {low:.1}, "quartile_3_ns": {high:.1}"#)
                }
                Outcome::Skipped(reason) => format!(r#""skipped": {}"#, quoted(reason)),
            };
            let (backend, case) = (backend.name(), case.name());
            format!(
                r#"  {{"backend": "{backend}", "case": "{case}", "rows": {rows}, "system": "{system}", {outcome}}}"#
            )
        };
        format!("[\n{}\n]\n", self.list.iter().map(line).collect::<Vec<_>>().join(",\n"))
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_reasons_as_json() {
        let mut figures = Figures::default();
        let outcome = Outcome::measured(vec![5.0, 1.0, 2.0, 3.0, 4.0]);
        figures.add(Backend::Sqlite, Case::Insert, 10, "diesel", outcome);
        figures.add(Backend::Sqlite, Case::Insert, 10, "sqlx", Outcome::Skipped("no \"luck\"\n".to_owned()));
        assert_eq!(figures.median(Backend::Sqlite, Case::Insert, 10, "diesel"), Some(3.0));
        assert_eq!(
            figures.to_json(),
            concat!(
                "[\n",
                r#"  {"backend": "sqlite", "case": "insert", "rows": 10, "system": "diesel", "#,
                r#""median_ns": 3.0, "quartile_1_ns": 2.0, "quartile_3_ns": 4.0},"#,
                "\n",
                r#"  {"backend": "sqlite", "case": "insert", "rows": 10, "system": "sqlx", "skipped": "no \"luck\" "}"#,
                "\n]\n"
            )
        );
    }
}
