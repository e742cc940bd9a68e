//! How often one session may be refreshed: far above what any honest client needs, and counted in this process alone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::attempts::network;
use super::session::after;

/// What a wrong fingerprint costs beside the refresh that it came with, in refreshes: whoever guesses runs out soon.
const WRONG_FINGERPRINT: i64 = 10;
/// Sessions share so many places, so that memory is bounded.
const PLACES: usize = 1 << 16;
const NANOSECONDS_A_MINUTE: i64 = 60_000_000_000;

/// Sessions are kept from so many addresses at once at the most. Beyond that nobody is kept away any more, and the limiter
/// is what is left: better than to keep out whom nothing is held against.
const KEPT_AWAY: usize = 1 << 16;

/// Limits the refreshes of each session from each address (IPv6: each /64).
///
/// The address counts as well, so that a stolen token used elsewhere does not use up its owner's allowance.
pub struct Pace {
    limiter: Option<Limiter>,
    kept_away: Mutex<HashMap<Pacer, DateTime<Utc>>>,
}

/// A session at an address: 16 bytes of a hash, so that no two are ever taken for each other. Its place among the counters
/// it shares with some others.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pacer([u8; 16]);

impl Pace {
    /// So many refreshes a minute, and as many at once; `None` for no limit.
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self { limiter: per_minute.map(Limiter::new), kept_away: Mutex::default() }
    }

    /// Counts a refresh, or says how long it must wait.
    pub fn admit(&self, session_id: Uuid, address: IpAddr, now: DateTime<Utc>) -> Result<Pacer, Duration> {
        let content = [session_id.as_bytes().as_slice(), network(address).to_string().as_bytes()].concat();
        let mut pacer = Pacer([0; 16]);
        pacer.0.copy_from_slice(&digest(&SHA256, &content).as_ref()[..16]);
        let until = self.kept_away.lock().unwrap_or_else(PoisonError::into_inner).get(&pacer).copied();
        if let Some(Ok(wait)) = until.map(|until| (until - now).to_std())
            && !wait.is_zero()
        {
            return Err(wait);
        }
        self.limiter.as_ref().map_or(Ok(()), |limiter| limiter.take(pacer, now)).map(|()| pacer)
    }

    /// Keeps a session from an address for so long: what comes from there is not looked at.
    pub fn keep_away(&self, pacer: Pacer, wait: Duration, now: DateTime<Utc>) {
        let mut kept_away = self.kept_away.lock().unwrap_or_else(PoisonError::into_inner);
        if kept_away.len() >= KEPT_AWAY {
            kept_away.retain(|_, until| *until > now);
        }
        if kept_away.len() < KEPT_AWAY {
            kept_away.insert(pacer, after(now, wait));
        }
    }

    /// Counts a fingerprint that was wrong.
    pub fn was_wrong(&self, pacer: Pacer, now: DateTime<Utc>) {
        if let Some(limiter) = &self.limiter {
            limiter.charge(pacer, now);
        }
    }
}

/// The generic cell rate algorithm (ITU-T I.371 A.1). A library's would not let a place run into debt, and who guesses at
/// fingerprints would pay less the less there is left.
struct Limiter {
    /// When the whole allowance of each place is there again, in nanoseconds since 1970.
    full_at: Box<[AtomicI64]>,
    interval: i64,
    allowance: i64,
}

impl Limiter {
    fn new(per_minute: NonZeroU32) -> Self {
        let interval = NANOSECONDS_A_MINUTE / i64::from(per_minute.get());
        Self {
            full_at: (0..PLACES).map(|_| AtomicI64::new(0)).collect(),
            interval,
            allowance: interval * i64::from(per_minute.get()),
        }
    }

    fn take(&self, pacer: Pacer, now: DateTime<Utc>) -> Result<(), Duration> {
        let now = nanoseconds(now);
        let last = self.change(pacer, now, |missing| {
            let missing = missing + self.interval;
            (missing <= self.allowance).then_some(missing)
        });
        last.map(drop).map_err(|missing| {
            let wait = missing + self.interval - self.allowance;
            Duration::from_nanos(u64::try_from(wait).unwrap_or_default())
        })
    }

    fn charge(&self, pacer: Pacer, now: DateTime<Utc>) {
        let charged = |missing| Some(missing + WRONG_FINGERPRINT * self.interval);
        // Nothing is refused here.
        let _ = self.change(pacer, nanoseconds(now), charged);
    }

    /// Changes how much of the allowance is missing, if it is to be changed. Answers what was missing before either way.
    fn change(&self, pacer: Pacer, now: i64, decide: impl Fn(i64) -> Option<i64>) -> Result<i64, i64> {
        // No debt is greater than this, whatever many requests at once have made of it.
        let most = self.allowance + WRONG_FINGERPRINT * self.interval;
        let missing = |full_at: i64| match full_at.saturating_sub(now) {
            // The clock was set back since.
            ahead if ahead > 2 * most => 0,
            ahead => ahead.clamp(0, most),
        };
        let place = &self.full_at[usize::from(u16::from_be_bytes([pacer.0[0], pacer.0[1]]))];
        let decided = |full_at| decide(missing(full_at)).map(|missing| now.saturating_add(missing.min(most)));
        place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, decided).map(missing).map_err(missing)
    }
}

fn nanoseconds(moment: DateTime<Utc>) -> i64 {
    // A clock beyond the year 2262 limits nothing.
    moment.timestamp_nanos_opt().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Uuid = Uuid::from_u128(1);
    const HOME: &str = "2001:db8::1";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn pace(per_minute: u32) -> Pace {
        Pace::new(NonZeroU32::new(per_minute))
    }

    /// How long a refresh from an address must wait, in seconds.
    fn wait(pace: &Pace, session_id: Uuid, address: &str, now: DateTime<Utc>) -> u64 {
        pace.admit(session_id, address.parse().unwrap(), now).err().map_or(0, |wait| wait.as_secs())
    }

    fn wrong(pace: &Pace, now: DateTime<Utc>) {
        pace.was_wrong(pace.admit(SESSION, HOME.parse().unwrap(), now).unwrap(), now);
    }

    #[test]
    fn the_whole_allowance_may_be_used_at_once_and_comes_back_bit_by_bit() {
        let pace = pace(3);
        let waits = [0, 0, 0, 0, 19, 20, 20].map(|seconds| wait(&pace, SESSION, HOME, at(seconds)));
        assert_eq!(waits, [0, 0, 0, 20, 1, 0, 20]);
        let waits = [3_600; 4].map(|seconds| wait(&pace, SESSION, HOME, at(seconds)));
        assert_eq!(waits, [0, 0, 0, 20], "it does not grow while nothing is asked for");
    }

    #[test]
    fn each_session_has_an_allowance_at_each_network() {
        let pace = pace(1);
        assert_eq!(wait(&pace, SESSION, HOME, at(0)), 0);
        assert_eq!(wait(&pace, SESSION, "2001:db8::ffff:1", at(0)), 60);
        assert_eq!(wait(&pace, SESSION, "2001:db8:0:1::1", at(0)), 0);
        assert_eq!(wait(&pace, Uuid::from_u128(2), HOME, at(0)), 0);
    }

    #[test]
    fn a_wrong_fingerprint_costs_ten_refreshes_more_and_the_debt_is_bounded() {
        let pace = pace(60);
        for _ in 0..5 {
            wrong(&pace, at(0));
        }
        let pacer = pace.admit(SESSION, HOME.parse().unwrap(), at(0)).unwrap();
        assert_eq!(wait(&pace, SESSION, HOME, at(0)), 0);
        for _ in 0..4 {
            pace.was_wrong(pacer, at(0));
        }
        assert_eq!(wait(&pace, SESSION, HOME, at(0)), 11);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_waiting() {
        let pace = pace(1);
        assert_eq!(wait(&pace, SESSION, HOME, at(100_000)), 0);
        assert_eq!(wait(&pace, SESSION, HOME, at(0)), 0);
    }

    #[test]
    fn who_is_kept_away_from_an_address_waits_there_alone_and_not_for_ever() {
        let pace = pace(60);
        let pacer = pace.admit(SESSION, HOME.parse().unwrap(), at(0)).unwrap();
        pace.keep_away(pacer, Duration::from_secs(30), at(0));
        assert_eq!(wait(&pace, SESSION, HOME, at(1)), 29);
        assert_eq!(wait(&pace, SESSION, "192.0.2.1", at(1)), 0);
        assert_eq!(wait(&pace, SESSION, HOME, at(30)), 0);
    }

    #[test]
    fn what_was_kept_away_long_ago_makes_room() {
        let pace = pace(60);
        for number in 0..KEPT_AWAY as u128 {
            pace.keep_away(Pacer(number.to_be_bytes()), Duration::from_secs(30), at(0));
        }
        let pacer = pace.admit(SESSION, HOME.parse().unwrap(), at(1)).unwrap();
        pace.keep_away(pacer, Duration::from_secs(30), at(1));
        assert_eq!(wait(&pace, SESSION, HOME, at(1)), 0, "nobody is kept away any more");
        pace.keep_away(pacer, Duration::from_secs(30), at(30));
        assert_eq!(wait(&pace, SESSION, HOME, at(31)), 29);
    }
}
