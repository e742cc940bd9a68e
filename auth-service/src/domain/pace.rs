//! How often one session may be refreshed: far above what any honest client needs, and counted in this process alone.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use uuid::Uuid;

/// What a wrong fingerprint costs, in refreshes: whoever guesses runs out soon.
const WRONG_FINGERPRINT: u32 = 10;

/// Limits the refreshes of each session from each address. Sessions share 65,536 counters, so that memory is bounded.
///
/// The address counts as well, so that a stolen token used elsewhere does not use up its owner's allowance.
pub struct Pace {
    limiter: Option<RateLimiter<u16, DashMapStateStore<u16>, DefaultClock>>,
}

/// A session's place among the counters.
#[derive(Clone, Copy)]
pub struct Pacer(u16);

impl Pace {
    /// So many refreshes a minute, and as many at once; `None` for no limit.
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self { limiter: per_minute.map(|count| RateLimiter::dashmap(Quota::per_minute(count))) }
    }

    /// Counts a refresh, or says how long it must wait.
    pub fn admit(&self, session_id: Uuid, address: IpAddr) -> Result<Pacer, Duration> {
        let content = [session_id.as_bytes().as_slice(), address.to_string().as_bytes()].concat();
        let place = digest(&SHA256, &content);
        let pacer = Pacer(u16::from_be_bytes([place.as_ref()[0], place.as_ref()[1]]));
        let Some(limiter) = &self.limiter else { return Ok(pacer) };
        limiter.check_key(&pacer.0).map(|()| pacer).map_err(|wait| wait.wait_time_from(DefaultClock::default().now()))
    }

    /// Counts a fingerprint that was wrong.
    pub fn was_wrong(&self, pacer: Pacer) {
        let (Some(limiter), Some(cost)) = (&self.limiter, NonZeroU32::new(WRONG_FINGERPRINT)) else { return };
        // Where less than that is left, nothing more may be taken, and little is left anyway.
        drop(limiter.check_key_n(&pacer.0, cost));
    }
}
