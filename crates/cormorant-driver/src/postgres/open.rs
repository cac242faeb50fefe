//! Making connections and ending them.

use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_timer::Delay;
use futures_util::future::{Either, select};
use tokio::task::{AbortHandle, JoinError, JoinHandle};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{CancelToken, Client, Config, NoTls, Socket};

use super::{Beginning, errors};
use crate::options::ServerOptions;
use crate::runtime::Home;
use crate::{Error, ErrorKind, Result};

/// The task that serves a connection's socket.
#[derive(Debug)]
pub(super) struct Service {
    task: AbortHandle,
    ending: Arc<OnceLock<tokio_postgres::Error>>,
}

impl Service {
    fn start(connection: tokio_postgres::Connection<Socket, NoTlsStream>) -> Self {
        let ending = Arc::new(OnceLock::new());
        let end = Arc::clone(&ending);
        // It ends by itself when the client is dropped and has no answer to wait for, or when the server hangs up.
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                let _ = end.set(error);
            }
        });
        Self { task: task.abort_handle(), ending }
    }

    /// Why it ended, once it has.
    pub(super) fn ending(&self) -> Option<&tokio_postgres::Error> {
        self.ending.get()
    }

    /// Closes the socket, whatever the server still has to say.
    pub(super) fn abort(&self) {
        self.task.abort();
    }

    /// Asks the server to stop what it is doing, but not a BEGIN: what was sent behind it would run without a
    /// transaction. That may come too late, and nothing says so: the socket is closed in the end.
    pub(super) fn cancel(&self, token: CancelToken, beginning: Option<Beginning>, home: &Home) {
        let task = self.task.clone();
        home.handle().spawn(async move {
            if let Some(beginning) = beginning {
                let _ = select(beginning, Delay::new(CANCEL)).await;
            }
            let _ = select(pin!(token.cancel_query(NoTls)), Delay::new(CANCEL)).await;
            Delay::new(CANCEL).await;
            task.abort();
        });
    }
}

/// Set after the login and not in it: poolers refuse what they do not know there.
const SETTINGS: &str = "SET TimeZone TO 'UTC'; SET client_encoding TO 'UTF8'; SET standard_conforming_strings TO on";

/// A server that is gone without a word is noticed after about two minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_RETRIES: u32 = 4;
const UNACKNOWLEDGED: Duration = Duration::from_secs(120);

/// How long it is tried to stop a statement, and then how long it may take to stop.
const CANCEL: Duration = Duration::from_secs(10);

/// Connects on the runtime that is home, from wherever the caller runs.
pub(super) async fn open(options: &ServerOptions, timeout: Duration, home: &Home) -> Result<(Client, Service)> {
    let task = Task(home.handle().spawn(connect(config(options))));
    match select(task, Delay::new(timeout)).await {
        Either::Left((Ok(Ok(connected)), _)) => Ok(connected),
        Either::Left((Ok(Err(error)), _)) => Err(errors::refused(&error, options)),
        Either::Left((Err(_), _)) => Err(Error::new(
            ErrorKind::Misuse,
            "connecting was stopped: the Tokio runtime is shutting down, or was built without `enable_all`",
        )),
        Either::Right(_) => Err(errors::silent(timeout, options)),
    }
}

async fn connect(config: Config) -> Result<(Client, Service), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    // Served here and not by a task yet: given up now, nothing is left that waits for the server's answer.
    match select(pin!(client.batch_execute(SETTINGS)), &mut connection).await {
        Either::Left((set, _)) => set?,
        Either::Right((ended, set)) => {
            ended?;
            set.await?;
        }
    }
    Ok((client, Service::start(connection)))
}

fn config(options: &ServerOptions) -> Config {
    let mut config = Config::new();
    config
        .port(options.port.unwrap_or(5432))
        .dbname(options.database.as_str())
        .application_name(options.application_name.as_deref().unwrap_or("cormorant"))
        .ssl_mode(SslMode::Disable)
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES)
        .tcp_user_timeout(UNACKNOWLEDGED);
    if !options.user.is_empty() {
        config.user(options.user.as_str());
    }
    if let Some(password) = &options.password {
        config.password(password.reveal());
    }
    match &options.socket {
        #[cfg(unix)]
        Some(directory) => config.host_path(directory),
        #[cfg(not(unix))]
        Some(directory) => config.host(directory.as_str()),
        None => config.host(options.host.as_str()),
    };
    config
}

/// A task that ends with whoever waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
