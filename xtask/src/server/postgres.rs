//! PostgreSQL as a throwaway server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Programs, isolated};
use crate::program;

pub(super) struct Postgres {
    initdb: PathBuf,
    postgres: PathBuf,
    psql: PathBuf,
}

pub(super) fn find() -> Result<Postgres, String> {
    // Debian keeps the server programs out of PATH, one directory for each version.
    let by_path = program::find(&["initdb"], &[]).and_then(|initdb| Some(initdb.parent()?.to_owned()));
    let by_config = program::output(Command::new("pg_config").arg("--bindir")).ok().map(PathBuf::from);
    let bin = by_path
        .into_iter()
        .chain(by_config)
        .chain(debian_directories())
        .find(|dir| program::is_program(&dir.join("initdb")) && program::is_program(&dir.join("postgres")))
        .ok_or("`initdb` and `postgres`, the server programs of PostgreSQL, are not installed")?;
    let psql = Some(bin.join("psql"))
        .filter(|psql| program::is_program(psql))
        .or_else(|| program::find(&["psql"], &[]))
        .ok_or("`psql`, the client program of PostgreSQL, is not installed")?;
    Ok(Postgres { initdb: bin.join("initdb"), postgres: bin.join("postgres"), psql })
}

/// The newest version first.
fn debian_directories() -> Vec<PathBuf> {
    let entries = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, dir)| dir).collect()
}

impl Programs for Postgres {
    fn accounts(&self) -> &'static [&'static str] {
        &["postgres", "nobody"]
    }

    fn stop_signal(&self) -> &'static str {
        "INT"
    }

    fn ready_line(&self) -> &'static str {
        "database system is ready to accept connections"
    }

    fn install(&self, dir: &Path) -> Command {
        let mut command = isolated(&self.initdb);
        command.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        command.arg("-D").arg(dir.join("data"));
        command
    }

    fn start(&self, dir: &Path, port: u16) -> Command {
        let mut command = isolated(&self.postgres);
        command.arg("-D").arg(dir.join("data")).arg("-k").arg(dir);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        for setting in [
            // Nobody needs the data after a crash.
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=200",
            "shared_buffers=128MB",
            // Compiling costs more than the tests' small queries.
            "jit=off",
        ] {
            command.args(["-c", setting]);
        }
        command
    }

    fn query(&self, port: u16, statement: &str) -> Command {
        let mut command = isolated(&self.psql);
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--set", "ON_ERROR_STOP=1"]);
        command.env("PGCONNECT_TIMEOUT", "5");
        command.args(["--command", statement, &self.url(port, "postgres")]);
        command
    }

    fn url(&self, port: u16, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{port}/{database}")
    }
}
