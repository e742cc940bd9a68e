//! What was seen: how much was done, what was made to fail, and what of it a client noticed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many times as long requests may take, at the 99th percentile, beside 200 logins at once.
const MOST_BESIDE_LOGINS: f64 = 2.0;

/// Counts of a run. Those under "never" are what Latchkey promises not to do.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Requests that were granted.
    pub operations: u64,
    /// Histories that an order was found for.
    pub histories: u64,
    /// What was made to fail, and how often.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests that were answered with 503.
    pub unavailable: u64,
    /// Requests whose answer was lost.
    pub lost: u64,
    /// Refreshes that were granted though the store had lost the one before.
    pub healed: u64,
    /// Endings that no replica confirmed.
    pub unconfirmed_endings: u64,
    /// What the 99th percentile of requests was, alone and beside 200 logins at once; of several runs, the one that bears them worst.
    /// Beside them it is never more than twice as long.
    pub beside_logins: BTreeMap<&'static str, Beside>,
    /// The longest that anybody waited for an answer.
    pub slowest_answer: Duration,
    /// The longest that a good client was without service after a fault was over.
    pub slowest_recovery: Duration,
    /// The longest that a service took to start.
    pub slowest_start: Duration,
    /// Sessions of good clients that ended. Never.
    pub sign_outs: u64,
    /// Tokens that were good after their successor had been given. Never.
    pub double_tokens: u64,
    /// Good clients that were answered 401 or 403. Never.
    pub blamed: u64,
}

/// A request's 99th percentile with nobody else there, and beside logins.
#[derive(Debug, Clone, Copy)]
pub struct Beside {
    /// With nobody else there.
    pub alone: Duration,
    /// While there were logins.
    pub beside: Duration,
}

impl Beside {
    /// How many times as long it took.
    pub fn ratio(self) -> f64 {
        self.beside.as_secs_f64() / self.alone.as_secs_f64()
    }
}

/// The counts, for many who count.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

impl Tally {
    /// Counts something.
    pub fn note(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts a fault of this kind.
    pub fn fault(&self, kind: &'static str) {
        self.note(|counts| *counts.faults.entry(kind).or_default() += 1);
    }

    /// What was counted up to now.
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asserts that nothing happened that never does.
    ///
    /// # Panics
    ///
    /// Where it did, with all counts.
    #[track_caller]
    pub fn assert_kept(&self) {
        let counts = self.counts();
        assert!(counts.are_kept(), "\n{counts}");
    }
}

impl Counts {
    /// Whether all that is promised never to happen never did.
    pub fn are_kept(&self) -> bool {
        [self.sign_outs, self.double_tokens, self.blamed] == [0; 3]
            && self.beside_logins.values().all(|times| times.ratio() <= MOST_BESIDE_LOGINS)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |duration: Duration| format!("{} ms", duration.as_millis());
        let mut rows = vec![
            ("operations".to_owned(), self.operations.to_string()),
            ("histories with an order".to_owned(), self.histories.to_string()),
            ("faults injected".to_owned(), self.faults.values().sum::<u64>().to_string()),
        ];
        rows.extend(self.faults.iter().map(|(kind, count)| (format!("– {kind}"), count.to_string())));
        rows.extend([
            ("client-visible errors: 503".to_owned(), self.unavailable.to_string()),
            ("client-visible errors: no answer".to_owned(), self.lost.to_string()),
            ("lost rotations healed".to_owned(), self.healed.to_string()),
            ("endings unconfirmed by a replica".to_owned(), self.unconfirmed_endings.to_string()),
        ]);
        rows.extend(self.beside_logins.iter().flat_map(|(what, times)| {
            let p99 = format!("{:.1} and {:.1} ms", in_milliseconds(times.alone), in_milliseconds(times.beside));
            let name = format!("p99 of {what}, alone and beside 200 logins");
            [(name, p99), ("– the second by the first (at most 2)".to_owned(), format!("{:.2}", times.ratio()))]
        }));
        rows.extend([
            ("slowest answer".to_owned(), milliseconds(self.slowest_answer)),
            ("slowest recovery".to_owned(), milliseconds(self.slowest_recovery)),
            ("slowest start".to_owned(), milliseconds(self.slowest_start)),
            ("sign-outs that should not have been".to_owned(), self.sign_outs.to_string()),
            ("double live tokens".to_owned(), self.double_tokens.to_string()),
            ("401 or 403 caused by a fault".to_owned(), self.blamed.to_string()),
        ]);
        writeln!(out, "| {:<46} | {:>18} |\n| {:-<46} | {:->17}: |", "", "seen", "", "")?;
        rows.iter().try_for_each(|(name, value)| writeln!(out, "| {name:<46} | {value:>18} |"))
    }
}

fn in_milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_may_make_the_slowest_hundredth_twice_as_slow_and_no_slower() {
        let kept = |beside: u64| {
            let tally = Tally::default();
            let times = Beside { alone: Duration::from_millis(3), beside: Duration::from_millis(beside) };
            tally.note(|counts| _ = counts.beside_logins.insert("a refresh", times));
            tally.counts().are_kept()
        };
        assert!(kept(6));
        assert!(!kept(7));
    }
}
