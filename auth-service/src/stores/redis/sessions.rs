//! Sessions in Redis: one hash a user with all of their sessions, each step one script that runs on that hash alone. What a step does is
//! decided in the scripts, as the pure state machine says; this file hands them what they need and reads what they answer.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use redis::Value;
use shared_claims::Clock;
use uuid::Uuid;

use super::script::{self, Call, Script};
use super::{Redis, findings, keys, milliseconds, record};
use crate::domain::digest::Digest;
use crate::domain::session::{
    Asking, EndReason, EndedSession, Ending, Presented, Rotation, Session, SessionRules, Successor, WhenFull, Which,
    after,
};
use crate::stores::{Finding, SessionStore, StoreError};

/// The session store in Redis 6.2 or newer, or in Valkey.
pub struct RedisSessions(pub Arc<Redis>);

impl RedisSessions {
    /// Also where there was nothing to end: an earlier try may have ended it, whose answer was lost.
    async fn end_and_confirm(&self, user_id: Uuid, call: Call) -> Result<Ending, StoreError> {
        let (ending, told) = self.0.run_and_tell(call, ended_if_asker_is_live).await?;
        if ending != Ending::AskerNotLive {
            self.0.confirm_ending(told, user_id).await;
        }
        Ok(ending)
    }

    /// The command that a login is, for measurements that send very many of them at once. Redis knows its script from an earlier login.
    #[cfg(feature = "conformance")]
    pub fn starting(user_id: Uuid, session: &Session, rules: &SessionRules, now: DateTime<Utc>) -> redis::Cmd {
        start(user_id, session, rules, now).by_hash()
    }

    /// The command that a refresh is, likewise.
    #[cfg(feature = "conformance")]
    pub fn rotating(user_id: Uuid, presented: &Presented, rules: &SessionRules, now: DateTime<Utc>) -> redis::Cmd {
        rotate(user_id, presented, rules, now).by_hash()
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn start(
        &self,
        user_id: Uuid,
        session: Session,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Vec<EndedSession>, StoreError> {
        let (ended, told) = self.0.run_and_tell(start(user_id, &session, rules, now), ended).await?;
        if !ended.is_empty() {
            self.0.confirm_ending(told, user_id).await;
        }
        Ok(ended)
    }

    async fn rotate(
        &self,
        user_id: Uuid,
        presented: &Presented,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Rotation, StoreError> {
        let call = rotate(user_id, presented, rules, now);
        let (rotation, told) = self.0.run_and_tell(call, |answer| rotation(answer, rules)).await?;
        if rotation == Rotation::Reused {
            self.0.confirm_ending(told, user_id).await;
        }
        Ok(rotation)
    }

    async fn end(
        &self,
        user_id: Uuid,
        which: Which,
        asking: Option<Asking>,
        reason: EndReason,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError> {
        let call = ending(step(&script::END, user_id, rules, now), which, asking, reason, None);
        self.end_and_confirm(user_id, call).await
    }

    async fn change_credentials(
        &self,
        user_id: Uuid,
        asking: Asking,
        new_version: i64,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError> {
        let call = step(&script::END, user_id, rules, now);
        let which = Which::AllBut(asking.session_id);
        let call = ending(call, which, Some(asking), EndReason::PasswordChanged, Some(new_version));
        self.end_and_confirm(user_id, call).await
    }

    async fn list(&self, user_id: Uuid, rules: &SessionRules, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError> {
        let call = Call::read(&script::LIST, keys::sessions(user_id));
        let read = |fields: Vec<Vec<u8>>| Ok(record::unpack_all(&fields)?);
        let mut sessions = self.0.run(call, read).await?;
        for session in &mut sessions {
            session.expires_at = session.successor(rules).expires_at;
        }
        sessions.retain(|session| session.expires_at > now);
        sessions.sort_by_key(|session| std::cmp::Reverse((session.rotated_at, session.created_at, session.id)));
        Ok(sessions)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.0.servers.check().await
    }

    async fn inspect(&self, clock: &dyn Clock) -> Result<Vec<Finding>, StoreError> {
        findings::look(&self.0.servers, clock).await
    }
}

fn start(user_id: Uuid, session: &Session, rules: &SessionRules, now: DateTime<Utc>) -> Call {
    let when_full = match rules.when_full {
        WhenFull::EndAll => "all",
        WhenFull::EndLeastRecent => "least_recent",
    };
    step(&script::START, user_id, rules, now)
        .arg(session.id.as_bytes())
        .arg(record::pack(session))
        .number(rules.max_per_user)
        .arg(when_full)
        .number(record::reason_code(EndReason::SessionLimit))
}

fn rotate(user_id: Uuid, presented: &Presented, rules: &SessionRules, now: DateTime<Utc>) -> Call {
    let reasons = [EndReason::ReuseDetected, EndReason::PasswordChanged, EndReason::UserDisabled];
    step(&script::ROTATE, user_id, rules, now)
        .arg(presented.session_id.as_bytes())
        .arg(presented.random.0)
        .number(presented.generation)
        .arg(optional(presented.fingerprint))
        .arg(optional(presented.idempotency_key))
        .arg(version(presented.credential_version))
        .arg(record::address_bytes(presented.ip_address))
        .number(after(now, rules.refresh_ttl).timestamp_millis())
        .number(milliseconds(rules.reuse_leeway))
        .arg(reasons.map(record::reason_code))
}

/// A call of a script that changes sessions, with what all of these begin with.
fn step(script: &'static Script, user_id: Uuid, rules: &SessionRules, now: DateTime<Utc>) -> Call {
    let max_lifetime = rules.max_lifetime.map(|lifetime| milliseconds(lifetime).to_string());
    Call::write(script, keys::sessions(user_id)).number(now.timestamp_millis()).arg(max_lifetime.unwrap_or_default())
}

fn ending(call: Call, which: Which, asking: Option<Asking>, reason: EndReason, new_version: Option<i64>) -> Call {
    let (word, id, random) = match which {
        Which::One(id) => ("one", id, vec![]),
        Which::Proven(id, random) => ("proven", id, random.0.to_vec()),
        Which::All => ("all", Uuid::nil(), vec![]),
        Which::AllBut(id) => ("all_but", id, vec![]),
    };
    call.number(record::reason_code(reason))
        .arg(word)
        .arg(id.as_bytes())
        .arg(random)
        .arg(asking.map(|asking| asking.session_id.as_bytes().to_vec()).unwrap_or_default())
        .arg(version(asking.map(|asking| asking.credential_version)))
        .arg(version(new_version))
}

/// A credential version as the record holds it; nothing where there is none.
fn version(version: Option<i64>) -> Vec<u8> {
    version.map(|version| version.to_be_bytes().to_vec()).unwrap_or_default()
}

fn optional(digest: Option<Digest>) -> Vec<u8> {
    digest.map(|digest| digest.0.to_vec()).unwrap_or_default()
}

fn ended_if_asker_is_live(names: Option<Vec<Vec<u8>>>) -> Result<Ending, StoreError> {
    match names {
        None => Ok(Ending::AskerNotLive),
        Some(names) => ended(names).map(Ending::Ended),
    }
}

/// Ids and names, one after the other.
fn ended(names: Vec<Vec<u8>>) -> Result<Vec<EndedSession>, StoreError> {
    let mut names = names.into_iter();
    let mut sessions = Vec::new();
    while let Some(id) = names.next() {
        let id = Uuid::from_slice(&id).map_err(|_| unknown_shape())?;
        let device_name = names.next().and_then(|name| String::from_utf8(name).ok()).ok_or_else(unknown_shape)?;
        sessions.push(EndedSession { id, device_name });
    }
    Ok(sessions)
}

/// The name of an outcome, and the numbers that belong to it.
fn rotation(answer: Vec<Value>, rules: &SessionRules) -> Result<Rotation, StoreError> {
    let mut answer = answer.into_iter();
    let outcome: String = script::decoded(answer.next().unwrap_or(Value::Nil))?;
    let numbers = answer.map(script::decoded).collect::<Result<Vec<i64>, _>>()?;
    Ok(match (outcome.as_str(), numbers.as_slice()) {
        ("rotated", numbers) => Rotation::Rotated(successor(numbers, rules)?),
        ("replayed", numbers) => Rotation::Replayed(successor(numbers, rules)?),
        ("healed", numbers) => Rotation::Healed(successor(numbers, rules)?),
        ("reused", []) => Rotation::Reused,
        ("fingerprint_mismatch", [is_at_home]) => Rotation::FingerprintMismatch { is_at_home: *is_at_home == 1 },
        ("forged", []) => Rotation::Forged,
        ("ended", [reason]) => Rotation::Ended(record::reason(*reason)?),
        ("ended_now", [reason]) => Rotation::EndedNow(record::reason(*reason)?.ok_or_else(unknown_shape)?),
        _ => return Err(unknown_shape()),
    })
}

fn unknown_shape() -> StoreError {
    StoreError::Unreadable("a script answered in an unknown shape".to_owned())
}

fn successor(numbers: &[i64], rules: &SessionRules) -> Result<Successor, StoreError> {
    let read = || {
        let [generation, rotated_at, expires_at, created_at] = *numbers else { return None };
        let expires_at = DateTime::from_timestamp_millis(expires_at)?;
        let created_at = DateTime::from_timestamp_millis(created_at)?;
        let at_most = rules.max_lifetime.map(|lifetime| after(created_at, lifetime));
        Some(Successor {
            generation: generation.try_into().ok()?,
            rotated_at: DateTime::from_timestamp_millis(rotated_at)?,
            expires_at: at_most.map_or(expires_at, |at_most| expires_at.min(at_most)),
        })
    };
    read().ok_or_else(|| StoreError::Unreadable("a script answered with numbers that make no session".to_owned()))
}
