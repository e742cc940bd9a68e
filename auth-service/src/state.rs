//! What every request may need, made once at start.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use shared_claims::{Clock, Minter, RefreshVerifier};

use crate::domain::guard::Guard;
use crate::domain::pace::Pace;
use crate::domain::password::PasswordHasher;
use crate::domain::session::SessionRules;
use crate::metrics::Counts;
use crate::stores::{SessionStore, Users};

/// The parts of a running auth-service.
pub struct State {
    /// The users.
    pub users: Users,
    /// Their sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// The rules that sessions live by.
    pub rules: SessionRules,
    /// Hashes and verifies passwords.
    pub passwords: PasswordHasher,
    /// Slows guessing down.
    pub guard: Guard,
    /// Limits how often one session is refreshed.
    pub pace: Pace,
    /// Whether anybody may make an account.
    pub registration_is_enabled: bool,
    /// Mints tokens.
    pub minter: Minter,
    /// Verifies refresh tokens. Access tokens are verified by the `Caller` in a handler's signature.
    pub refresh_verifier: RefreshVerifier,
    /// The service's own time.
    pub clock: Arc<dyn Clock>,
    /// What is counted of all this.
    pub(crate) counts: Counts,
}

impl State {
    /// Now, to the millisecond: what the stores keep.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }
}
