//! What the two kinds of token say, as types. How they are written is the minter's business, which of them to
//! believe is the verifier's.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{random, strict_json};

/// Who the user is, as resource services see it: the claim `user` of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserClaims {
    /// The user's id; equals `sub`.
    pub id: Uuid,
    /// The user's e-mail address.
    pub email: String,
    /// The user's name at login.
    pub username: String,
}

/// The claims of an access token (RFC 7519 §4.1, and `sid` and `user` of our own). Times are in whole seconds since
/// 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who minted it.
    pub iss: String,
    /// The names of the services that it is for.
    pub aud: Vec<String>,
    /// The user's id.
    pub sub: Uuid,
    /// When it was minted.
    pub iat: i64,
    /// From when on it is refused.
    pub exp: i64,
    /// This token's own id, never empty.
    pub jti: String,
    /// The session that it was minted in.
    pub sid: Uuid,
    /// Who the user is.
    #[serde(deserialize_with = "strict_json::object")]
    pub user: UserClaims,
}

/// The claims of a refresh token. It cannot be made but by the minter or from a token whose `jti` is well-formed and
/// names the same generation as `gen`, so [`RefreshClaims::session_random`] always has an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedRefreshClaims")]
pub struct RefreshClaims {
    /// Who minted it.
    pub iss: String,
    /// Always `["auth-service"]`.
    pub aud: Vec<String>,
    /// The user's id.
    pub sub: Uuid,
    /// When its session was rotated to its generation, in seconds since 1970-01-01 UTC.
    pub iat: i64,
    /// From when on it is refused, in seconds since 1970-01-01 UTC.
    pub exp: i64,
    /// `RANDOM.GENERATION`: the session's random value in base64url without padding, and the generation in decimal.
    pub jti: String,
    /// The session.
    pub sid: Uuid,
    /// How many rotations the session had had when this token was minted; the claim `gen`.
    #[serde(rename = "gen")]
    pub generation: u64,
    #[serde(skip)]
    random: SessionRandom,
}

impl RefreshClaims {
    /// The random value of the session, as the token's `jti` tells it.
    pub fn session_random(&self) -> SessionRandom {
        self.random
    }

    /// The `jti` of the token of one generation of a session.
    pub(crate) fn token_id(random: SessionRandom, generation: u64) -> String {
        format!("{}.{generation}", URL_SAFE_NO_PAD.encode(random.0))
    }

    pub(crate) fn from_parts(unchecked: UncheckedRefreshClaims, random: SessionRandom) -> Self {
        let UncheckedRefreshClaims { iss, aud, sub, iat, exp, jti, sid, generation } = unchecked;
        Self { iss, aud, sub, iat, exp, jti, sid, generation, random }
    }
}

/// Refresh claims as they arrive, before `jti` and `gen` are known to agree.
#[derive(Deserialize)]
pub(crate) struct UncheckedRefreshClaims {
    pub(crate) iss: String,
    pub(crate) aud: Vec<String>,
    pub(crate) sub: Uuid,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) jti: String,
    pub(crate) sid: Uuid,
    #[serde(rename = "gen")]
    pub(crate) generation: u64,
}

impl TryFrom<UncheckedRefreshClaims> for RefreshClaims {
    type Error = &'static str;

    fn try_from(unchecked: UncheckedRefreshClaims) -> Result<Self, Self::Error> {
        let (random, _) = unchecked.jti.split_once('.').ok_or("jti has no generation")?;
        let random = SessionRandom::parse(random).ok_or("jti has no random value")?;
        // Writing it anew refuses another generation and every other spelling of the same one ("+1", "01") at once.
        if unchecked.jti != Self::token_id(random, unchecked.generation) {
            return Err("jti is of another generation than gen");
        }
        Ok(Self::from_parts(unchecked, random))
    }
}

/// The random 128-bit value of a session: part of every refresh token's `jti` and of nothing else but the session
/// store, so that whoever has only the secret or only the store cannot forge a refresh token.
///
/// Comparison takes the same time wherever two values differ; `Debug` shows nothing of it; serde writes it as base64url
/// without padding.
#[derive(Clone, Copy)]
pub struct SessionRandom(pub [u8; 16]);

impl SessionRandom {
    /// A new value, from the operating system's generator.
    pub fn generate() -> Self {
        Self(random::bytes())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(16) => Some(Self(bytes)),
            _ => None,
        }
    }
}

impl PartialEq for SessionRandom {
    fn eq(&self, other: &Self) -> bool {
        // One exclusive-or over all bits: no early exit tells how many leading bytes were right.
        u128::from_ne_bytes(self.0) ^ u128::from_ne_bytes(other.0) == 0
    }
}

impl Eq for SessionRandom {}

impl fmt::Debug for SessionRandom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionRandom(..)")
    }
}

impl Serialize for SessionRandom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for SessionRandom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not 16 bytes in base64url without padding"))
    }
}
