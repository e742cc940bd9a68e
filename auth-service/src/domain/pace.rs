//! How often one session may be refreshed: far above what any honest client needs, and counted in this process alone.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::attempts::network;

/// What a wrong fingerprint costs beside the refresh that it came with, in refreshes: whoever guesses runs out soon.
const WRONG_FINGERPRINT: i64 = 10;
/// Sessions share so many places, so that memory is bounded.
const PLACES: usize = 1 << 16;
const NANOSECONDS_A_MINUTE: i64 = 60_000_000_000;

/// Limits the refreshes of each session from each address (IPv6: each /64).
///
/// The address counts as well, so that a stolen token used elsewhere does not use up its owner's allowance.
pub struct Pace {
    limiter: Option<Limiter>,
}

/// A session's place among the counters.
#[derive(Clone, Copy)]
pub struct Pacer(u16);

impl Pace {
    /// So many refreshes a minute, and as many at once; `None` for no limit.
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self { limiter: per_minute.map(Limiter::new) }
    }

    /// Counts a refresh, or says how long it must wait.
    pub fn admit(&self, session_id: Uuid, address: IpAddr, now: DateTime<Utc>) -> Result<Pacer, Duration> {
        let content = [session_id.as_bytes().as_slice(), network(address).to_string().as_bytes()].concat();
        let place = digest(&SHA256, &content);
        let pacer = Pacer(u16::from_be_bytes([place.as_ref()[0], place.as_ref()[1]]));
        self.limiter.as_ref().map_or(Ok(()), |limiter| limiter.take(pacer, now)).map(|()| pacer)
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
        let place = &self.full_at[usize::from(pacer.0)];
        let decided = |full_at| decide(missing(full_at)).map(|missing| now.saturating_add(missing.min(most)));
        place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, decided).map(missing).map_err(missing)
    }
}

fn nanoseconds(moment: DateTime<Utc>) -> i64 {
    // A clock beyond the year 2262 limits nothing.
    moment.timestamp_nanos_opt().unwrap_or(i64::MAX)
}
