//! `cargo xtask bench build`: what a program of five models costs to build, beside its peers.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use super::{root, write};
use crate::program::{describe, find, output};

/// The programs: `benchmarks/hello/<system>`. Each links SQLite, compiled from the bundled source.
const SYSTEMS: [&str; 5] = ["cormorant", "diesel", "sqlx", "sea-orm", "toasty"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    CleanDebug,
    Touch,
    OwnCrate,
    Release,
    Crates,
    Binary,
    Stripped,
}

impl Measure {
    const ALL: [Self; 7] =
        [Self::CleanDebug, Self::Touch, Self::OwnCrate, Self::Release, Self::Crates, Self::Binary, Self::Stripped];

    /// Its name, and its unit.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::CleanDebug => ("clean debug", "s"),
            Self::Touch => ("touch", "s"),
            Self::OwnCrate => ("own crate", "s"),
            Self::Release => ("release", "s"),
            Self::Crates => ("crates", "crates"),
            Self::Binary => ("binary", "MB"),
            Self::Stripped => ("stripped", "MB"),
        }
    }
}

const LEGEND: &str = "\
Medians, in seconds, seconds of processor, and MB; SQLite is compiled in all of them; nothing is downloaded; Cargo's
default profiles. On a busy machine believe the processor's time.
clean debug, release  everything, from nothing
touch                 debug again after src/main.rs was touched: what an edit costs at least
own crate             debug again after the program's own crate was removed: what an edit costs at most
crates                `cargo tree --edges normal,build`, each once, the program itself included
";

/// Builds the programs of `systems`, all where it is empty, prints a table, and writes `target/bench/build.json`.
/// From nothing they are built once, and again five times, or `rounds` times both.
pub(crate) fn run(systems: &[String], rounds: Option<usize>) -> Result<(), String> {
    if let Some(unknown) = systems.iter().find(|name| !SYSTEMS.contains(&name.as_str())) {
        return Err(format!("no program to build for `{unknown}`: there are {}", SYSTEMS.join(", ")));
    }
    let chosen = SYSTEMS.iter().filter(|name| systems.is_empty() || systems.iter().any(|asked| asked == *name));
    let mut programs: Vec<Program> = chosen.map(|name| Program::new(name)).collect();
    for program in &mut programs {
        program.fetch()?;
    }
    let rounds = [rounds.unwrap_or(1), rounds.unwrap_or(5)];
    for round in 0..rounds[0] {
        for program in &mut programs {
            eprintln!("{}: from nothing, {} of {}", program.name, round + 1, rounds[0]);
            program.build_from_nothing()?;
        }
    }
    for round in 0..rounds[1] {
        eprintln!("again, {} of {}", round + 1, rounds[1]);
        for program in &mut programs {
            program.build_again()?;
        }
    }
    print!("{}\n{LEGEND}{}", table(&programs), bars(&programs));
    write(&root().join("target/bench/build.json"), &json(&programs))?;
    programs.iter().try_for_each(|program| remove(&program.target))
}

fn remove(directory: &Path) -> Result<(), String> {
    match fs::remove_dir_all(directory) {
        Err(error) if directory.exists() => Err(format!("cannot remove {}: {error}", directory.display())),
        _ => Ok(()),
    }
}

/// One system's program, and what was measured of it.
struct Program {
    name: &'static str,
    directory: PathBuf,
    target: PathBuf,
    samples: Vec<Sample>,
}

struct Sample {
    measure: Measure,
    value: f64,
    /// Of a build: seconds of processor.
    cpu: Option<f64>,
}

impl Program {
    fn new(name: &'static str) -> Self {
        let directory = root().join("benchmarks/hello").join(name);
        let target = root().join("target/bench/build").join(name);
        Self { name, directory, target, samples: Vec::new() }
    }

    fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.current_dir(&self.directory).env("CARGO_TARGET_DIR", &self.target);
        // What a user may have set for other builds would be measured too.
        cargo.env_remove("RUSTFLAGS").env_remove("CARGO_INCREMENTAL").env_remove("RUSTC_WRAPPER");
        cargo
    }

    fn package(&self) -> String {
        format!("hello-{}", self.name)
    }

    fn fetch(&mut self) -> Result<(), String> {
        output(self.cargo().arg("fetch"))?;
        let tree = output(self.cargo().args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none"]))?;
        self.keep(Measure::Crates, crate::dependencies::crates(&tree).len() as f64, None);
        Ok(())
    }

    fn build_from_nothing(&mut self) -> Result<(), String> {
        remove(&self.target)?;
        self.build(Measure::CleanDebug, &[])?;
        self.build(Measure::Release, &["--release"])?;
        let binary = self.target.join("release").join(self.package());
        self.keep(Measure::Binary, megabytes(&binary)?, None);
        if let Some(strip) = find(&["strip"], &[]) {
            let stripped = binary.with_extension("stripped");
            output(Command::new(strip).arg("-o").args([&stripped, &binary]))?;
            self.keep(Measure::Stripped, megabytes(&stripped)?, None);
        }
        Ok(())
    }

    fn build_again(&mut self) -> Result<(), String> {
        let source = self.directory.join("src/main.rs");
        let touched = File::options().append(true).open(&source).and_then(|file| file.set_modified(SystemTime::now()));
        touched.map_err(|error| format!("cannot touch {}: {error}", source.display()))?;
        self.build(Measure::Touch, &[])?;
        output(self.cargo().args(["clean", "--offline", "--package", &self.package()]))?;
        self.build(Measure::OwnCrate, &[])
    }

    /// Measures one build.
    fn build(&mut self, measure: Measure, options: &[&str]) -> Result<(), String> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--offline"]).args(options).stdin(Stdio::null());
        let (cpu, started) = (children_cpu(), Instant::now());
        let built = cargo.output().map_err(|error| format!("cannot run `{}`: {error}", describe(&cargo)))?;
        let (seconds, cpu) = (started.elapsed().as_secs_f64(), children_cpu().zip(cpu).map(|(end, start)| end - start));
        let said = String::from_utf8_lossy(&built.stderr);
        // A build that finds nothing to do is fast, and says nothing.
        if !built.status.success() || !said.contains(&format!("Compiling {}", self.package())) {
            return Err(format!("`{}` did not build {}:\n{said}", describe(&cargo), self.package()));
        }
        self.keep(measure, seconds, cpu);
        Ok(())
    }

    fn keep(&mut self, measure: Measure, value: f64, cpu: Option<f64>) {
        self.samples.push(Sample { measure, value, cpu });
    }

    fn samples(&self, wanted: Measure) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.measure == wanted)
    }

    fn median(&self, measure: Measure) -> Option<f64> {
        median(self.samples(measure).map(|sample| sample.value).collect())
    }

    fn cpu(&self, measure: Measure) -> Option<f64> {
        median(self.samples(measure).filter_map(|sample| sample.cpu).collect())
    }
}

fn median(mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    let (low, high) = (samples.get(samples.len().checked_sub(1)? / 2)?, samples.get(samples.len() / 2)?);
    Some((low + high) / 2.0)
}

/// Seconds of processor that the programs took which this one ran to their end, theirs included.
fn children_cpu() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold anything; then `cutime` and `cstime` are 14th and 15th.
    let ticks: Vec<f64> = stat.rsplit_once(')')?.1.split_whitespace().skip(13).take(2).flat_map(str::parse).collect();
    Some(ticks.iter().sum::<f64>() / 100.0)
}

fn megabytes(file: &Path) -> Result<f64, String> {
    let metadata = file.metadata().map_err(|error| format!("cannot measure {}: {error}", file.display()))?;
    Ok(metadata.len() as f64 / 1e6)
}

fn table(programs: &[Program]) -> String {
    let mut table = format!("{:<10}", "");
    table.extend(Measure::ALL.map(|measure| format!("{:>17}", measure.words().0)));
    for program in programs {
        table += &format!("\n{:<10}", program.name);
        table.extend(Measure::ALL.map(|measure| {
            let cell = match (program.median(measure), program.cpu(measure)) {
                (None, _) => "-".to_owned(),
                (Some(wall), Some(cpu)) => format!("{wall:.2} ({cpu:.2})"),
                (Some(count), None) if measure == Measure::Crates => count.to_string(),
                (Some(size), None) => format!("{size:.2}"),
            };
            format!("{cell:>17}")
        }));
    }
    table + "\n"
}

/// What Cormorant's program may cost.
fn bars(programs: &[Program]) -> String {
    let named = |name| programs.iter().find(|program| program.name == name);
    let crates = named("cormorant").and_then(|program| program.median(Measure::Crates));
    let ratio = |of: fn(&Program, Measure) -> Option<f64>, measure| {
        Some(of(named("cormorant")?, measure)? / of(named("diesel")?, measure)?)
    };
    let line = |what: &str, found: Option<f64>, cpu: Option<f64>, most: f64| {
        let verdict = found.map_or("-", |found| if found <= most { "ok" } else { "MISSED" });
        let found = found.map_or("not measured".to_owned(), |found| format!("{found:.2}, at most {most}"));
        let cpu = cpu.map_or(String::new(), |cpu| format!(" (of processor time {cpu:.2})"));
        format!("{verdict:<8}{what}: {found}{cpu}\n")
    };
    let compared = |what, measure, most| {
        let (wall, cpu) = (ratio(Program::median, measure), ratio(Program::cpu, measure));
        line(&format!("{what}, cormorant : diesel"), wall, cpu, most)
    };
    line("crates of cormorant", crates, None, 45.0)
        + &compared("clean debug", Measure::CleanDebug, 1.0)
        + &compared("touch", Measure::Touch, 2.0)
}

fn json(programs: &[Program]) -> String {
    let row = |program: &Program, measure: Measure| {
        let ((name, unit), system) = (measure.words(), program.name);
        let (name, rounds, median) =
            (name.replace(' ', "_"), program.samples(measure).count(), program.median(measure)?);
        let cpu = program.cpu(measure).map_or(String::new(), |cpu| format!(r#", "cpu_median": {cpu:.2}"#));
        Some(format!(
            r#"  {{"system": "{system}", "measure": "{name}", "unit": "{unit}", "median": {median:.3}{cpu}, "rounds": {rounds}}}"#
        ))
    };
    let rows =
        programs.iter().flat_map(|program| Measure::ALL.into_iter().filter_map(move |measure| row(program, measure)));
    format!("[\n{}\n]\n", rows.collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &'static str, clean: &[f64], touch: f64) -> Program {
        let mut program = Program::new(name);
        clean.iter().for_each(|seconds| program.keep(Measure::CleanDebug, *seconds, Some(seconds * 2.0)));
        program.keep(Measure::Touch, touch, None);
        program.keep(Measure::Crates, 38.0, None);
        program
    }

    #[test]
    fn medians_and_bars() {
        let programs = [program("cormorant", &[3.0, 1.0, 9.0], 0.9), program("diesel", &[4.0, 1.0], 0.4)];
        assert_eq!(programs[0].median(Measure::CleanDebug), Some(3.0));
        assert_eq!(programs[1].median(Measure::CleanDebug), Some(2.5));
        assert_eq!(programs[1].median(Measure::OwnCrate), None);
        assert_eq!(
            bars(&programs),
            "ok      crates of cormorant: 38.00, at most 45\n\
             MISSED  clean debug, cormorant : diesel: 1.20, at most 1 (of processor time 1.20)\n\
             MISSED  touch, cormorant : diesel: 2.25, at most 2\n"
        );
        assert!(bars(&programs[..1]).contains("clean debug, cormorant : diesel: not measured"));
    }

    #[test]
    fn a_row_for_each_pair_that_was_measured() {
        let json = json(&[program("diesel", &[4.0, 1.0], 0.4)]);
        assert_eq!(json.matches("\"system\": \"diesel\"").count(), 3);
        assert!(
            json.contains(r#""clean_debug", "unit": "s", "median": 2.500, "cpu_median": 5.00, "rounds": 2}"#),
            "{json}"
        );
    }

    #[test]
    fn the_time_of_children_grows() {
        let before = children_cpu().unwrap();
        output(Command::new("sh").args(["-c", "n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done"])).unwrap();
        assert!(children_cpu().unwrap() > before);
    }

    #[test]
    fn an_unknown_system_is_named() {
        assert!(run(&["hibernate".to_owned()], None).is_err_and(|message| message.contains("hibernate")));
    }
}
