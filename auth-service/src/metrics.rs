//! What auth-service counts beside what every service does. When something is counted is said where it happens, in `domain`; what it
//! means to an operator is in docs/metrics.md.

use prometheus::{Histogram, IntCounter, IntCounterVec, Opts, PullingGauge};
use service_kit::metrics::{Counters, CountersKeptElsewhere, Metrics, durations};
use strum::{IntoStaticStr, VariantArray};

use crate::config::Keys;
use crate::domain::refresh::{Grant, Refusal};
use crate::domain::session::EndReason;

const WELL_FORMED: &str = "names are well-formed";

/// What the domain counts. Cloning it gives the same counters again.
#[derive(Clone)]
pub(crate) struct Counts {
    pub(crate) logins: Counters<LoginOutcome>,
    pub(crate) sessions_started: IntCounter,
    pub(crate) sessions_ended: Counters<EndReason>,
    pub(crate) limits_hit: Counters<LimitHit>,
    refreshes: IntCounterVec,
}

/// How a login ended. What is wrong with credentials is told apart in the audit trail alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum LoginOutcome {
    SignedIn,
    WrongCredentials,
    TooManyAttempts,
    Unavailable,
}

/// What has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum LimitHit {
    /// Attempts on an account, from addresses that its user has not signed in from.
    Account,
    /// Attempts on an account, from an address that its user has signed in from.
    KnownAddress,
    /// Attempts from an address, on any account.
    Address,
    /// Refreshes of a session.
    Session,
    /// Wrong fingerprints of a session.
    Fingerprint,
}

/// How a refresh ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RefreshOutcome {
    Granted(Grant),
    Refused(Refusal),
    TooManyAttempts,
    Unavailable,
}

impl RefreshOutcome {
    fn all() -> impl Iterator<Item = Self> {
        let granted = Grant::VARIANTS.iter().copied().map(Self::Granted);
        let ended = EndReason::ALL.into_iter().map(|reason| Refusal::SessionEnded(Some(reason)));
        let refused = [
            Refusal::Missing,
            Refusal::Invalid,
            Refusal::Expired,
            Refusal::SessionEnded(None),
            Refusal::FingerprintMismatch,
            Refusal::Reused,
        ];
        let refused = refused.into_iter().chain(ended).map(Self::Refused);
        granted.chain(refused).chain([Self::TooManyAttempts, Self::Unavailable])
    }

    /// The outcome, and why the session had ended where that is remembered.
    fn labels(self) -> [&'static str; 2] {
        match self {
            Self::Granted(grant) => [grant.into(), ""],
            Self::Refused(Refusal::SessionEnded(Some(reason))) => ["session_ended", reason.as_str()],
            Self::Refused(refusal) => [refusal.code(), ""],
            Self::TooManyAttempts => ["too_many_attempts", ""],
            Self::Unavailable => ["unavailable", ""],
        }
    }
}

impl Counts {
    pub(crate) fn new() -> Self {
        let refreshes = Opts::new(
            "latchkey_refreshes_total",
            "Refreshes by outcome: granted by a rotation, a replay or a healing, or refused by the code that the client was told.",
        );
        let counts = Self {
            logins: Counters::new("latchkey_logins_total", "Logins by outcome.", "outcome"),
            sessions_started: IntCounter::new("latchkey_sessions_started_total", "Sessions started.")
                .expect(WELL_FORMED),
            sessions_ended: Counters::new(
                "latchkey_sessions_ended_total",
                "Sessions that a request to this process ended, by reason.",
                "reason",
            ),
            limits_hit: Counters::new("latchkey_limits_hit_total", "Requests refused with 429, by limit.", "limit"),
            refreshes: IntCounterVec::new(refreshes, &["outcome", "reason"]).expect(WELL_FORMED),
        };
        for outcome in RefreshOutcome::all() {
            counts.refreshes.with_label_values(&outcome.labels());
        }
        counts
    }

    /// Counts one more.
    pub(crate) fn refresh(&self, outcome: RefreshOutcome) {
        self.refreshes.with_label_values(&outcome.labels()).inc();
    }

    pub(crate) fn show_in(&self, metrics: &Metrics) {
        metrics.register(self.logins.clone());
        metrics.register(self.sessions_started.clone());
        metrics.register(self.sessions_ended.clone());
        metrics.register(self.limits_hit.clone());
        metrics.register(self.refreshes.clone());
    }
}

/// How long passwords wait and are worked on, and how many were turned away. Cloning it gives the same ones again.
#[derive(Clone)]
pub(crate) struct Hashing {
    pub(crate) wait: Histogram,
    pub(crate) work: Histogram,
    pub(crate) refused: IntCounter,
}

impl Hashing {
    pub(crate) fn new() -> Self {
        let (wait, work) = ("latchkey_password_hash_wait_seconds", "latchkey_password_hash_duration_seconds");
        let (refused, help) = ("latchkey_password_hash_refused_total", "Passwords turned away, for too many waited.");
        Self {
            wait: durations(wait, "Time that a password waited for its turn."),
            work: durations(work, "Time that hashing or verifying a password took."),
            refused: IntCounter::new(refused, help).expect(WELL_FORMED),
        }
    }

    /// Shows them, with how many passwords wait now and how many are worked on.
    pub(crate) fn show_in(
        &self,
        metrics: &Metrics,
        waiting: impl Fn() -> usize + Send + Sync + 'static,
        running: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        metrics.register(self.wait.clone());
        metrics.register(self.work.clone());
        metrics.register(self.refused.clone());
        metrics.register(gauge("latchkey_password_hash_waiting", "Passwords that wait for their turn.", waiting));
        metrics.register(gauge("latchkey_password_hash_running", "Passwords that are being worked on.", running));
    }
}

fn gauge(name: &str, help: &str, read: impl Fn() -> usize + Send + Sync + 'static) -> PullingGauge {
    #[allow(clippy::cast_precision_loss, reason = "there are a few thousand at the most")]
    let read = move || read() as f64;
    PullingGauge::new(name, help, Box::new(read)).expect(WELL_FORMED)
}

/// Shows how often each key has verified a token: one that verifies none any more may be retired.
pub(crate) fn show_verifications(keys: &Keys, metrics: &Metrics) {
    let keys = keys.clone();
    let (name, labels) = ("latchkey_token_verifications_total", ["token", "kid", "outcome"]);
    let help = "Tokens verified, by the key that signed them and by how it ended.";
    metrics.register(CountersKeptElsewhere::new(name, help, &labels, move |counters| {
        for (token, keys) in [("access", &keys.access), ("refresh", &keys.refresh)] {
            for counted in keys.load().verifications() {
                counters.with_label_values(&[token, counted.kid, counted.outcome]).inc_by(counted.count);
            }
        }
    }));
}
