//! The clock.

use std::time::{Duration, Instant};

/// Long enough for the clock's own cost to vanish in it, short enough for most samples to fit between interruptions.
const SAMPLE: Duration = Duration::from_micros(500);
const BATCH: Duration = Duration::from_millis(24);
/// Work between the samples counts as well, so that a batch ends.
const BATCH_LIMIT: Duration = Duration::from_millis(250);

/// Times batches of one case. A batch is several samples, a sample is one operation repeated; how often is found in
/// the first batch and kept.
pub struct Meter {
    operations: u32,
    most: u32,
    calibrated: bool,
    samples: Vec<Duration>,
    /// Of the sample that runs.
    left: u32,
    started: Instant,
    batch_started: Instant,
}

impl Meter {
    /// `most` is how many operations a sample may have.
    pub(crate) fn new(most: u32) -> Self {
        let now = Instant::now();
        Self { operations: 1, most, calibrated: false, samples: Vec::new(), left: 0, started: now, batch_started: now }
    }

    pub(crate) fn begin_batch(&mut self) {
        self.samples.clear();
        self.batch_started = Instant::now();
    }

    /// Nanoseconds per operation: the median of the samples.
    pub(crate) fn end_batch(&mut self) -> Option<f64> {
        self.samples.sort_unstable();
        let median = self.samples.get(self.samples.len() / 2)?;
        Some(median.as_nanos() as f64 / f64::from(self.operations))
    }

    /// Whether another sample is to be taken.
    #[doc(hidden)]
    pub fn begin_sample(&mut self) -> bool {
        let enough = !self.samples.is_empty()
            && (self.samples.iter().sum::<Duration>() >= BATCH || self.batch_started.elapsed() >= BATCH_LIMIT);
        // One that is not timed comes first, as what ran before leaves traces; but not where it takes a second.
        self.left = self.operations + u32::from(self.most > 1);
        self.started = Instant::now();
        !enough
    }

    /// Whether another operation belongs to the sample.
    #[doc(hidden)]
    #[inline(always)]
    pub fn more(&mut self) -> bool {
        if self.left == self.operations {
            self.started = Instant::now();
        }
        self.left = self.left.wrapping_sub(1);
        self.left != u32::MAX
    }

    #[doc(hidden)]
    pub fn end_sample(&mut self) {
        let elapsed = self.started.elapsed();
        if self.calibrated || elapsed >= SAMPLE / 2 || self.operations == self.most {
            self.calibrated = true;
            self.samples.push(elapsed);
            return;
        }
        let factor = SAMPLE.as_nanos() / elapsed.as_nanos().max(1);
        let wanted = factor.clamp(2, 10) * u128::from(self.operations);
        self.operations = u32::try_from(wanted).unwrap_or(u32::MAX / 2).min(self.most);
    }
}

/// Times an operation, which may hold `.await`, together with dropping its result. What stands behind `after:` runs
/// between samples and is not timed. What an operation uses up is `given:` anew for each sample, not timed either; such a
/// case has one operation per sample.
#[macro_export]
macro_rules! measure {
    ($meter:expr, $operation:expr) => {
        $crate::measure!($meter, $operation, after: ())
    };
    ($meter:expr, $operation:expr, after: $after:expr) => {
        while $meter.begin_sample() {
            while $meter.more() {
                std::hint::black_box($operation);
            }
            $meter.end_sample();
            $after;
        }
    };
    ($meter:expr, given: $given:pat = $prepare:expr, $operation:expr, after: $after:expr) => {
        while $meter.begin_sample() {
            {
                let $given = $prepare;
                while $meter.more() {
                    std::hint::black_box($operation);
                }
                $meter.end_sample();
            }
            $after;
        }
    };
}
