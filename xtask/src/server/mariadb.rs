//! MariaDB as a throwaway server. Its default character set stays latin1, as compiled in: drivers
//! have to cope with a server like that.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Programs, isolated};
use crate::program;

pub(super) struct Mariadb {
    install_db: PathBuf,
    mariadbd: PathBuf,
    client: PathBuf,
}

pub(super) fn find() -> Result<Mariadb, String> {
    // Where distributions keep servers, which is often not in an ordinary user's PATH.
    let extra = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"];
    let find = |names: &[&str], what| {
        let missing = format!("`{}`, {what} of MariaDB, is not installed", names.join("` or `"));
        program::find(names, &extra).ok_or(missing)
    };
    Ok(Mariadb {
        mariadbd: find(&["mariadbd", "mysqld"], "the server program")?,
        install_db: find(&["mariadb-install-db", "mysql_install_db"], "the set-up program")?,
        client: find(&["mariadb", "mysql"], "the client program")?,
    })
}

impl Programs for Mariadb {
    fn accounts(&self) -> &'static [&'static str] {
        &["mysql", "nobody"]
    }

    fn stop_signal(&self) -> &'static str {
        "TERM"
    }

    fn ready_line(&self) -> &'static str {
        "ready for connections"
    }

    fn install(&self, dir: &Path) -> Command {
        let mut command = isolated(&self.install_db);
        // The normal method lets root in by TCP without a password.
        command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        command.arg(option("--datadir", &dir.join("data")));
        command
    }

    fn start(&self, dir: &Path, port: u16) -> Command {
        let mut command = isolated(&self.mariadbd);
        command.arg("--no-defaults");
        command.arg(option("--datadir", &dir.join("data")));
        command.arg(option("--socket", &dir.join("socket")));
        command.arg(option("--pid-file", &dir.join("pid")));
        command.arg(option("--tmpdir", dir));
        command.args(["--skip-networking=0", "--bind-address=127.0.0.1", &format!("--port={port}")]);
        command.args(["--skip-name-resolve", "--max-connections=200"]);
        // Nobody needs the data after a crash.
        command.args(["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=128M"]);
        command
    }

    fn query(&self, port: u16, statement: &str) -> Command {
        let mut command = isolated(&self.client);
        command.args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=root"]);
        command.args([&format!("--port={port}"), "--connect-timeout=5", "--batch", "--execute", statement]);
        command
    }

    fn url(&self, port: u16, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{port}/{database}")
    }
}

fn option(name: &str, value: &Path) -> String {
    format!("{name}={}", value.display())
}
