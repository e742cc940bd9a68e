//! Measures how long something took, for logs and health. Nothing is decided by it: deadlines go through tokio's timers.

use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(clippy::disallowed_methods, reason = "a measurement; no decision depends on it")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Milliseconds with three decimals, for a person to read.
    pub(crate) fn elapsed_ms(self) -> f64 {
        (self.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0
    }
}
