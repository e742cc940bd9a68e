//! A house with an auth-service's minter and verifiers on one clock, and the means to forge what no minter would mint.
//! Secrets are made anew for each test: one that stood here would be a published example.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_claims::{
    AccessClaims, Clock, InvalidReason, KeyHandle, KeyRing, ManualClock, Minter, MinterSettings, RefreshGrant,
    RefreshVerifier, SessionRandom, TokenError, UserClaims, Verifier, VerifierSettings, generate_secret, random,
};
use uuid::Uuid;

pub(crate) const ISSUER: &str = "latchkey";
pub(crate) const SERVICE: &str = "jobs-service";

pub(crate) struct House {
    pub(crate) access_secret: SecretString,
    pub(crate) refresh_secret: SecretString,
    pub(crate) clock: ManualClock,
    pub(crate) minter: Minter,
    pub(crate) verifier: Verifier,
    pub(crate) refresh_verifier: RefreshVerifier,
    pub(crate) user: UserClaims,
    pub(crate) session_id: Uuid,
}

impl House {
    pub(crate) fn new() -> Self {
        let (access_secret, refresh_secret) = (generate_secret(), generate_secret());
        let (access_keys, refresh_keys) = (key_handle(&access_secret), key_handle(&refresh_secret));
        let clock = ManualClock::new(noon());
        Self {
            minter: minter(access_keys.clone(), refresh_keys.clone()),
            verifier: verifier(access_keys, Duration::ZERO, Arc::new(clock.clone())),
            refresh_verifier: RefreshVerifier::new(
                refresh_keys,
                ISSUER.to_owned(),
                Duration::ZERO,
                Arc::new(clock.clone()),
            )
            .unwrap(),
            access_secret,
            refresh_secret,
            clock,
            user: user(),
            session_id: random::uuid(),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    pub(crate) fn access_token(&self) -> String {
        self.minter.mint_access(&self.user, self.session_id, self.clock.now())
    }

    pub(crate) fn grant(&self) -> RefreshGrant {
        RefreshGrant {
            user_id: self.user.id,
            session_id: self.session_id,
            generation: 7,
            random: SessionRandom::generate(),
            rotated_at: self.clock.now(),
        }
    }

    pub(crate) fn refresh_token(&self) -> String {
        self.minter.mint_refresh(&self.grant())
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Arc<AccessClaims>, TokenError> {
        self.verifier.verify(token)
    }

    /// A good access token's header and claims, to be spoilt.
    pub(crate) fn access_parts(&self) -> (Value, Value) {
        parts(&self.access_token())
    }

    /// A good refresh token's header and claims, to be spoilt.
    pub(crate) fn refresh_parts(&self) -> (Value, Value) {
        parts(&self.refresh_token())
    }

    /// Signs whatever it is given with the access secret.
    pub(crate) fn forge(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        forge(&self.access_secret, header, payload)
    }

    /// Signs a good access token whose header got the members of `changes`; `null` stays `null`.
    pub(crate) fn with_header(&self, changes: Value) -> String {
        let (header, claims) = self.access_parts();
        self.forge(merged(header, changes).to_string(), claims.to_string())
    }

    /// Signs a good access token that got the claims of `changes`; `null` stays `null`.
    pub(crate) fn with_claims(&self, changes: Value) -> String {
        let (header, claims) = self.access_parts();
        self.forge(header.to_string(), merged(claims, changes).to_string())
    }

    /// Signs a good access token without the claim.
    pub(crate) fn without_claim(&self, name: &str) -> String {
        let (header, claims) = self.access_parts();
        self.forge(header.to_string(), without(claims, name).to_string())
    }

    /// Signs a good access token with JSON text put before its claims.
    pub(crate) fn with_claims_text(&self, members: &str) -> String {
        let (header, claims) = self.access_parts();
        self.forge(header.to_string(), with_text(&claims, members))
    }
}

/// Asserts why a token is refused, and that a good one still passes after it.
#[track_caller]
pub(crate) fn assert_refused(house: &House, token: &str, reason: InvalidReason, attack: &str) {
    assert_eq!(house.verify(token), Err(TokenError::Invalid(reason)), "{attack}");
    assert!(house.verify(&house.access_token()).is_ok(), "a good token after: {attack}");
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00.400Z".parse().unwrap()
}

pub(crate) fn user() -> UserClaims {
    UserClaims { id: random::uuid(), email: "ada@example.test".to_owned(), username: "ada".to_owned() }
}

pub(crate) fn key_handle(secret: &SecretString) -> KeyHandle {
    KeyHandle::new(ring(secret, &[]))
}

pub(crate) fn ring(signing: &SecretString, accepted: &[&SecretString]) -> KeyRing {
    KeyRing::new(signing, &accepted.iter().map(|&secret| secret.clone()).collect::<Vec<_>>()).unwrap()
}

pub(crate) fn minter(access_keys: KeyHandle, refresh_keys: KeyHandle) -> Minter {
    Minter::new(MinterSettings {
        access_keys,
        refresh_keys,
        issuer: ISSUER.to_owned(),
        audience: vec!["auth-service".to_owned(), SERVICE.to_owned()],
        access_ttl: Duration::from_mins(15),
        refresh_ttl: Duration::from_hours(30 * 24),
    })
}

pub(crate) fn verifier(keys: KeyHandle, leeway: Duration, clock: Arc<dyn Clock>) -> Verifier {
    let settings = VerifierSettings { issuer: ISSUER.to_owned(), audience: SERVICE.to_owned(), leeway };
    Verifier::new(keys, settings, clock).unwrap()
}

/// Signs whatever it is given as HS256, and says nothing of it in the header.
pub(crate) fn forge(secret: &SecretString, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    sign_segments(secret, Algorithm::HS256, &format!("{}.{}", encode(header), encode(payload)))
}

pub(crate) fn sign_segments(secret: &SecretString, algorithm: Algorithm, signed: &str) -> String {
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The header and the claims of a token, unverified.
pub(crate) fn parts(token: &str) -> (Value, Value) {
    let json = |segment: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap();
    let segments: Vec<_> = token.split('.').collect();
    (json(segments[0]), json(segments[1]))
}

pub(crate) fn merged(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    object.as_object_mut().unwrap().extend(changes);
    object
}

pub(crate) fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).unwrap();
    object
}

/// The text of `object` with more members before its own, which may repeat them.
pub(crate) fn with_text(object: &Value, members: &str) -> String {
    format!("{{{members},{}", &object.to_string()[1..])
}

/// `{"a":{"a":…}}`, as deep as asked.
pub(crate) fn nested(depth: usize) -> String {
    format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth))
}

/// Every way to write `word` in small and capital letters.
pub(crate) fn spellings(word: &str) -> Vec<String> {
    (0..1_u32 << word.len())
        .map(|capitals| {
            word.char_indices()
                .map(
                    |(index, letter)| {
                        if capitals >> index & 1 == 1 {
                            letter.to_ascii_uppercase()
                        } else {
                            letter.to_ascii_lowercase()
                        }
                    },
                )
                .collect()
        })
        .collect()
}

/// The claims that an access token must have, each with values of the wrong type or form.
pub(crate) fn values_of_the_wrong_type() -> Vec<(&'static str, Vec<Value>)> {
    let time = || vec![json!(null), json!("1795435200"), json!(1_795_435_200.0), json!(true), json!([1]), json!({})];
    let uuid = || vec![json!(null), json!(""), json!("ada"), json!(7), json!([]), json!({})];
    vec![
        ("iss", vec![json!(null), json!(1), json!([ISSUER]), json!({})]),
        ("aud", vec![json!(null), json!(SERVICE), json!([SERVICE, 1]), json!([[SERVICE]]), json!({ SERVICE: true })]),
        ("sub", uuid()),
        ("iat", time()),
        ("exp", time()),
        ("jti", vec![json!(null), json!(""), json!(7), json!(["a"])]),
        ("sid", uuid()),
    ]
}
