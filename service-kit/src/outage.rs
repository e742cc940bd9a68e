//! Tells the log when a part that the service needs fails and when it works again: one line for each change, however many requests
//! meet it. What counts as a failure is for the caller to say.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A part works again when it has worked once and not failed for so long: one that fails every other time is not up and down all
/// the time, but down.
const QUIET: Duration = Duration::from_secs(1);

/// Whether one part of the service is down, as the log knows it.
#[derive(Debug)]
pub struct Outage {
    part: &'static str,
    is_down: AtomicBool,
    last_failure: Mutex<Option<Instant>>,
}

impl Outage {
    /// A part that works, by what the log calls it: "the token store".
    pub fn new(part: &'static str) -> Self {
        Self { part, is_down: AtomicBool::new(false), last_failure: Mutex::default() }
    }

    /// Notes how a use of the part went. The cause must hold no secret.
    pub fn observe<T, E: Display>(&self, outcome: &Result<T, E>) {
        match outcome {
            Ok(_) if self.is_down.load(Ordering::Relaxed) => self.succeeded(),
            Ok(_) => {}
            Err(cause) => self.failed(cause),
        }
    }

    fn failed(&self, cause: &dyn Display) {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if !self.is_down.swap(true, Ordering::Relaxed) {
            tracing::warn!(%cause, "{} fails", self.part);
        }
    }

    fn succeeded(&self) {
        let last_failure = *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = last_failure.is_none_or(|moment| moment.elapsed() >= QUIET);
        if is_quiet && self.is_down.swap(false, Ordering::Relaxed) {
            tracing::info!("{} works again", self.part);
        }
    }
}

#[cfg(test)]
#[path = "outage_tests.rs"]
mod tests;
