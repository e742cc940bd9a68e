//! Where the time comes from. Everything that depends on the time takes a [`Clock`], so that expiry is tested by
//! moving a clock and never by sleeping; what the time is compared with is left to the caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// Tells the current time.
pub trait Clock: Send + Sync + std::fmt::Debug + 'static {
    /// The current time.
    fn now(&self) -> DateTime<Utc>;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one room where the ambient time is read")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock for tests that moves only when told to. Clones share one time, to the millisecond.
#[derive(Debug, Clone)]
pub struct ManualClock {
    unix_milliseconds: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self { unix_milliseconds: Arc::new(AtomicI64::new(start.timestamp_millis())) }
    }

    /// Moves this clock and its clones to `time`.
    pub fn set(&self, time: DateTime<Utc>) {
        self.unix_milliseconds.store(time.timestamp_millis(), Ordering::SeqCst);
    }

    /// Moves this clock and its clones on by `step`, or back where it is negative.
    pub fn advance(&self, step: chrono::Duration) {
        self.unix_milliseconds.fetch_add(step.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.unix_milliseconds.load(Ordering::SeqCst))
            .expect("a manual clock is kept within the years that chrono knows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_share_their_time() {
        let start = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
        let clock = ManualClock::new(start);
        let clone = clock.clone();
        clock.advance(chrono::Duration::milliseconds(1_500));
        assert_eq!(clone.now(), start + chrono::Duration::milliseconds(1_500));
        clone.set(start);
        assert_eq!(clock.now(), start);
    }
}
