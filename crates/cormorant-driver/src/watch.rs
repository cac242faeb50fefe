//! Who watches the statements of a connection: the program's observer, and the warning of slow ones.

use std::time::{Duration, Instant};

use crate::options::Observer;
use crate::{Backend, Options, StatementEvent};

/// Looks at the clock, where somebody wants to know, and tells them.
#[derive(Clone)]
pub(crate) struct Watch {
    observer: Option<Observer>,
    /// A statement that takes longer is warned about.
    slow: Duration,
    warning: &'static str,
}

impl Watch {
    pub(crate) fn new(options: &Options) -> Self {
        let warning = match &options.backend {
            Backend::Sqlite(sqlite) if !sqlite.own_thread => {
                "slow statement: it kept its thread, and the tasks on it, waiting (offload=thread in the URL would not)"
            }
            _ => "slow statement",
        };
        Self { observer: options.on_statement.clone(), slow: options.slow_statement, warning }
    }

    /// The time, if it will be asked for: it costs a tenth of a point lookup.
    #[inline]
    pub(crate) fn started(&self) -> Option<Instant> {
        let warned = tracing::enabled!(target: "cormorant", tracing::Level::WARN);
        (self.observer.is_some() || warned).then(Instant::now)
    }

    #[inline]
    pub(crate) fn report(&self, started: Option<Instant>, sql: &str, control: bool) {
        if let Some(started) = started {
            self.report_after(started.elapsed(), sql, control);
        }
    }

    #[cold]
    pub(crate) fn report_after(&self, elapsed: Duration, sql: &str, control: bool) {
        if let Some(observer) = &self.observer {
            observer(&StatementEvent { sql, control, elapsed });
        }
        if elapsed >= self.slow {
            let seconds = elapsed.as_secs_f64();
            tracing::warn!(target: "cormorant", { db.query.text = sql, seconds }, "{}", self.warning);
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("slow", &self.slow).finish_non_exhaustive()
    }
}
