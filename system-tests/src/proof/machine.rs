//! The state machine of sessions as one user's clients see it through HTTP: what each call has to answer in each state.

use std::net::{IpAddr, Ipv4Addr};

use auth_service::domain::digest::Digest;
use auth_service::domain::session::{
    Asking, EndReason, Ending, Presented, Rotation, Session, SessionRules, UserSessions, Which, after,
};
use chrono::{DateTime, Utc};
use shared_claims::SessionRandom;
use uuid::Uuid;

use super::history::{Call, Identity, Operation, Outcome};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Time stands still: no session lives long enough to see it pass.
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// No password is changed here.
const CREDENTIAL_VERSION: i64 = 1;

/// One user's sessions, and what calls do to them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Machine(UserSessions);

/// Where a session's tokens stand: its generation, and the key that was given for it.
type Standing = (u64, Option<Digest>);

/// What of a machine the answers that are still to come can depend on: two that differ in nothing else have the same future.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct State {
    /// How they stand is known only of those that tokens are still to be presented of.
    live: Vec<(Uuid, Option<Standing>)>,
    ended: Vec<(Uuid, EndReason)>,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self(UserSessions::default())
    }

    /// What of it can still matter where these are the sessions that refreshes are still to come of, and those whose refreshes have to be
    /// answered as they were.
    pub(super) fn state(
        &self,
        presented: &[Uuid],
        asked_after: &[Uuid],
        may_forget: bool,
        rules: &SessionRules,
    ) -> State {
        let live = self.0.list(rules, NOW).into_iter().map(|session| {
            let stands_at = (session.generation, session.spent_with);
            (session.id, presented.contains(&session.id).then_some(stands_at))
        });
        let mut ended: Vec<_> = self.0.ended().filter(|(id, _)| may_forget || asked_after.contains(id)).collect();
        // Which endings are forgotten depends on the order of all.
        if !may_forget {
            ended.sort_unstable_by_key(|(id, _)| *id);
        }
        State { live: live.collect(), ended }
    }

    /// Does what was called for, and answers what has to be answered.
    pub(super) fn run(&mut self, number: usize, operation: &Operation, rules: &SessionRules) -> Outcome {
        let end = |sessions: &mut UserSessions, which, asker: Option<Uuid>, reason| {
            let asking = asker.map(|session_id| Asking { session_id, credential_version: CREDENTIAL_VERSION });
            sessions.end(which, asking, reason, rules, NOW)
        };
        match operation.call {
            Call::Login => {
                let identity = begun(number, operation);
                let begun = session(identity, number, rules);
                let ended = self.0.start(begun, rules, NOW);
                Outcome::SignedIn(identity, ended.into_iter().map(|ended| number_of(&ended.device_name)).collect())
            }
            Call::Refresh { session, generation, key } => {
                let request = Presented {
                    session_id: session.id,
                    random: session.random,
                    generation,
                    fingerprint: None,
                    idempotency_key: key.map(|key| Digest([key; 16])),
                    credential_version: Some(CREDENTIAL_VERSION),
                    ip_address: ADDRESS,
                };
                refreshed(self.0.rotate(&request, rules, NOW))
            }
            Call::Logout(session) => {
                end(&mut self.0, Which::Proven(session.id, session.random), None, EndReason::SignedOut);
                Outcome::Done
            }
            Call::End(asker, which) => {
                let is_own = which == Which::One(asker);
                let reason = if is_own { EndReason::SignedOut } else { EndReason::SignedOutElsewhere };
                match (end(&mut self.0, which, Some(asker), reason), which) {
                    (Ending::AskerNotLive, _) => Outcome::AskerNotLive,
                    (Ending::Ended(ended), Which::One(_)) if ended.is_empty() => Outcome::NotFound,
                    (Ending::Ended(_), _) => Outcome::Done,
                }
            }
            Call::List(asker) => {
                let live = self.0.list(rules, NOW);
                if !live.iter().any(|session| session.id == asker) {
                    return Outcome::AskerNotLive;
                }
                Outcome::Listed(live.into_iter().map(|session| number_of(&session.device_name)).collect())
            }
        }
    }
}

/// The session of a login: the one that was told, or one that nobody will ever hear of.
fn begun(number: usize, operation: &Operation) -> Identity {
    match &operation.returned {
        Some((_, Outcome::SignedIn(identity, _))) => *identity,
        _ => Identity { id: Uuid::from_u128(number as u128), random: SessionRandom([0; 16]) },
    }
}

/// The login that a device's name tells.
pub(super) fn number_of(device_name: &str) -> usize {
    device_name.parse().expect("the names of devices are numbers")
}

fn session(identity: Identity, number: usize, rules: &SessionRules) -> Session {
    Session {
        id: identity.id,
        random: identity.random,
        generation: 0,
        credential_version: CREDENTIAL_VERSION,
        created_at: NOW,
        rotated_at: NOW,
        expires_at: after(NOW, rules.refresh_ttl),
        fingerprint: None,
        spent_with: None,
        device_name: number.to_string(),
        ip_address: ADDRESS,
    }
}

fn refreshed(rotation: Rotation) -> Outcome {
    match rotation {
        // That a token is ahead of its session needs no special word: an order in which it is has lost a rotation, and no order of
        // acknowledged rotations does.
        Rotation::Rotated(to) | Rotation::Replayed(to) | Rotation::Healed(to) => Outcome::Granted(to.generation),
        Rotation::Reused => Outcome::Reused,
        Rotation::Ended(reason) => Outcome::SessionEnded(reason),
        Rotation::EndedNow(reason) => Outcome::SessionEnded(Some(reason)),
        Rotation::FingerprintMismatch { .. } => Outcome::Strange(403, "fingerprint_mismatch".to_owned()),
        Rotation::Forged => Outcome::Strange(403, "refresh_token_invalid".to_owned()),
    }
}
