//! MySQL and MariaDB, through mysql_async.

pub(crate) mod cell;

use std::time::Duration;

use crate::options::ServerOptions;
use crate::runtime::Home;
use crate::{Begin, Call, Done, Error, ErrorKind, Result, Sink};

/// A connection to a MySQL or MariaDB server.
#[derive(Debug)]
pub(crate) struct Connection {
    home: Home,
}

impl Connection {
    pub(crate) async fn open(_options: &ServerOptions, _timeout: Duration) -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "MySQL is under construction"))
    }

    pub(crate) fn dialect(&self) -> cormorant_sql::Dialect {
        cormorant_sql::Dialect::MariaDb
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) async fn run(&mut self, _call: Call<'_>, _sink: Sink<'_>) -> Result<Done> {
        Err(Error::new(ErrorKind::Unsupported, "MySQL is under construction"))
    }

    pub(crate) async fn control(&mut self, _sql: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "MySQL is under construction"))
    }

    pub(crate) fn begin(&self, _begin: Begin) -> Vec<String> {
        Vec::new()
    }

    pub(crate) fn in_transaction(&self) -> bool {
        false
    }

    pub(crate) fn is_alive(&self) -> bool {
        false
    }
}
