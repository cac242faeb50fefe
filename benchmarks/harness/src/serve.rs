//! The protocol: a line in, a line out.
//!
//! `run <case> <rows>` gives `<nanoseconds per operation>` of one batch, or `skipped <reason>`. The first batch of a
//! case opens the database, makes its tables and finds out how long a sample takes: its result is not to be used. The
//! process ends with its input.

use std::io::{Write, stdin, stdout};

use crate::data::set_up;
use crate::{Backend, Case, Meter, Outcome, Place, Server, System};

/// At most so many rows are inserted before they are deleted again, unless one operation inserts more.
const INSERTED: usize = 5_000;
const POOL: usize = 4;

/// What the process was started with.
pub struct Arguments {
    /// The name of the system: a peer may have several.
    pub system: String,
    backend: Backend,
    directory: String,
    server: Server,
}

impl Arguments {
    /// `<system> <backend> <directory for files> [<user> <port> <socket> <database>]`.
    pub fn parse() -> Self {
        let mut words = std::env::args().skip(1);
        let mut next = || words.next();
        let read = (next(), next(), next());
        let (Some(system), Some(backend), Some(directory)) = read else { panic!("started by `cargo xtask bench`") };
        let server = match (next(), next(), next(), next()) {
            (Some(user), Some(port), Some(socket), Some(database)) => {
                Server { user, port: port.parse().expect("a port"), socket, database }
            }
            _ => Server::default(),
        };
        Self { system, backend: Backend::named(&backend).expect("a backend"), directory, server }
    }

    fn place(&self, case: Case) -> Place {
        let pool = case == Case::LookupsOnPool;
        // A database in memory has one connection.
        let file = pool.then(|| format!("{}/{}.sqlite", self.directory, self.system));
        let connections = if pool { POOL } else { 1 };
        Place { file, server: self.server.clone(), connections, clear: self.backend.clear(case) }
    }
}

/// Answers until the input ends.
pub async fn serve<S: System>(arguments: Arguments) {
    let mut open: Option<(Case, usize, S, Meter)> = None;
    let mut line = String::new();
    while stdin().read_line(&mut line).expect("a line of text") > 0 {
        let (case, rows) = parse(&line);
        line.clear();
        if !matches!(open, Some((open_case, open_rows, ..)) if (open_case, open_rows) == (case, rows)) {
            drop(open.take());
            let system = prepare(&arguments, case, rows).await;
            let most = match case {
                Case::Insert => (INSERTED / rows).max(1),
                Case::CommitGraph | Case::DeleteGraph => 1,
                _ => usize::MAX,
            };
            open = Some((case, rows, system, Meter::new(u32::try_from(most).unwrap_or(u32::MAX / 2))));
        }
        let Some((_, _, system, meter)) = &mut open else { continue };
        meter.begin_batch();
        let answer = match batch(system, case, rows, meter).await {
            Ok(()) => format!("{:.2}", meter.end_batch().expect("a sample")),
            Err(reason) => format!("skipped {reason}"),
        };
        let mut stdout = stdout().lock();
        writeln!(stdout, "{answer}").and_then(|()| stdout.flush()).expect("someone reads the output");
    }
}

fn parse(line: &str) -> (Case, usize) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["run", case, rows] = words[..] else { panic!("not understood: {line}") };
    (Case::named(case).expect("a case"), rows.parse().expect("a number of rows"))
}

async fn prepare<S: System>(arguments: &Arguments, case: Case, rows: usize) -> S {
    let place = arguments.place(case);
    if let Some(file) = &place.file {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{file}{end}"));
        }
    }
    let mut system = S::open(&place).await;
    for statement in set_up(arguments.backend, case, rows) {
        system.execute(&statement).await;
    }
    system
}

async fn batch(system: &mut impl System, case: Case, rows: usize, meter: &mut Meter) -> Outcome {
    match case {
        Case::TrivialQuery => system.trivial_query(meter).await,
        Case::MediumComplexQuery => system.medium_complex_query(meter).await,
        Case::Insert => system.insert(rows, meter).await,
        Case::PointLookup => system.point_lookup(meter).await,
        Case::Update => system.update(meter).await,
        Case::SaveUnchanged => system.save_unchanged(meter).await,
        Case::LookupsOnConnection | Case::LookupsOnPool => system.lookups(meter).await,
        Case::HasMany => system.has_many(meter).await,
        Case::ThreeLevels => system.three_levels(meter).await,
        Case::CommitGraph => system.commit_graph(rows, meter).await,
        Case::CommitChanges => system.commit_changes(meter).await,
        Case::DeleteGraph => system.delete_graph(rows, meter).await,
    }
}
