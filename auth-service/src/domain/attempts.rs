//! Guessing is slowed: how many wrong attempts there were, and how long the next must wait. Pure, as `session` is.
//!
//! An attempt is counted before it is judged, so that many at once gain nothing, and taken back when it was right.
//! Delays grow and end; nothing is ever locked for good, and what is refused while waiting does not make the wait longer.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::session::after;

/// Accounts, addresses and sessions are counted in so many buckets each at the most: names made up at random cannot fill the
/// store, and whoever shares a bucket with another only waits a little.
const BUCKETS: u32 = 1 << 20;
/// An address of IPv6 is its network: a household or a host is given a /64 and may use all of it.
const IPV6_NETWORK: u8 = 64;
/// A person who signed in from an address is known there for so long.
pub const KNOWN_FOR: Duration = Duration::from_hours(24 * 90);

/// What attempts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket(pub [u8; 16]);

impl Bucket {
    /// All attempts on an account, from anywhere; `account` is what was typed, for there may be no such user.
    pub fn of_account(account: &str) -> Self {
        Self::hashed(b'a', account.as_bytes())
    }

    /// All attempts from an address, on any account.
    pub fn of_address(address: IpAddr) -> Self {
        Self::hashed(b'n', network(address).to_string().as_bytes())
    }

    /// All wrong fingerprints of a session, from anywhere.
    pub fn of_fingerprints(session_id: Uuid) -> Self {
        Self::hashed(b'f', session_id.as_bytes())
    }

    /// The attempts on an account from one address: only where somebody signed in from there, which bounds their number.
    pub fn of_known(user_id: Uuid, address: IpAddr) -> Self {
        let content = [user_id.as_bytes().as_slice(), network(address).to_string().as_bytes()].concat();
        let mut bucket = [0; 16];
        bucket.copy_from_slice(&digest(&SHA256, &content).as_ref()[..16]);
        bucket[0] = b'k';
        Self(bucket)
    }

    fn hashed(kind: u8, content: &[u8]) -> Self {
        let digest = digest(&SHA256, content);
        let number = digest.as_ref().iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        let mut bucket = [0; 16];
        bucket[0] = kind;
        bucket[12..].copy_from_slice(&(number % BUCKETS).to_be_bytes());
        Self(bucket)
    }
}

/// What an address is counted as.
pub(super) fn network(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(_) => address.into(),
        // `new` refuses only prefixes that are too long.
        IpAddr::V6(_) => IpNet::new(address, IPV6_NETWORK).map_or(address.into(), |network| network.trunc()),
    }
}

/// How attempts in one kind of bucket are slowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many attempts, 1 or more, need not wait for each other.
    pub free: u32,
    /// The wait after the first beyond that; it doubles with each further one…
    pub first_delay: Duration,
    /// …up to this.
    pub longest_delay: Duration,
    /// Without an attempt for so long, all is forgotten.
    pub forget_after: Duration,
}

/// The attempts in one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Attempts that were not right, or are being judged.
    pub count: u32,
    /// When the last of them was.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub last_at: DateTime<Utc>,
    /// Before this the next is refused.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub not_before: DateTime<Utc>,
    /// When the bucket is empty again, or its address no longer known.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub keep_until: DateTime<Utc>,
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may, and it is counted.
    Admitted,
    /// It must wait for so long, and is not counted.
    Wait(Duration),
}

impl Attempts {
    /// A bucket without attempts.
    pub fn none(now: DateTime<Utc>) -> Self {
        Self { count: 0, last_at: now, not_before: now, keep_until: now }
    }

    /// How long the next attempt must wait; zero where it need not. Nothing is counted.
    pub fn wait(&self, limit: &Limit, now: DateTime<Utc>) -> Duration {
        // Those that need not wait may come in another order than their times, from clocks that differ a little.
        if self.count < limit.free || after(self.last_at, limit.forget_after) <= now {
            return Duration::ZERO;
        }
        (self.not_before - now).to_std().unwrap_or_default()
    }

    /// Counts an attempt if it need not wait.
    pub fn attempt(&mut self, limit: &Limit, now: DateTime<Utc>) -> Admission {
        let wait = self.wait(limit, now);
        if !wait.is_zero() {
            return Admission::Wait(wait);
        }
        if after(self.last_at, limit.forget_after) <= now {
            *self = Self { keep_until: self.keep_until, ..Self::none(now) };
        }
        self.count = self.count.saturating_add(1);
        self.last_at = now;
        self.not_before = after(now, limit.delay_after(self.count));
        self.keep_until = self.keep_until.max(after(now, limit.forget_after));
        Admission::Admitted
    }

    /// Takes back an attempt that turned out right.
    pub fn take_back(&mut self, now: DateTime<Utc>) {
        self.count = self.count.saturating_sub(1);
        self.not_before = now;
    }
}

impl Limit {
    fn delay_after(&self, count: u32) -> Duration {
        match count.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(doublings) => self
                .first_delay
                .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
                .min(self.longest_delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Limit = Limit {
        free: 3,
        first_delay: Duration::from_secs(1),
        longest_delay: Duration::from_secs(10),
        forget_after: Duration::from_secs(100),
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn delays_begin_after_the_free_attempts_double_and_end() {
        let mut attempts = Attempts::none(at(0));
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            if let Admission::Wait(wait) = attempts.attempt(&LIMIT, now) {
                waits.push(wait.as_secs());
                now += wait;
                assert_eq!(attempts.attempt(&LIMIT, now), Admission::Admitted);
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn what_is_refused_does_not_make_the_wait_longer() {
        let mut attempts = Attempts::none(at(0));
        for _ in 0..3 {
            assert_eq!(attempts.attempt(&LIMIT, at(0)), Admission::Admitted);
        }
        let before = attempts;
        for _ in 0..100 {
            assert_eq!(attempts.attempt(&LIMIT, at(0)), Admission::Wait(Duration::from_secs(1)));
        }
        assert_eq!(attempts, before);
        assert_eq!(attempts.attempt(&LIMIT, at(1)), Admission::Admitted);
    }

    #[test]
    fn those_that_need_not_wait_may_come_in_another_order_than_their_times() {
        let mut attempts = Attempts::none(at(1));
        for now in [at(1), at(0)] {
            assert_eq!(attempts.attempt(&LIMIT, now), Admission::Admitted);
            attempts.take_back(at(2));
        }
        assert_eq!(attempts.attempt(&LIMIT, at(0)), Admission::Admitted);
        let mut attempts = Attempts::none(at(2));
        for now in [at(2), at(1), at(0)] {
            assert_eq!(attempts.attempt(&LIMIT, now), Admission::Admitted);
        }
    }

    #[test]
    fn an_attempt_that_was_right_is_as_if_it_had_not_been() {
        let mut attempts = Attempts::none(at(0));
        for now in [at(0), at(0), at(0), at(1)] {
            assert_eq!(attempts.attempt(&LIMIT, now), Admission::Admitted);
        }
        attempts.take_back(at(1));
        assert_eq!(attempts.count, 3);
        assert_eq!(attempts.attempt(&LIMIT, at(1)), Admission::Admitted);
    }

    #[test]
    fn the_longest_delay_stays_the_longest_however_many_there_are() {
        for count in [8, 34, 35, 36, u32::MAX] {
            assert_eq!(LIMIT.delay_after(count), LIMIT.longest_delay, "{count}");
        }
    }

    #[test]
    fn each_attempt_is_remembered_from_its_own_time_on() {
        let mut attempts = Attempts::none(at(0));
        for seconds in [0, 90, 180] {
            assert_eq!(attempts.attempt(&LIMIT, at(seconds)), Admission::Admitted);
        }
        assert_eq!((attempts.count, attempts.keep_until), (3, at(280)));
    }

    #[test]
    fn a_known_address_stays_known_however_its_attempts_are_forgotten() {
        let mut attempts = Attempts { keep_until: at(1_000), ..Attempts::none(at(0)) };
        for seconds in [0, 200] {
            assert_eq!(attempts.attempt(&LIMIT, at(seconds)), Admission::Admitted);
            assert_eq!((attempts.count, attempts.keep_until), (1, at(1_000)));
        }
    }

    #[test]
    fn all_is_forgotten_after_a_while() {
        let mut attempts = Attempts::none(at(0));
        for _ in 0..3 {
            attempts.attempt(&LIMIT, at(0));
        }
        assert_eq!(attempts.attempt(&LIMIT, at(100)), Admission::Admitted);
        assert_eq!(attempts.count, 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let bucket = |text: &str| Bucket::of_address(text.parse().unwrap());
        assert_eq!(bucket("2001:db8::1"), bucket("2001:db8::ffff:1"));
        assert_ne!(bucket("2001:db8::1"), bucket("2001:db8:0:1::1"));
        assert_ne!(bucket("192.0.2.1"), bucket("192.0.2.2"));
    }

    #[test]
    fn what_is_counted_apart_is_in_buckets_of_its_own() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        assert_ne!(Bucket::of_account("192.0.2.1/32"), Bucket::of_address(address));
        let session_id = Uuid::from_bytes(*b"0123456789abcdef");
        assert_ne!(Bucket::of_account("0123456789abcdef"), Bucket::of_fingerprints(session_id));
    }

    #[test]
    fn a_user_is_known_at_a_network_and_nobody_else_there() {
        let known = |user, address: &str| Bucket::of_known(Uuid::from_u128(user), address.parse().unwrap());
        assert_eq!(known(1, "2001:db8::1"), known(1, "2001:db8::ffff:1"));
        assert_ne!(known(1, "192.0.2.1"), known(1, "192.0.2.2"));
        assert_ne!(known(1, "192.0.2.1"), known(2, "192.0.2.1"));
    }

    proptest! {
        #[test]
        fn there_are_no_more_buckets_than_meant(name in ".{0,300}") {
            let Bucket(bytes) = Bucket::of_account(&name);
            prop_assert!(bytes[1..12].iter().all(|byte| *byte == 0));
            prop_assert!(u32::from_be_bytes(bytes[12..].try_into().unwrap()) < BUCKETS);
        }

        #[test]
        fn no_wait_is_ever_longer_than_the_longest(steps in prop::collection::vec((0..30_i64, any::<bool>()), 1..200)) {
            let (mut attempts, mut now) = (Attempts::none(at(0)), at(0));
            for (seconds, was_right) in steps {
                now += chrono::TimeDelta::seconds(seconds);
                match attempts.attempt(&LIMIT, now) {
                    Admission::Wait(wait) => prop_assert!(wait <= LIMIT.longest_delay),
                    Admission::Admitted if was_right => attempts.take_back(now),
                    Admission::Admitted => {}
                }
            }
        }
    }
}
