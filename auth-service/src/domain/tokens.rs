//! The pair of tokens that a login or a refresh answers with.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use shared_claims::{RefreshGrant, SessionRandom};
use uuid::Uuid;

use super::session::Successor;
use super::user::User;
use crate::state::State;

/// An access token and the refresh token that goes with it.
pub struct TokenPair {
    /// Shown to resource services.
    pub access_token: SecretString,
    /// Exchanged for the next pair.
    pub refresh_token: SecretString,
    /// Whole seconds that the access token lives.
    pub expires_in: u64,
    /// Whole seconds until the session ends by itself.
    pub refresh_expires_in: u64,
    /// The session.
    pub session_id: Uuid,
}

/// Where a session stands, as far as its refresh token says.
pub struct Standing {
    /// `sid`
    pub session_id: Uuid,
    /// Part of `jti`.
    pub random: SessionRandom,
    /// Its generation, and since when.
    pub at: Successor,
}

impl State {
    /// Mints the refresh token that the session stands at, always the same, and a fresh access token.
    pub fn mint(&self, user: &User, standing: &Standing, now: DateTime<Utc>) -> TokenPair {
        let grant = RefreshGrant {
            user_id: user.id,
            session_id: standing.session_id,
            generation: standing.at.generation,
            random: standing.random,
            rotated_at: standing.at.rotated_at,
        };
        let access_token = self.minter.mint_access(&user.claims(), standing.session_id, now);
        TokenPair {
            access_token: access_token.into(),
            refresh_token: self.minter.mint_refresh(&grant).into(),
            expires_in: self.minter.access_ttl().as_secs(),
            refresh_expires_in: u64::try_from((standing.at.expires_at - now).num_seconds()).unwrap_or(0),
            session_id: standing.session_id,
        }
    }
}
