//! SIGHUP: an operator has replaced a file that the configuration names, and the service reads it again while it runs.

use std::fmt::Display;

use tokio::signal::unix::{SignalKind, signal};

/// Runs `reload` at each SIGHUP, for ever. It answers what to log: what is in use now, or why that stays as it was.
///
/// The signal is caught from this call on; before, it would end the process.
pub fn on_hangup<E: Display>(mut reload: impl FnMut() -> Result<String, E>) -> impl Future<Output = ()> {
    let mut hangups = signal(SignalKind::hangup()).expect("a signal handler can be installed in a tokio runtime");
    async move {
        while hangups.recv().await.is_some() {
            match reload() {
                Ok(in_use) => tracing::info!(in_use, "the secrets were read again"),
                Err(error) => tracing::error!(%error, "the new secrets cannot be used; those in use stay"),
            }
        }
        // The runtime ends; whoever waits beside this is told to stop by other means.
        std::future::pending::<()>().await;
    }
}
