//! The one place where tokens are verified: every check, in the order in which it is made. The JWT library checks the
//! signature and nothing else, for its own checks let much through. What a good token entitles to is left to the
//! callers.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::claims::{AccessClaims, RefreshClaims};
use crate::clock::Clock;
use crate::error::{InvalidReason, SettingsError, TokenError};
use crate::keyring::{AcceptedKey, KeyHandle, KeyRing};
use crate::known::{KnownToken, KnownTokens, TokenDigest};
use crate::minter::{ACCESS_TYPE, REFRESH_AUDIENCE, REFRESH_TYPE, whole_seconds};
use crate::strict_json::{self, JsonError, Member};
use crate::verifications::Outcome;

/// The largest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The longest life of an access token, `exp` − `iat`.
pub const MAX_ACCESS_TTL: Duration = Duration::from_hours(24);
/// The longest leeway.
pub const MAX_LEEWAY: Duration = Duration::from_mins(1);
/// How far ahead of our clock the minter's may be, in seconds.
const MAX_CLOCK_SKEW_SECONDS: i64 = 60;
/// The one claim that is honoured and that no token of ours has (RFC 7519 §4.1.5).
const NOT_BEFORE: &str = "nbf";

/// What a [`Verifier`] holds tokens against.
#[derive(Debug, Clone)]
pub struct VerifierSettings {
    /// The one `iss` that is accepted.
    pub issuer: String,
    /// This service's own name, which has to be in `aud`.
    pub audience: String,
    /// How long after its `exp` a token still passes, in whole seconds: 60 s at most, best 0.
    pub leeway: Duration,
}

/// Verifies access tokens, by itself: it asks no other service and no database.
#[derive(Debug)]
pub struct Verifier {
    rules: Rules,
    known: KnownTokens,
}

impl Verifier {
    /// A verifier of the access tokens that `keys` sign.
    pub fn new(keys: KeyHandle, settings: VerifierSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let VerifierSettings { issuer, audience, leeway } = settings;
        Ok(Self { rules: Rules::new(keys, ACCESS_TYPE, issuer, audience, leeway, clock)?, known: KnownTokens::new() })
    }

    /// The claims of `token`, if every check holds. [`TokenError::Expired`] is answered where nothing but `exp` is
    /// against it.
    pub fn verify(&self, token: &str) -> Result<Arc<AccessClaims>, TokenError> {
        let keys = self.rules.keys.load();
        let (key, claims) = self.signed(&keys, token)?;
        let has_expired = self.rules.judge(key, &*claims, |claims| self.check(claims))?;
        if has_expired { Err(TokenError::Expired) } else { Ok(claims) }
    }

    /// What one of the keys has signed. A signature that was right once is right for as long as its key is accepted.
    fn signed<'ring>(
        &self,
        keys: &'ring KeyRing,
        token: &str,
    ) -> Result<(&'ring AcceptedKey, Arc<AccessClaims>), InvalidReason> {
        let digest = TokenDigest::of(token);
        let known = self.known.get(&digest);
        if let Some(signed) = known.and_then(|known| Some((keys.verifying_key(&known.key_id)?, known.claims))) {
            return Ok(signed);
        }
        let (key, claims, not_before) = self.rules.read(keys, token)?;
        let claims: Arc<AccessClaims> = Arc::new(claims);
        // Where the claims name a time that they hold from, it has to be read from them again.
        if not_before == Member::Absent {
            self.known.insert(digest, KnownToken { key_id: key.id.clone(), claims: claims.clone() });
        }
        Ok((key, claims))
    }

    fn check(&self, claims: &AccessClaims) -> Result<(), InvalidReason> {
        self.rules.check_parties(&claims.iss, &claims.aud)?;
        if claims.sub != claims.user.id {
            return Err(InvalidReason::Subject);
        }
        if claims.jti.is_empty() {
            return Err(InvalidReason::Claims);
        }
        check_lifetime(claims.iat, claims.exp, whole_seconds(MAX_ACCESS_TTL))?;
        if claims.iat > self.rules.now().saturating_add(MAX_CLOCK_SKEW_SECONDS) {
            return Err(InvalidReason::IssuedInTheFuture);
        }
        Ok(())
    }
}

/// Verifies refresh tokens; of use to auth-service alone. It is for the session store to say whether one is spent.
#[derive(Debug)]
pub struct RefreshVerifier {
    rules: Rules,
}

impl RefreshVerifier {
    /// A verifier of the refresh tokens that `keys` sign. The leeway is 60 s at most, best 0.
    pub fn new(
        keys: KeyHandle,
        issuer: String,
        leeway: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        Ok(Self { rules: Rules::new(keys, REFRESH_TYPE, issuer, REFRESH_AUDIENCE.to_owned(), leeway, clock)? })
    }

    /// The claims of `token`, if every check holds. Its life may be as long as it likes, and its `iat` is not held
    /// against the clock: it is the time of a rotation, which another instance may have made.
    pub fn verify(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let claims = self.recognise(token)?;
        if self.has_expired(&claims) { Err(TokenError::Expired) } else { Ok(claims) }
    }

    /// As [`RefreshVerifier::verify`], but the token may have expired: enough to end its session, not to go on with it.
    /// The error is never [`TokenError::Expired`].
    pub fn recognise(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let keys = self.rules.keys.load();
        let (key, claims, _) = self.rules.read(&keys, token)?;
        self.rules.judge(key, &claims, |claims: &RefreshClaims| {
            self.rules.check_parties(&claims.iss, &claims.aud)?;
            check_lifetime(claims.iat, claims.exp, i64::MAX)
        })?;
        Ok(claims)
    }

    /// Whether a token that was recognised is past its `exp`.
    pub fn has_expired(&self, claims: &RefreshClaims) -> bool {
        self.rules.has_expired(claims)
    }
}

/// What both kinds of claims have.
trait Expiring {
    fn exp(&self) -> i64;
}

impl Expiring for AccessClaims {
    fn exp(&self) -> i64 {
        self.exp
    }
}

impl Expiring for RefreshClaims {
    fn exp(&self) -> i64 {
        self.exp
    }
}

/// What both kinds of token are held against.
#[derive(Debug)]
struct Rules {
    keys: KeyHandle,
    token_type: &'static str,
    issuer: String,
    audience: String,
    leeway_seconds: i64,
    clock: Arc<dyn Clock>,
}

/// Exactly what a header has (RFC 7515 §4.1). Any other member refuses the token, which is stricter than §4 asks:
/// nothing in a header of ours can point to another key (`jwk`, `jku`, `x5u`, `x5c`), change what is signed (`b64`) or
/// demand to be understood (`crit`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    kid: Cow<'a, str>,
}

impl Rules {
    fn new(
        keys: KeyHandle,
        token_type: &'static str,
        issuer: String,
        audience: String,
        leeway: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        if leeway > MAX_LEEWAY {
            return Err(SettingsError::LeewayTooLong);
        }
        Ok(Self { keys, token_type, issuer, audience, leeway_seconds: whole_seconds(leeway), clock })
    }

    /// The claims of a token that one of the keys has signed, that key, and the claim [`NOT_BEFORE`], which holds now. A refusal is
    /// counted.
    fn read<'ring, C: DeserializeOwned>(
        &self,
        keys: &'ring KeyRing,
        token: &str,
    ) -> Result<(&'ring AcceptedKey, C, Member), InvalidReason> {
        let (key, payload) = self.open(keys, token).inspect_err(|_| keys.note_unsigned())?;
        let (claims, not_before) = self.claims(&payload).inspect_err(|_| key.tally.note(Outcome::Refused))?;
        Ok((key, claims, not_before))
    }

    /// Whether claims that `key` has signed have expired, which is looked at after all else, where `check` finds nothing. How it ended is
    /// counted.
    fn judge<C: Expiring>(
        &self,
        key: &AcceptedKey,
        claims: &C,
        check: impl FnOnce(&C) -> Result<(), InvalidReason>,
    ) -> Result<bool, InvalidReason> {
        let outcome = check(claims).map(|()| self.has_expired(claims));
        key.tally.note(match outcome {
            Ok(false) => Outcome::Accepted,
            Ok(true) => Outcome::Expired,
            Err(_) => Outcome::Refused,
        });
        outcome
    }

    /// The payload that somebody with the secret has signed, and the key.
    fn open<'ring>(&self, keys: &'ring KeyRing, token: &str) -> Result<(&'ring AcceptedKey, Vec<u8>), InvalidReason> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidReason::TooLarge);
        }
        let (header, payload, signature) = three_segments(token)?;
        let signed = &token[..header.len() + 1 + payload.len()];
        let key = self.key_that_signed(keys, &decode(header)?, signed, signature)?;
        Ok((key, decode(payload)?))
    }

    /// The claims of a payload, well-formed and not before their time.
    fn claims<C: DeserializeOwned>(&self, payload: &[u8]) -> Result<(C, Member), InvalidReason> {
        let (claims, not_before) = strict_json::read(payload, NOT_BEFORE).map_err(|error| match error {
            JsonError::Malformed => InvalidReason::Claims,
            JsonError::DuplicateMember => InvalidReason::DuplicateMember,
        })?;
        self.check_not_before(not_before)?;
        Ok((claims, not_before))
    }

    fn key_that_signed<'ring>(
        &self,
        keys: &'ring KeyRing,
        header: &[u8],
        signed: &str,
        signature: &str,
    ) -> Result<&'ring AcceptedKey, InvalidReason> {
        let header = str::from_utf8(header).map_err(|_| InvalidReason::Header)?;
        let header: Header<'_> = strict_json::read_object(header).map_err(|_| InvalidReason::Header)?;
        if header.alg != "HS256" {
            return Err(InvalidReason::Algorithm);
        }
        if header.typ != self.token_type {
            return Err(InvalidReason::TokenType);
        }
        let accepted = keys.verifying_key(&header.kid).ok_or(InvalidReason::UnknownKey)?;
        // Constant in time; a signature that is not canonical base64url is an error here, and no better than a wrong
        // one.
        match jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &accepted.key, Algorithm::HS256) {
            Ok(true) => Ok(accepted),
            Ok(false) | Err(_) => Err(InvalidReason::Signature),
        }
    }

    fn check_not_before(&self, not_before: Member) -> Result<(), InvalidReason> {
        #[allow(clippy::cast_precision_loss, reason = "exact for the next 285 million years")]
        let now = self.now() as f64;
        match not_before {
            Member::Number(not_before) if not_before > now => Err(InvalidReason::NotYetValid),
            Member::Absent | Member::Number(_) => Ok(()),
            Member::Other => Err(InvalidReason::Claims),
        }
    }

    fn check_parties(&self, issuer: &str, audience: &[String]) -> Result<(), InvalidReason> {
        if issuer != self.issuer {
            return Err(InvalidReason::Issuer);
        }
        if !audience.contains(&self.audience) {
            return Err(InvalidReason::Audience);
        }
        Ok(())
    }

    /// Asked last of all, so that `Expired` means that everything else holds. A token is refused at `exp`, not after it.
    fn has_expired(&self, claims: &impl Expiring) -> bool {
        self.now() >= claims.exp().saturating_add(self.leeway_seconds)
    }

    /// Whole seconds since 1970, as tokens count.
    fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}

fn three_segments(token: &str) -> Result<(&str, &str, &str), InvalidReason> {
    let mut segments = token.split('.');
    match (segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok((header, payload, signature)),
        _ => Err(InvalidReason::Malformed),
    }
}

/// Refuses padding, other alphabets and unused trailing bits that are set: each token has one spelling.
fn decode(segment: &str) -> Result<Vec<u8>, InvalidReason> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| InvalidReason::Malformed)
}

fn check_lifetime(iat: i64, exp: i64, longest: i64) -> Result<(), InvalidReason> {
    match exp.checked_sub(iat) {
        Some(lifetime) if (1..=longest).contains(&lifetime) => Ok(()),
        _ => Err(InvalidReason::Lifetime),
    }
}
