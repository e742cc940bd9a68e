//! What an operator should mend about a store before it hurts, and the warning of it at start. Readiness depends on none of it.

use std::time::Duration;

use shared_claims::Clock;

use super::SessionStore;

/// A store that is not there yet is asked again after so long.
const PAUSE: Duration = Duration::from_secs(10);

/// Something about a store that ought to be otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was found, and what it can lead to.
    pub what: String,
    /// What to change.
    pub advice: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It costs memory, or hurts when something else goes wrong.
    Warning,
    /// Sessions are lost by it, or will be.
    Problem,
}

/// Logs once what is found about a store, as soon as the store answers, and once that it does not yet. To be spawned: it may take
/// for ever.
pub async fn warn_of_findings(store: &dyn SessionStore, clock: &dyn Clock) {
    let mut is_told = false;
    let findings = loop {
        match store.inspect(clock).await {
            Ok(findings) => break findings,
            Err(cause) if !is_told => tracing::warn!(%cause, "the token store cannot be looked at yet"),
            Err(_) => {}
        }
        is_told = true;
        tokio::time::sleep(PAUSE).await;
    };
    for Finding { severity, what, advice } in findings {
        match severity {
            Severity::Warning => tracing::warn!(advice, "token store: {what}"),
            Severity::Problem => tracing::error!(advice, "token store: {what}"),
        }
    }
}
