//! The one place where tokens are minted. Who may have one, and what a session's generation is, is decided by
//! auth-service.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use uuid::Uuid;

use crate::claims::{AccessClaims, RefreshClaims, SessionRandom, UncheckedRefreshClaims, UserClaims};
use crate::keyring::KeyHandle;
use crate::random;

/// The header's `typ` of an access token (after RFC 9068 §2.1).
pub(crate) const ACCESS_TYPE: &str = "at+jwt";
/// The header's `typ` of a refresh token.
pub(crate) const REFRESH_TYPE: &str = "rt+jwt";
/// The one audience of refresh tokens.
pub(crate) const REFRESH_AUDIENCE: &str = "auth-service";

/// What a [`Minter`] is made of.
#[derive(Debug, Clone)]
pub struct MinterSettings {
    /// The secrets of access tokens, shared with every resource service.
    pub access_keys: KeyHandle,
    /// The secrets of refresh tokens, known to auth-service alone.
    pub refresh_keys: KeyHandle,
    /// `iss` of both.
    pub issuer: String,
    /// `aud` of access tokens: the names of the services that take them.
    pub audience: Vec<String>,
    /// How long an access token lives, in whole seconds: 1 s to [`MAX_ACCESS_TTL`](crate::MAX_ACCESS_TTL), or verifiers
    /// refuse it.
    pub access_ttl: Duration,
    /// How long a refresh token lives from its rotation, in whole seconds, 1 s or more.
    pub refresh_ttl: Duration,
}

/// The one generation of one session that a refresh token is minted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshGrant {
    /// Whose session it is.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// How many rotations the session has had.
    pub generation: u64,
    /// The session's random value.
    pub random: SessionRandom,
    /// When the session reached this generation.
    pub rotated_at: DateTime<Utc>,
}

/// Mints access and refresh tokens.
#[derive(Debug, Clone)]
pub struct Minter {
    settings: MinterSettings,
}

impl Minter {
    /// A minter by `settings`.
    pub fn new(settings: MinterSettings) -> Self {
        Self { settings }
    }

    /// An access token for `user`, minted at `now`. No two are the same.
    pub fn mint_access(&self, user: &UserClaims, session_id: Uuid, now: DateTime<Utc>) -> String {
        let iat = now.timestamp();
        let claims = AccessClaims {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: user.id,
            iat,
            exp: iat.saturating_add(whole_seconds(self.settings.access_ttl)),
            jti: random::uuid().to_string(),
            sid: session_id,
            user: user.clone(),
        };
        sign(ACCESS_TYPE, &claims, &self.settings.access_keys)
    }

    /// The refresh token of `grant`: the same to the byte each time it is asked for, while secret and settings stay, so
    /// that a refresh whose response was lost can be answered again from the session's state alone.
    pub fn mint_refresh(&self, grant: &RefreshGrant) -> String {
        let iat = grant.rotated_at.timestamp();
        let claims = UncheckedRefreshClaims {
            iss: self.settings.issuer.clone(),
            aud: vec![REFRESH_AUDIENCE.to_owned()],
            sub: grant.user_id,
            iat,
            exp: iat.saturating_add(whole_seconds(self.settings.refresh_ttl)),
            jti: RefreshClaims::token_id(grant.random, grant.generation),
            sid: grant.session_id,
            generation: grant.generation,
        };
        sign(REFRESH_TYPE, &RefreshClaims::from_parts(claims, grant.random), &self.settings.refresh_keys)
    }

    /// How long an access token lives.
    pub fn access_ttl(&self) -> Duration {
        self.settings.access_ttl
    }

    /// How long a refresh token lives.
    pub fn refresh_ttl(&self) -> Duration {
        self.settings.refresh_ttl
    }
}

fn sign(token_type: &str, claims: &impl Serialize, keys: &KeyHandle) -> String {
    let keys = keys.load();
    let header = Header {
        typ: Some(token_type.to_owned()),
        kid: Some(keys.signing_kid().to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    jsonwebtoken::encode(&header, claims, keys.signing_key())
        .expect("claims are plain JSON and an HMAC key signs any message")
}

pub(crate) fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
