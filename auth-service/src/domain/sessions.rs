//! Looking at sessions, and ending those that somebody asked to end.

use std::net::IpAddr;

use uuid::Uuid;

use super::Failure;
use super::session::{Asking, EndReason, Ending, Session, Which};
use crate::audit;
use crate::state::State;

/// Ends the session of a refresh token, whatever its generation, expiry or fingerprint. Any other text ends nothing.
pub async fn sign_out(state: &State, refresh_token: &str, address: IpAddr) -> Result<(), Failure> {
    let Ok(claims) = state.refresh_verifier.recognise(refresh_token) else { return Ok(()) };
    let which = Which::Proven(claims.sid, claims.session_random());
    let reason = EndReason::SignedOut;
    let ending = state.sessions.end(claims.sub, which, None, reason, &state.rules, state.now()).await?;
    if let Ending::Ended(ended) = ending
        && !ended.is_empty()
    {
        audit::logout(claims.sub, claims.sid, address);
        audit::sessions_ended(claims.sub, &ended, reason, Some(address));
        state.counts.sessions_ended.count_many(reason, ended.len());
    }
    Ok(())
}

/// The user's live sessions, last used first; `None` where the session that asks is not one of them.
pub async fn list(state: &State, user_id: Uuid, asking: Asking) -> Result<Option<Vec<Session>>, Failure> {
    let live = state.sessions.list(user_id, &state.rules, state.now()).await?;
    let is_asking =
        |session: &Session| session.id == asking.session_id && session.credential_version == asking.credential_version;
    Ok(live.iter().any(is_asking).then_some(live))
}

/// Whether the session that asks is live and was made with the credentials as they are now.
pub async fn is_live(state: &State, user_id: Uuid, asking: Asking) -> Result<bool, Failure> {
    Ok(list(state, user_id, asking).await?.is_some())
}

/// Ends sessions of the user's own, in the name of the session that asks.
pub async fn end(
    state: &State,
    user_id: Uuid,
    which: Which,
    asking: Asking,
    address: IpAddr,
) -> Result<Ending, Failure> {
    let is_own = which == Which::One(asking.session_id);
    let reason = if is_own { EndReason::SignedOut } else { EndReason::SignedOutElsewhere };
    let ending = state.sessions.end(user_id, which, Some(asking), reason, &state.rules, state.now()).await?;
    if let Ending::Ended(ended) = &ending {
        audit::sessions_ended(user_id, ended, reason, Some(address));
        state.counts.sessions_ended.count_many(reason, ended.len());
    }
    Ok(ending)
}
