//! How one session is packed into the value of a field, and read back. Scripts pack it anew at each rotation, by record.lua.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use shared_claims::SessionRandom;
use uuid::Uuid;

use crate::domain::digest::Digest;
use crate::domain::session::{EndReason, Session};
use crate::stores::StoreError;

const VERSION: u8 = 1;
const HAS_FINGERPRINT: u8 = 1;
const HAS_SPENT_WITH: u8 = 2;
const IS_IPV6: u8 = 4;

/// The longest value that [`pack`] makes, in bytes: that of a session with every detail, an IPv6 address, and a device name of 64
/// characters of four bytes each.
pub(super) const LONGEST: u64 = 366;

/// A value or a field that no version of ours has written: never taken for "no session".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {0} of an unknown version or shape")]
pub(super) struct Unreadable(&'static str);

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable.to_string())
    }
}

/// A session as the value of its field; its place among the others is left open. Numbers are big-endian.
pub(super) fn pack(session: &Session) -> Vec<u8> {
    let mut value = vec![VERSION];
    value.extend(0_u32.to_be_bytes());
    value.extend(session.credential_version.to_be_bytes());
    value.extend(session.random.0);
    value.extend(session.created_at.timestamp_millis().to_be_bytes());
    value.extend(session.generation.to_be_bytes());
    value.extend(session.rotated_at.timestamp_millis().to_be_bytes());
    value.extend(session.expires_at.timestamp_millis().to_be_bytes());
    let flag = |is_set, flag| if is_set { flag } else { 0 };
    let has = flag(session.fingerprint.is_some(), HAS_FINGERPRINT) | flag(session.spent_with.is_some(), HAS_SPENT_WITH);
    value.push(has | flag(session.ip_address.is_ipv6(), IS_IPV6));
    value.extend(session.fingerprint.iter().chain(&session.spent_with).flat_map(|digest| digest.0));
    value.extend(address_bytes(session.ip_address));
    value.extend(session.device_name.as_bytes());
    value
}

/// Reads a session back.
pub(super) fn unpack(id: Uuid, value: &[u8]) -> Result<Session, Unreadable> {
    unpacked(id, value).ok_or(Unreadable("session"))
}

fn unpacked(id: Uuid, value: &[u8]) -> Option<Session> {
    let mut rest = Rest(value);
    let [version] = rest.take()?;
    if version != VERSION {
        return None;
    }
    let _sequence: [u8; 4] = rest.take()?;
    let credential_version = i64::from_be_bytes(rest.take()?);
    let random = SessionRandom(rest.take()?);
    let created_at = rest.time()?;
    let generation = u64::from_be_bytes(rest.take()?);
    let (rotated_at, expires_at) = (rest.time()?, rest.time()?);
    let [flags] = rest.take()?;
    if flags > (HAS_FINGERPRINT | HAS_SPENT_WITH | IS_IPV6) {
        return None;
    }
    let fingerprint = if flags & HAS_FINGERPRINT == 0 { None } else { Some(Digest(rest.take()?)) };
    let spent_with = if flags & HAS_SPENT_WITH == 0 { None } else { Some(Digest(rest.take()?)) };
    let ip_address =
        if flags & IS_IPV6 == 0 { IpAddr::from(rest.take::<4>()?) } else { IpAddr::from(rest.take::<16>()?) };
    let device_name = String::from_utf8(rest.0.to_vec()).ok()?;
    Some(Session {
        id,
        random,
        generation,
        credential_version,
        created_at,
        rotated_at,
        expires_at,
        fingerprint,
        spent_with,
        device_name,
        ip_address,
    })
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn time(&mut self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(i64::from_be_bytes(self.take()?))
    }
}

/// The live sessions among the fields of a user's hash, which come as one field and one value after the other.
pub(super) fn unpack_all(fields: &[Vec<u8>]) -> Result<Vec<Session>, Unreadable> {
    let mut sessions = Vec::new();
    for pair in fields.chunks(2) {
        let [field, value] = pair else { return Err(Unreadable("hash")) };
        match field.split_first() {
            Some((b's', id)) => {
                let id = Uuid::from_slice(id).map_err(|_| Unreadable("field"))?;
                sessions.push(unpack(id, value)?);
            }
            Some((b'e', id)) if id.len() == 16 => {}
            _ => return Err(Unreadable("field")),
        }
    }
    Ok(sessions)
}

pub(super) fn address_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// What a reason is called in Redis. These numbers are written down in the stores of others: a new reason takes a new one.
pub(super) fn reason_code(reason: EndReason) -> u8 {
    match reason {
        EndReason::SignedOut => 1,
        EndReason::SignedOutElsewhere => 2,
        EndReason::SessionLimit => 3,
        EndReason::ReuseDetected => 4,
        EndReason::PasswordChanged => 5,
        EndReason::UserDisabled => 6,
        EndReason::Expired => 7,
        EndReason::Admin => 8,
    }
}

/// The reason with this number; 0 is none.
pub(super) fn reason(code: i64) -> Result<Option<EndReason>, Unreadable> {
    if code == 0 {
        return Ok(None);
    }
    let known = EndReason::ALL.into_iter().find(|reason| i64::from(reason_code(*reason)) == code);
    known.map(Some).ok_or(Unreadable("reason"))
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
