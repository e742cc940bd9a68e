//! The session and its state machine: what a login, a refresh and an ending do to the sessions of one user.
//! Pure: no clock, no randomness, no I/O. Each store does the same in one atomic step, and is held against this.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use shared_claims::SessionRandom;
use strum::{IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::attempts::network;
use super::digest::Digest;

/// Reasons of ended sessions that are remembered for one user.
pub const REMEMBERED_ENDINGS: usize = 16;

/// One login on one device, and where the chain of its refresh tokens stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The `sid` of its tokens.
    pub id: Uuid,
    /// Part of every refresh token of this session, and of nothing else.
    pub random: SessionRandom,
    /// How often it rotated; the one live refresh token carries this number.
    pub generation: u64,
    /// The user's credential version at login.
    pub credential_version: i64,
    /// When the user logged in.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub created_at: DateTime<Utc>,
    /// When the live refresh token was minted: at login, then at each rotation.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub rotated_at: DateTime<Utc>,
    /// When the live refresh token expires.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub expires_at: DateTime<Utc>,
    /// What the client must repeat at every refresh, if it sent one at login.
    pub fingerprint: Option<Digest>,
    /// The `Idempotency-Key` of the request that rotated it last, if that had one.
    pub spent_with: Option<Digest>,
    /// What the list of devices calls it.
    pub device_name: String,
    /// Where it was used last.
    pub ip_address: IpAddr,
}

/// Why a session ended. The words are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EndReason {
    /// By its own user, on its own device.
    SignedOut,
    /// By its user, from another device.
    SignedOutElsewhere,
    /// A login found too many sessions.
    SessionLimit,
    /// A spent refresh token was presented.
    ReuseDetected,
    /// The user's password changed.
    PasswordChanged,
    /// The user is disabled or gone.
    UserDisabled,
    /// It grew older than `sessions.max_lifetime`.
    Expired,
    /// By an operator.
    Admin,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::SignedOut,
        Self::SignedOutElsewhere,
        Self::SessionLimit,
        Self::ReuseDetected,
        Self::PasswordChanged,
        Self::UserDisabled,
        Self::Expired,
        Self::Admin,
    ];

    /// The word that clients see.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a login does when the user has as many sessions as allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// Ends them all and keeps the new one: so many devices at once are more often an attack than a habit.
    EndAll,
    /// Ends those unused for longest.
    EndLeastRecent,
}

/// The rules that sessions live by. The same for every user; from the configuration.
#[derive(Debug, Clone, Copy)]
pub struct SessionRules {
    /// Live sessions a user may have; 1 or more.
    pub max_per_user: usize,
    /// What a login beyond that does.
    pub when_full: WhenFull,
    /// How long after a rotation its spent token is answered without its key. 0 is off.
    pub reuse_leeway: Duration,
    /// How long after its login a session ends, however often it rotates.
    pub max_lifetime: Option<Duration>,
    /// How long a refresh token lives.
    pub refresh_ttl: Duration,
}

/// A refresh as the session sees it: what its token and its request say.
#[derive(Debug, Clone, Copy)]
pub struct Presented {
    /// `sid`
    pub session_id: Uuid,
    /// From the token's `jti`.
    pub random: SessionRandom,
    /// `gen`
    pub generation: u64,
    /// From the request.
    pub fingerprint: Option<Digest>,
    /// From the request.
    pub idempotency_key: Option<Digest>,
    /// The user's credential version as it is now; `None` where the user is gone or disabled.
    pub credential_version: Option<i64>,
    /// Where the request came from.
    pub ip_address: IpAddr,
}

/// The refresh token that a session stands at: what its minting needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Successor {
    /// `gen`
    pub generation: u64,
    /// `iat`
    pub rotated_at: DateTime<Utc>,
    /// When the session ends by itself if nothing else happens.
    pub expires_at: DateTime<Utc>,
}

/// What became of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The token was the live one; it is spent.
    Rotated(Successor),
    /// The token was spent by the same request before; its successor stands.
    Replayed(Successor),
    /// The token was ahead of the session, for the store had lost a write; it is spent.
    Healed(Successor),
    /// A spent token. The session has ended.
    Reused,
    /// The request is not from the device that logged in. Nothing changed.
    FingerprintMismatch {
        /// It is from the network where the session was used last, so that its owner may be there too.
        is_at_home: bool,
    },
    /// There is no such live session; and why it ended, if that is remembered.
    Ended(Option<EndReason>),
    /// There was, and this has ended it: its user is gone, or has other credentials now, or it grew too old.
    EndedNow(EndReason),
    /// The token has another random value than the session. Nothing changed.
    Forged,
}

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(Uuid),
    /// This one, for somebody who knows its random value.
    Proven(Uuid, SessionRandom),
    /// Every one.
    All,
    /// Every one but this.
    AllBut(Uuid),
}

/// The session that asks for others to be ended, which must itself be live and of the current credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// The `sid` of the access token.
    pub session_id: Uuid,
    /// The user's credential version as it is now.
    pub credential_version: i64,
}

/// What became of a request to end sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// These have ended; none where none was meant.
    Ended(Vec<EndedSession>),
    /// The session that asked is not live; nothing changed.
    AskerNotLive,
}

/// A session that has just ended, as its user knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedSession {
    /// Its `sid`.
    pub id: Uuid,
    /// What the list of devices called it.
    pub device_name: String,
}

/// All that is kept of one user's sessions: those that live, and why the last ones ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSessions {
    live: Vec<Session>,
    ended: Vec<Remembered>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    id: Uuid,
    reason: EndReason,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    until: DateTime<Utc>,
}

impl UserSessions {
    /// A login: makes room by the rules, then adds the session. Answers what was ended for it.
    pub fn start(&mut self, session: Session, rules: &SessionRules, now: DateTime<Utc>) -> Vec<EndedSession> {
        self.settle(rules, now);
        let over = (self.live.len() + 1).saturating_sub(rules.max_per_user);
        let count = match (over, rules.when_full) {
            (0, _) => 0,
            (_, WhenFull::EndAll) => self.live.len(),
            (over, WhenFull::EndLeastRecent) => over,
        };
        let mut by_use: Vec<_> = self.live.iter().map(|live| (live.rotated_at, live.created_at, live.id)).collect();
        by_use.sort_unstable();
        let leaving: Vec<Uuid> = by_use.into_iter().take(count).map(|(_, _, id)| id).collect();
        let ended = self.remove(EndReason::SessionLimit, |live| leaving.contains(&live.id));
        self.live.push(session);
        ended
    }

    /// A refresh, by steps 3 to 8 of the contract's order; the token itself was verified before.
    pub fn rotate(&mut self, presented: &Presented, rules: &SessionRules, now: DateTime<Utc>) -> Rotation {
        let was_live = self.live.iter().any(|live| live.id == presented.session_id && live.expires_at > now);
        self.settle(rules, now);
        let Some(session) = self.live.iter_mut().find(|live| live.id == presented.session_id) else {
            let known = || Rotation::Ended(self.reason(presented.session_id));
            return if was_live { Rotation::EndedNow(EndReason::Expired) } else { known() };
        };
        if session.random != presented.random {
            return Rotation::Forged;
        }
        let outdated = match presented.credential_version {
            Some(version) if version == session.credential_version => None,
            Some(_) => Some(EndReason::PasswordChanged),
            None => Some(EndReason::UserDisabled),
        };
        if let Some(reason) = outdated {
            self.remove(reason, |live| live.id == presented.session_id);
            return Rotation::EndedNow(reason);
        }
        if session.fingerprint.is_some() && session.fingerprint != presented.fingerprint {
            let is_at_home = network(session.ip_address) == network(presented.ip_address);
            return Rotation::FingerprintMismatch { is_at_home };
        }
        if presented.generation >= session.generation {
            let is_ahead = presented.generation > session.generation;
            session.advance(presented, rules, now);
            let successor = session.successor(rules);
            return if is_ahead { Rotation::Healed(successor) } else { Rotation::Rotated(successor) };
        }
        if session.was_just_spent_by(presented, rules, now) {
            return Rotation::Replayed(session.successor(rules));
        }
        self.remove(EndReason::ReuseDetected, |live| live.id == presented.session_id);
        Rotation::Reused
    }

    /// Ends sessions for one reason; where `asking` is given, only if that session is live.
    pub fn end(
        &mut self,
        which: Which,
        asking: Option<Asking>,
        reason: EndReason,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Ending {
        self.settle(rules, now);
        if asking.is_some_and(|asking| !self.is_live(asking)) {
            return Ending::AskerNotLive;
        }
        Ending::Ended(self.remove(reason, |live| match which {
            Which::One(id) => live.id == id,
            Which::Proven(id, random) => live.id == id && live.random == random,
            Which::All => true,
            Which::AllBut(id) => live.id != id,
        }))
    }

    /// Ends every session but the one that asks, which goes on with the new credential version.
    pub fn change_credentials(
        &mut self,
        asking: Asking,
        new_version: i64,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Ending {
        let ending = self.end(Which::AllBut(asking.session_id), Some(asking), EndReason::PasswordChanged, rules, now);
        if let Ending::Ended(_) = ending {
            self.live.iter_mut().for_each(|live| live.credential_version = new_version);
        }
        ending
    }

    /// The live sessions, last used first.
    pub fn list(&self, rules: &SessionRules, now: DateTime<Utc>) -> Vec<Session> {
        let mut live: Vec<_> = self.live.iter().filter(|session| session.dies_at(rules) > now).cloned().collect();
        live.sort_by_key(|session| std::cmp::Reverse((session.rotated_at, session.created_at, session.id)));
        for session in &mut live {
            session.expires_at = session.dies_at(rules);
        }
        live
    }

    /// Why the last sessions ended, the last one last.
    pub fn ended(&self) -> impl Iterator<Item = (Uuid, EndReason)> {
        self.ended.iter().map(|ended| (ended.id, ended.reason))
    }

    /// When nothing in here is worth keeping any more; `None` where that is so already.
    pub fn worth_keeping_until(&self) -> Option<DateTime<Utc>> {
        let live = self.live.iter().map(|session| session.expires_at);
        live.chain(self.ended.iter().map(|ended| ended.until)).max()
    }

    fn is_live(&self, asking: Asking) -> bool {
        let is_asking =
            |live: &Session| live.id == asking.session_id && live.credential_version == asking.credential_version;
        self.live.iter().any(is_asking)
    }

    fn reason(&self, id: Uuid) -> Option<EndReason> {
        self.ended.iter().find(|ended| ended.id == id).map(|ended| ended.reason)
    }

    // Forgets what has expired, and ends what has grown too old.
    fn settle(&mut self, rules: &SessionRules, now: DateTime<Utc>) {
        self.live.retain(|live| live.expires_at > now);
        self.ended.retain(|ended| ended.until > now);
        self.remove(EndReason::Expired, |live| live.dies_at(rules) <= now);
    }

    fn remove(&mut self, reason: EndReason, is_leaving: impl Fn(&Session) -> bool) -> Vec<EndedSession> {
        let (leaving, staying) = std::mem::take(&mut self.live).into_iter().partition(is_leaving);
        self.live = staying;
        let leaving: Vec<Session> = leaving;
        self.ended.extend(leaving.iter().map(|session| Remembered {
            id: session.id,
            reason,
            until: session.expires_at,
        }));
        let forgotten = self.ended.len().saturating_sub(REMEMBERED_ENDINGS);
        self.ended.drain(..forgotten);
        leaving.into_iter().map(|session| EndedSession { id: session.id, device_name: session.device_name }).collect()
    }
}

impl Session {
    fn advance(&mut self, presented: &Presented, rules: &SessionRules, now: DateTime<Utc>) {
        self.generation = presented.generation + 1;
        self.rotated_at = now;
        self.expires_at = after(now, rules.refresh_ttl);
        self.spent_with = presented.idempotency_key;
        self.ip_address = presented.ip_address;
    }

    // No key never equals no key: a thief has none either.
    fn was_just_spent_by(&self, presented: &Presented, rules: &SessionRules, now: DateTime<Utc>) -> bool {
        let is_parent = presented.generation + 1 == self.generation;
        let has_its_key = self.spent_with.is_some() && self.spent_with == presented.idempotency_key;
        is_parent && (has_its_key || now < after(self.rotated_at, rules.reuse_leeway))
    }

    /// Where the session stands.
    pub fn successor(&self, rules: &SessionRules) -> Successor {
        Successor { generation: self.generation, rotated_at: self.rotated_at, expires_at: self.dies_at(rules) }
    }

    /// When it ends by itself: with its refresh token, or when it has lived as long as any may.
    fn dies_at(&self, rules: &SessionRules) -> DateTime<Utc> {
        match rules.max_lifetime {
            Some(lifetime) => self.expires_at.min(after(self.created_at, lifetime)),
            None => self.expires_at,
        }
    }
}

/// `duration` after `moment`; the end of time where that is too far.
pub fn after(moment: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    let delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    moment.checked_add_signed(delta).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
