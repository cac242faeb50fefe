//! Where the systems find their databases.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::target;
use crate::args::Backend;
use crate::program::{find, output};
use crate::server::{Engine, Server};

/// A directory for SQLite's files, or a server; gone when dropped.
pub(super) struct Place {
    backend: Backend,
    directory: PathBuf,
    server: Option<Running>,
}

struct Running {
    server: Server,
    engine: Engine,
    port: String,
    socket: String,
    version: String,
}

impl Place {
    pub(super) fn open(backend: Backend) -> Result<Self, String> {
        let directory = target().join("files");
        fs::create_dir_all(&directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        let server = match backend {
            Backend::Sqlite => None,
            Backend::Server(engine) => Some(Running::start(engine)?),
        };
        Ok(Self { backend, directory, server })
    }

    /// What a system's process is started with. On a server it gets a database of its own.
    pub(super) fn arguments(&self, system: &str) -> Result<Vec<String>, String> {
        let mut arguments =
            vec![system.to_owned(), self.backend.name().to_owned(), self.directory.to_string_lossy().into_owned()];
        if let Some(Running { server, engine, port, socket, .. }) = &self.server {
            let database = system.replace('-', "_");
            server.create_database(&database)?;
            arguments.extend([user(*engine).to_owned(), port.clone(), socket.clone(), database]);
        }
        Ok(arguments)
    }

    /// The server's.
    pub(super) fn version(&self) -> Option<String> {
        self.server.as_ref().map(|running| running.version.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Running {
    fn start(engine: Engine) -> Result<Self, String> {
        let server = Server::start(engine)?;
        let url = server.url(engine.first_database());
        let port = url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')).map_or("", |(port, _)| port);
        let ask = |statement| ask(engine, port, statement);
        let (socket, version) = match engine {
            Engine::Postgres => {
                // It would start in the middle of a case.
                ask("ALTER SYSTEM SET autovacuum = off")?;
                ask("SELECT pg_reload_conf()")?;
                (ask("SHOW unix_socket_directories")?, format!("PostgreSQL {}", ask("SHOW server_version")?))
            }
            Engine::Mariadb => (ask("SELECT @@socket")?, format!("MariaDB {}", ask("SELECT version()")?)),
        };
        Ok(Self { engine, port: port.to_owned(), socket, version, server })
    }
}

fn user(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "postgres",
        Engine::Mariadb => "root",
    }
}

/// Runs a statement and gives the one cell of its result.
fn ask(engine: Engine, port: &str, statement: &str) -> Result<String, String> {
    let names: &[&str] = match engine {
        Engine::Postgres => &["psql"],
        Engine::Mariadb => &["mariadb", "mysql"],
    };
    let client = find(names, &[]).ok_or(format!("`{}` is not in PATH", names.join("` or `")))?;
    let (user, port) = (user(engine), format!("--port={port}"));
    let options: [&str; 7] = match engine {
        Engine::Postgres => ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-U", user, "--command"],
        Engine::Mariadb => {
            ["--no-defaults", "--protocol=tcp", "--batch", "--skip-column-names", "-u", user, "--execute"]
        }
    };
    output(Command::new(client).args(options).args([statement, "--host=127.0.0.1", &port]))
}
