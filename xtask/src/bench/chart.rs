//! The chart for the README: a dot per system on a logarithmic scale.

use std::fmt::Write as _;

use super::figures::Figures;
use super::peers::{floor, is_driver};
use super::table::name;
use crate::args::Backend;

/// Ours with `.await` on a current-thread runtime, and the others; the driver is the line at 1.
const COLORS: [(&str, &str); 6] = [
    ("cormorant", "#d9480f"),
    ("diesel", "#1971c2"),
    ("diesel-async", "#74c0fc"),
    ("sqlx", "#2f9e44"),
    ("sea-orm", "#9c36b5"),
    ("toasty", "#868e96"),
];

const WIDTH: f64 = 860.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 17.0;
const HEAD: f64 = 56.0;
const GAP: f64 = 34.0;

const SCALE: [f64; 9] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];

pub(super) fn of(figures: &Figures) -> String {
    let backends: Vec<Backend> =
        Backend::ALL.into_iter().filter(|backend| figures.of(*backend).next().is_some()).collect();
    let mut body = legend();
    let mut top = HEAD;
    for backend in backends {
        top = panel(&mut body, backend, figures, top);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>Time per operation, in times the driver's</title>\n\
         <rect width=\"{WIDTH}\" height=\"{top}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

fn legend() -> String {
    let mut text =
        "<text x=\"16\" y=\"22\" font-weight=\"bold\">Time per operation, in times the driver's used by hand \
                    (logarithmic; left is faster)</text>\n"
            .to_owned();
    let mut x = 20.0;
    for (system, color) in COLORS {
        let _ = writeln!(text, "<circle cx=\"{x}\" cy=\"40\" r=\"4.5\" fill=\"{color}\"/>");
        let _ = writeln!(text, "<text x=\"{}\" y=\"44\">{system}</text>", x + 9.0);
        x += 100.0;
    }
    text
}

/// Gives where the next panel begins.
fn panel(text: &mut String, backend: Backend, figures: &Figures, top: f64) -> f64 {
    let cases = figures.cases(backend);
    let first = top + 30.0;
    let bottom = first + ROW * cases.len() as f64;
    let title = format!("{}, driver: {}", backend.name(), floor(backend));
    let _ = writeln!(text, "<text x=\"16\" y=\"{}\" font-weight=\"bold\">{title}</text>", top + 18.0);
    for mark in SCALE {
        let (x, width) = (place(mark), if mark == 1.0 { 2.0 } else { 0.5 });
        let _ = writeln!(
            text,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{bottom}\" stroke=\"#495057\" stroke-width=\"{width}\"/>",
            first - 6.0
        );
        let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{mark}</text>", bottom + 14.0);
    }
    for (n, (case, rows)) in cases.into_iter().enumerate() {
        let y = first + ROW * n as f64 + 6.0;
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 16.0,
            y + 4.0,
            name(case, rows)
        );
        let median = |system| figures.median(backend, case, rows, system);
        let Some(base) = median(floor(backend)) else { continue };
        // Ours last, on top.
        for (system, color) in COLORS.iter().rev().filter(|(system, _)| !is_driver(system)) {
            if let Some(median) = median(system) {
                let x = place(median / base);
                let _ = writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y}\" r=\"4.5\" fill=\"{color}\"/>");
            }
        }
    }
    bottom + GAP
}

/// Where a ratio lies; what is off the scale lies at its end.
fn place(ratio: f64) -> f64 {
    let [low, .., high] = SCALE;
    let share = (ratio.clamp(low, high) / low).ln() / (high / low).ln();
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

#[cfg(test)]
mod tests {
    use super::super::case::Case;
    use super::super::figures::Outcome;
    use super::*;

    #[test]
    fn the_driver_is_the_line_and_twice_as_slow_lies_right_of_it() {
        assert!(place(2.0) > place(1.0) && place(0.9) < place(1.0));
        assert_eq!(place(100_000.0), place(200.0));
        let mut figures = Figures::default();
        for (system, time) in [("rusqlite", 10.0), ("diesel", 20.0)] {
            figures.add(Backend::Sqlite, Case::Update, 1, system, Outcome::measured(vec![time]));
        }
        let chart = of(&figures);
        assert!(chart.contains(&format!("cx=\"{:.1}\"", place(2.0))) && chart.contains("update 1"), "{chart}");
    }
}
