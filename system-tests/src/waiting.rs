//! Waiting for a fact without guessing how long it takes: look again and again, and give up with its name after a deadline.

use std::time::Duration;

/// How long a fact may take to come true before the test that waits for it fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The time between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Looks until there is something to see, and answers it.
///
/// # Panics
///
/// After [`PATIENCE`], with what was waited for.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}
