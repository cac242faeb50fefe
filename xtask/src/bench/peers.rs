//! Who is measured.

use std::process::Command;

use super::options::Options;
use super::{python, root, target};
use crate::args::Backend;
use crate::program::output;
use crate::server::Engine;

const SQLITE: Backend = Backend::Sqlite;
const POSTGRES: Backend = Backend::Server(Engine::Postgres);
const MARIADB: Backend = Backend::Server(Engine::Mariadb);

/// A program under `benchmarks/`, in a workspace of its own if it is written in Rust.
pub(super) struct Peer {
    /// Its directory, its program, and the crate whose version is named.
    pub(super) name: &'static str,
    /// The ways to use it, each a process.
    systems: &'static [&'static str],
    backends: &'static [Backend],
    /// Where it is not measured although it could be, and why.
    missing: Option<(Backend, &'static str)>,
    /// Those are run by `benchmarks/python`, and only when they are asked for.
    is_python: bool,
}

/// In the order of the tables' columns: the floors, ours, the others.
const PEERS: [Peer; 11] = [
    Peer::new("rusqlite", &["rusqlite", "rusqlite-cached"], &[SQLITE]),
    Peer::new("tokio-postgres", &["tokio-postgres", "tokio-postgres-mt"], &[POSTGRES]),
    Peer::new("mysql_async", &["mysql_async", "mysql_async-mt"], &[MARIADB]),
    Peer::new("cormorant", &["cormorant", "cormorant-mt", "cormorant-wait"], &[SQLITE, POSTGRES, MARIADB]),
    Peer {
        missing: Some((MARIADB, "needs the C client library of MySQL or MariaDB, which has to be installed")),
        ..Peer::new("diesel", &["diesel"], &[SQLITE, POSTGRES])
    },
    Peer::new("diesel-async", &["diesel-async"], &[SQLITE, POSTGRES, MARIADB]),
    Peer::new("sqlx", &["sqlx"], &[SQLITE, POSTGRES, MARIADB]),
    Peer::new("sea-orm", &["sea-orm"], &[SQLITE, POSTGRES, MARIADB]),
    Peer::new("toasty", &["toasty"], &[SQLITE, POSTGRES, MARIADB]),
    Peer { is_python: true, ..Peer::new("sqlalchemy", &["sqlalchemy"], &[SQLITE, POSTGRES]) },
    Peer { is_python: true, ..Peer::new("django", &["django"], &[SQLITE, POSTGRES]) },
];

/// Whom everybody is compared with.
pub(super) fn floor(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "rusqlite",
        Backend::Server(Engine::Postgres) => "tokio-postgres",
        Backend::Server(Engine::Mariadb) => "mysql_async",
    }
}

pub(super) fn is_ours(system: &str) -> bool {
    system.starts_with("cormorant")
}

/// Whether it is a driver, used by hand.
pub(super) fn is_driver(system: &str) -> bool {
    Backend::ALL.iter().any(|backend| system.starts_with(floor(*backend)))
}

pub(super) fn is_python(system: &str) -> bool {
    PEERS.iter().any(|peer| peer.is_python && peer.systems.contains(&system))
}

/// The systems of a backend, those that are missing included.
pub(super) fn systems(backend: Backend) -> impl Iterator<Item = &'static str> {
    PEERS.iter().filter(move |peer| peer.is_on(backend)).flat_map(|peer| peer.systems.iter().copied())
}

/// The peers of a backend, with the systems that were asked for: if none was, all of them but those in Python.
pub(super) fn chosen(backend: Backend, options: &Options) -> Vec<Chosen> {
    let named = |system: &str| options.systems.iter().any(|name| name == system);
    let all = |peer: &Peer| if peer.is_python { options.python } else { options.systems.is_empty() };
    let choose = |peer: &'static Peer| Chosen {
        peer,
        systems: peer.systems.iter().copied().filter(|system| all(peer) || named(system)).collect(),
        missing: peer.missing.filter(|(where_, _)| *where_ == backend).map(|(_, reason)| reason),
    };
    let peers = PEERS.iter().filter(|peer| peer.is_on(backend)).map(choose);
    peers.filter(|chosen| !chosen.systems.is_empty()).collect()
}

impl Peer {
    const fn new(name: &'static str, systems: &'static [&'static str], backends: &'static [Backend]) -> Self {
        Self { name, systems, backends, missing: None, is_python: false }
    }

    /// What is run, but for the arguments that every system gets.
    pub(super) fn command(&self) -> Command {
        if self.is_python { python::command() } else { Command::new(target().join("release").join(self.name)) }
    }

    fn is_on(&self, backend: Backend) -> bool {
        self.backends.contains(&backend) || matches!(self.missing, Some((missing, _)) if missing == backend)
    }
}

/// A peer and those of its systems that are to be measured.
pub(super) struct Chosen {
    pub(super) peer: &'static Peer,
    pub(super) systems: Vec<&'static str>,
    /// Why it is not measured here.
    pub(super) missing: Option<&'static str>,
}

impl Chosen {
    /// Builds the program for one backend alone, as a user's program would be.
    pub(super) fn build(&self, backend: Backend) -> Result<(), String> {
        if self.missing.is_some() {
            return Ok(());
        }
        eprintln!("building {} for {}", self.peer.name, backend.name());
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--release"]).env("CARGO_TARGET_DIR", target());
        let workspaces = root().join("benchmarks");
        if self.peer.is_python {
            python::build()?;
            cargo.current_dir(workspaces.join("harness"));
        } else {
            cargo.args(["--features", backend.name()]).current_dir(workspaces.join(self.peer.name));
        }
        output(&mut cargo).map(drop)
    }
}
