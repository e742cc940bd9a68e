//! How long one request may take in all. Each call into a store has a deadline of its own, but a request makes several, one after the
//! other, and may wait for its turn to have a password checked before.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Failure;

/// Above the 1.8 s that one call into a store may take, so that a store that fails alone is told by its own error; and below the two
/// seconds within which every caller has an answer.
const REQUEST: Duration = Duration::from_millis(1_850);

/// When a request must be answered.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// That of a request that has just come.
    pub(crate) fn of_a_request() -> Self {
        Self(Instant::now() + REQUEST)
    }

    /// Does a part of the request's work, or gives it up when the time has come. A step that a store was asked for may be carried out
    /// all the same, as where its answer is lost.
    pub(crate) async fn hold<T>(self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        timeout_at(self.0, work).await.unwrap_or(Err(Failure::TimedOut))
    }
}
