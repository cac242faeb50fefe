//! Private throwaway database servers.
//!
//! A server lives in a [`Sandbox`]: a temporary directory and a process, both gone when the value
//! is dropped or when this program ends in any other way. What differs between the engines is in
//! one file for each, behind [`Programs`].

mod account;
mod mariadb;
mod packages;
mod postgres;
mod sandbox;

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::program;
use account::Account;
use sandbox::Sandbox;

const START_LIMIT: Duration = Duration::from_secs(60);
const START_ATTEMPTS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Engine {
    Postgres,
    Mariadb,
}

impl Engine {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Postgres, Self::Mariadb].into_iter().find(|engine| engine.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
        }
    }

    /// The database that a new server has and that one connects to in order to create others.
    pub(crate) fn first_database(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mariadb => "mysql",
        }
    }

    /// The Debian package that brings server and client programs.
    fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Mariadb => "mariadb-server",
        }
    }

    fn find(self) -> Result<Box<dyn Programs>, String> {
        Ok(match self {
            Self::Postgres => Box::new(postgres::find()?),
            Self::Mariadb => Box::new(mariadb::find()?),
        })
    }

    fn find_or_install(self) -> Result<Box<dyn Programs>, String> {
        self.find().or_else(|missing| {
            packages::install(self.package(), &missing)?;
            self.find()
        })
    }
}

/// An engine's programs, and how to use them.
trait Programs {
    /// The users to run as when we are root, the preferred one first.
    fn accounts(&self) -> &'static [&'static str];
    /// The signal that stops the server without waiting for its clients.
    fn stop_signal(&self) -> &'static str;
    /// What the server logs when it is ready.
    fn ready_line(&self) -> &'static str;
    /// Creates the data directory inside `dir`.
    fn install(&self, dir: &Path) -> Command;
    /// Runs the server in the foreground.
    fn start(&self, dir: &Path, port: u16) -> Command;
    /// Runs one statement over TCP with the client program.
    fn query(&self, port: u16, statement: &str) -> Command;
    fn url(&self, port: u16, database: &str) -> String;
}

/// A running server, stopped and removed when dropped.
pub(crate) struct Server {
    programs: Box<dyn Programs>,
    port: u16,
    sandbox: Sandbox,
}

impl Server {
    pub(crate) fn start(engine: Engine) -> Result<Self, String> {
        let programs = engine.find_or_install()?;
        let account = Account::unprivileged(programs.accounts())?;
        let mut sandbox = Sandbox::create(engine.name(), programs.stop_signal(), account)?;
        sandbox.run(programs.install(sandbox.dir()), START_LIMIT)?;

        let mut attempt = 1;
        loop {
            // Another program may take the port before the server does: then the server ends.
            let port = free_port()?;
            sandbox.start(programs.start(sandbox.dir(), port))?;
            match wait_until_ready(&*programs, &mut sandbox, port) {
                Ok(()) => return Ok(Self { programs, port, sandbox }),
                Err(_) if attempt < START_ATTEMPTS && !sandbox.is_running()? => attempt += 1,
                Err(message) => {
                    return Err(format!("{} did not start: {message}{}", engine.name(), sandbox.end_of_log()));
                }
            }
        }
    }

    pub(crate) fn url(&self, database: &str) -> String {
        self.programs.url(self.port, database)
    }

    pub(crate) fn create_database(&self, name: &str) -> Result<(), String> {
        program::output(&mut self.programs.query(self.port, &format!("CREATE DATABASE {name}"))).map(drop)
    }

    /// An error if the server ended by itself.
    pub(crate) fn check_running(&mut self) -> Result<(), String> {
        if self.sandbox.is_running()? {
            return Ok(());
        }
        Err(format!("the server ended by itself{}", self.sandbox.end_of_log()))
    }
}

fn wait_until_ready(programs: &dyn Programs, sandbox: &mut Sandbox, port: u16) -> Result<(), String> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if !sandbox.is_running()? {
            return Err("it ended early".into());
        }
        // The log first: it is our server's own, while the port may be someone else's.
        let error = if !sandbox.log().contains(programs.ready_line()) {
            "it does not say that it is ready".to_owned()
        } else if let Err(error) = program::output(&mut programs.query(port, "SELECT 1")) {
            error
        } else {
            return Ok(());
        };
        if Instant::now() > deadline {
            return Err(format!("not within {} seconds: {error}", START_LIMIT.as_secs()));
        }
        sleep(Duration::from_millis(50));
    }
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("there is no free port on 127.0.0.1: {error}"))
}

/// A command that the caller's settings, such as `PGOPTIONS`, cannot reach.
fn isolated(program: &Path) -> Command {
    let mut command = Command::new(program);
    // The system directories are added because MariaDB's installer looks for its own programs.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/bin:/sbin:/bin";
    command.env_clear().env("PATH", path).env("LC_ALL", "C");
    command
}
