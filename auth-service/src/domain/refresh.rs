//! Refresh: may this refresh token be exchanged, and for what. The order of the checks is part of the contract.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use shared_claims::RefreshClaims;
use strum::{IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::Failure;
use super::attempts::Admission;
use super::deadline::Deadline;
use super::device::Fingerprint;
use super::digest::Digest;
use super::pace::Pacer;
use super::session::{EndReason, Presented, Rotation};
use super::tokens::{Standing, TokenPair};
use crate::audit;
use crate::metrics::{LimitHit, RefreshOutcome};
use crate::state::State;

/// Generations are numbers that every store and every JSON reader holds exactly.
const MAX_GENERATION: u64 = (1 << 53) - 1;

/// A refresh as it was asked for, its token verified.
pub struct RefreshRequest {
    /// The claims of the token presented.
    pub claims: RefreshClaims,
    /// As at login.
    pub fingerprint: Option<Fingerprint>,
    /// The same for each try of one request.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Where the request came from.
    pub ip_address: IpAddr,
}

/// What became of a refresh.
pub enum Refresh {
    /// The session goes on.
    Granted(Grant, TokenPair),
    /// It does not, or not with this request.
    Refused(Refusal),
    /// This session is refreshed far too often; the next may be tried after this.
    TooManyAttempts(Duration),
}

/// Why a refresh was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Grant {
    /// The token was the live one.
    Rotated,
    /// The token was spent by the same request before.
    Replayed,
    /// The token was ahead of the session.
    Healed,
}

/// Why a refresh was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No token.
    Missing,
    /// Not one of ours.
    Invalid,
    /// One of ours, past its time.
    Expired,
    /// Its session is not live; and why, where that is remembered.
    SessionEnded(Option<EndReason>),
    /// Not from the device that logged in.
    FingerprintMismatch,
    /// It was spent before.
    Reused,
}

impl Refusal {
    /// The stable word that clients switch on.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "refresh_token_missing",
            Self::Invalid => "refresh_token_invalid",
            Self::Expired => "refresh_token_expired",
            Self::SessionEnded(_) => "session_ended",
            Self::FingerprintMismatch => "fingerprint_mismatch",
            Self::Reused => "refresh_token_reused",
        }
    }

    /// Why the session had ended, where that is remembered.
    pub fn reason(self) -> Option<EndReason> {
        match self {
            Self::SessionEnded(reason) => reason,
            _ => None,
        }
    }
}

/// Verifies a refresh token, without any store.
pub fn verify(state: &State, token: &str, address: IpAddr) -> Result<RefreshClaims, Refusal> {
    let verified = verified(state, token);
    verified.map_err(|(refusal, ours)| {
        audit::refresh_refused(ours, address, refusal.code(), None);
        state.counts.refresh(RefreshOutcome::Refused(refusal));
        refusal
    })
}

/// The claims; or why not, and whose token it is where that is sure.
fn verified(state: &State, token: &str) -> Result<RefreshClaims, (Refusal, Option<(Uuid, Uuid)>)> {
    if token.is_empty() {
        return Err((Refusal::Missing, None));
    }
    match state.refresh_verifier.recognise(token) {
        Err(_) => Err((Refusal::Invalid, None)),
        Ok(claims) if state.refresh_verifier.has_expired(&claims) => {
            Err((Refusal::Expired, Some((claims.sub, claims.sid))))
        }
        Ok(claims) if claims.generation > MAX_GENERATION => Err((Refusal::Invalid, Some((claims.sub, claims.sid)))),
        Ok(claims) => Ok(claims),
    }
}

/// Exchanges a verified refresh token for its successor.
pub async fn refresh(state: &State, request: RefreshRequest) -> Result<Refresh, Failure> {
    // A rotation that is given up may stand, as one whose answer is lost: the client repeats its request with its key.
    let outcome = Deadline::of_a_request().hold(exchange(state, request)).await;
    state.counts.refresh(match &outcome {
        Ok(Refresh::Granted(grant, _)) => RefreshOutcome::Granted(*grant),
        Ok(Refresh::Refused(refusal)) => RefreshOutcome::Refused(*refusal),
        Ok(Refresh::TooManyAttempts(_)) => RefreshOutcome::TooManyAttempts,
        Err(_) => RefreshOutcome::Unavailable,
    });
    outcome
}

async fn exchange(state: &State, request: RefreshRequest) -> Result<Refresh, Failure> {
    let claims = request.claims;
    let pacer = match state.pace.admit(claims.sid, request.ip_address, state.now()) {
        Ok(pacer) => pacer,
        Err(wait) => {
            state.counts.limits_hit.count(LimitHit::Session);
            return Ok(too_many_attempts(&claims, request.ip_address, wait));
        }
    };
    // Looked up before anything is spent: a lookup that fails must not cost the token.
    let user = state.users.find(claims.sub).await?.filter(|user| !user.is_disabled);
    let now = state.now();
    let presented = Presented {
        session_id: claims.sid,
        random: claims.session_random(),
        generation: claims.generation,
        fingerprint: request.fingerprint.map(|fingerprint| fingerprint.digest(claims.sid)),
        idempotency_key: request.idempotency_key.map(|key| Digest::of(claims.sid, &key.0)),
        credential_version: user.as_ref().map(|user| user.credential_version),
        ip_address: request.ip_address,
    };
    let rotation = state.sessions.rotate(claims.sub, &presented, &state.rules, now).await?;
    let (grant, at, user) = match (rotation, user) {
        (Rotation::Rotated(at), Some(user)) => (Grant::Rotated, at, user),
        (Rotation::Replayed(at), Some(user)) => (Grant::Replayed, at, user),
        (Rotation::Healed(at), Some(user)) => (Grant::Healed, at, user),
        (refused, _) => {
            if let Rotation::FingerprintMismatch { is_at_home } = refused
                && let Some(wait) = slow_guesses(state, &claims, pacer, is_at_home, now).await?
            {
                return Ok(too_many_attempts(&claims, request.ip_address, wait));
            }
            let refusal = refuse(state, refused, &claims, request.ip_address);
            let ours = Some((claims.sub, claims.sid));
            audit::refresh_refused(ours, request.ip_address, refusal.code(), refusal.reason());
            return Ok(Refresh::Refused(refusal));
        }
    };
    let standing = Standing { session_id: claims.sid, random: presented.random, at };
    Ok(Refresh::Granted(grant, state.mint(&user, &standing, now)))
}

/// Counts a wrong fingerprint, for all instances together, and says how long its sender must wait if there were too many.
///
/// A right one is never asked for this, or whoever guesses could sign its owner out. It is the addresses that guess which are
/// kept away, each after one guess too many; not the one where the session was used last, where the pace alone slows guesses.
async fn slow_guesses(
    state: &State,
    claims: &RefreshClaims,
    pacer: Pacer,
    is_at_home: bool,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, Failure> {
    state.pace.was_wrong(pacer, now);
    match state.guard.fingerprint_was_wrong(claims.sid, now).await? {
        Admission::Wait(wait) if !is_at_home => {
            state.counts.limits_hit.count(LimitHit::Fingerprint);
            state.pace.keep_away(pacer, wait, now);
            Ok(Some(wait))
        }
        _ => Ok(None),
    }
}

fn too_many_attempts(claims: &RefreshClaims, address: IpAddr, wait: Duration) -> Refresh {
    audit::refresh_refused(Some((claims.sub, claims.sid)), address, "too_many_attempts", None);
    Refresh::TooManyAttempts(wait)
}

fn refuse(state: &State, rotation: Rotation, claims: &RefreshClaims, address: IpAddr) -> Refusal {
    match rotation {
        Rotation::Reused => {
            audit::reuse(claims.sub, claims.sid, address);
            tell_end(state, claims, EndReason::ReuseDetected, address);
            Refusal::Reused
        }
        Rotation::EndedNow(reason) => {
            tell_end(state, claims, reason, address);
            Refusal::SessionEnded(Some(reason))
        }
        Rotation::FingerprintMismatch { .. } => Refusal::FingerprintMismatch,
        Rotation::Ended(reason) => Refusal::SessionEnded(reason),
        Rotation::Forged => Refusal::Invalid,
        // Never so: a session whose user is gone is ended, not rotated.
        Rotation::Rotated(_) | Rotation::Replayed(_) | Rotation::Healed(_) => Refusal::SessionEnded(None),
    }
}

fn tell_end(state: &State, claims: &RefreshClaims, reason: EndReason, address: IpAddr) {
    audit::session_ended(claims.sub, claims.sid, reason, Some(address));
    state.counts.sessions_ended.count(reason);
}

/// The `Idempotency-Key` of a request: 16 to 128 visible ASCII characters.
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Accepts a key, or says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, &'static str> {
        const WRONG: &str = "the header Idempotency-Key must be 16 to 128 visible ASCII characters";
        if !(16..=128).contains(&text.len()) || !text.iter().all(u8::is_ascii_graphic) {
            return Err(WRONG);
        }
        String::from_utf8(text.to_vec()).map(Self).map_err(|_| WRONG)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_has_16_to_128_characters() {
        for (length, is_good) in [(15, false), (16, true), (128, true), (129, false)] {
            assert_eq!(IdempotencyKey::parse(&vec![b'k'; length]).is_ok(), is_good, "{length}");
        }
    }

    proptest! {
        #[test]
        fn a_key_of_16_to_128_visible_characters_is_taken_as_it_is_and_nothing_else(
            key in prop_oneof![
                "[!-~]{14,130}".prop_map(String::into_bytes),
                "[ -\\u{80}]{16,20}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..140),
            ],
        ) {
            let is_good = (16..=128).contains(&key.len()) && key.iter().all(|byte| (b'!'..=b'~').contains(byte));
            let taken = IdempotencyKey::parse(&key).ok().map(|key| key.0.into_bytes());
            prop_assert_eq!(taken, is_good.then_some(key));
        }
    }
}
