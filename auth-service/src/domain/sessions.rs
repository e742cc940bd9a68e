//! Ending sessions that somebody asked to end.

use super::Failure;
use super::session::{EndReason, Which};
use crate::state::State;

/// Ends the session of a refresh token, whatever its generation, expiry or fingerprint. Any other text ends nothing.
pub async fn sign_out(state: &State, refresh_token: &str) -> Result<(), Failure> {
    let Ok(claims) = state.refresh_verifier.recognise(refresh_token) else { return Ok(()) };
    let which = Which::Proven(claims.sid, claims.session_random());
    state.sessions.end(claims.sub, which, None, EndReason::SignedOut, &state.rules, state.now()).await?;
    Ok(())
}
