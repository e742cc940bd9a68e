//! How often each key has verified a token: counted beside the keys, without a lock, for whoever wants to show it. An operator sees from
//! it when a secret is no longer used. Where the numbers are shown is left to the services.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many tokens met one end with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verifications<'ring> {
    /// The id of the key that signed them; `unknown` where none of the ring did, whatever `kid` they name.
    pub kid: &'ring str,
    /// `accepted`, `expired` (nothing but `exp` was against them) or `refused`.
    pub outcome: &'static str,
    /// Since the key came into use in this process.
    pub count: u64,
}

/// How a verification ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Accepted,
    Expired,
    Refused,
}

/// The counts of one key.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    accepted: AtomicU64,
    expired: AtomicU64,
    refused: AtomicU64,
}

impl Tally {
    pub(crate) fn note(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Accepted => &self.accepted,
            Outcome::Expired => &self.expired,
            Outcome::Refused => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read<'ring>(&self, kid: &'ring str) -> [Verifications<'ring>; 3] {
        [("accepted", &self.accepted), ("expired", &self.expired), ("refused", &self.refused)]
            .map(|(outcome, counter)| Verifications { kid, outcome, count: counter.load(Ordering::Relaxed) })
    }
}
