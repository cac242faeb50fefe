//! What a server says about the connections to a test's database, and how a test cuts them.

use std::time::{Duration, Instant};

use cormorant::{Result, Sql, UncheckedSql};

use crate::{Backend, Fixture};

/// How long something that has to happen may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What MariaDB says of a connection that is not there.
const NO_SUCH_THREAD: &str = "1094";

impl Fixture {
    /// A further fixture on the same database, with options of its own.
    ///
    /// # Errors
    /// The server's.
    pub async fn beside(&self, connections: usize) -> Result<Self> {
        Self::at(self.backend, self.url.clone(), |options| options.max_connections(connections)).await
    }

    /// How many connections to the database there are besides the one that asks. SQLite does not know.
    ///
    /// # Errors
    /// The server's.
    pub async fn other_connections(&self) -> Result<i64> {
        self.ask(
            // Not autovacuum, nor the helpers of a parallel query.
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .await
    }

    /// How many other connections to the database run a statement or, on PostgreSQL, have a transaction open. SQLite
    /// does not know.
    ///
    /// # Errors
    /// The server's.
    pub async fn busy_connections(&self) -> Result<i64> {
        self.ask(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'",
            // What InnoDB says of its transactions is up to 100 ms old, so only statements are counted.
            "SELECT COUNT(*) FROM information_schema.processlist \
             WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command NOT IN ('Sleep', 'Quit')",
        )
        .await
    }

    /// Waits until no other connection runs a statement or has a transaction open.
    ///
    /// # Errors
    /// The server's.
    pub async fn settle(&self) -> Result<()> {
        self.until(
            "others still have statements or transactions open",
            async || Ok(self.busy_connections().await? == 0),
        )
        .await
    }

    /// Cuts every other connection to the database, from the server's side, and waits until they are gone.
    ///
    /// # Errors
    /// The server's.
    pub async fn kill_others(&self) -> Result<()> {
        self.cut_others().await?;
        // Not with `until`: of a closure's future it is not known that it can be sent to another thread.
        let started = Instant::now();
        while self.other_connections().await? > 0 {
            pause(started, "killed connections are still there").await;
        }
        Ok(())
    }

    /// Cuts every other connection to the database, from the server's side.
    ///
    /// # Errors
    /// The server's.
    pub async fn cut_others(&self) -> Result<()> {
        let sql = match self.backend {
            Backend::Sqlite => return Ok(()),
            Backend::Postgres => {
                "SELECT pid::bigint FROM pg_stat_activity WHERE datname = current_database() \
                 AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            }
            Backend::MariaDb => {
                "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            }
        };
        for id in Sql::unchecked(UncheckedSql::vouch_for(sql)).all(&self.db).await? {
            self.cut(id).await?;
        }
        Ok(())
    }

    /// Cuts the connection of a number. One that has gone by itself is no fault.
    ///
    /// # Errors
    /// The server's.
    pub async fn cut(&self, id: i64) -> Result<()> {
        let cut = match self.backend {
            Backend::Sqlite => return Ok(()),
            Backend::Postgres => self.execute(&format!("SELECT pg_terminate_backend({id})")).await,
            Backend::MariaDb => self.execute(&format!("KILL {id}")).await,
        };
        match cut {
            Err(error) if error.code() == Some(NO_SUCH_THREAD) => Ok(()),
            cut => cut.map(|_| ()),
        }
    }

    /// Waits until something is so.
    ///
    /// # Errors
    /// The condition's.
    pub async fn until(&self, otherwise: &str, mut so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        let started = Instant::now();
        while !so().await? {
            pause(started, otherwise).await;
        }
        Ok(())
    }

    async fn ask(&self, postgres: &str, mariadb: &str) -> Result<i64> {
        let sql = match self.backend {
            Backend::Sqlite => return Ok(0),
            Backend::Postgres => postgres,
            Backend::MariaDb => mariadb,
        };
        Sql::unchecked(UncheckedSql::vouch_for(sql)).one(&self.db).await
    }
}

/// Before the next look at what is waited for.
async fn pause(started: Instant, otherwise: &str) {
    assert!(started.elapsed() < PATIENCE, "after {PATIENCE:?}: {otherwise}");
    tokio::time::sleep(Duration::from_millis(2)).await;
}
