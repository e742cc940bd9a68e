//! Secrets made anew for each stack, and tokens that no minter would mint, signed with them. Which of these a service takes is what
//! the tests ask; the JWT library has no part in it.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_claims::generate_secret;

/// The two secrets of one auth-service and its neighbours.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs access tokens.
    pub access: SecretString,
    /// Signs refresh tokens.
    pub refresh: SecretString,
}

impl Secrets {
    /// A pair that nobody has seen before.
    pub fn generate() -> Self {
        Self { access: generate_secret(), refresh: generate_secret() }
    }
}

/// Signs any header and payload with HS256 (RFC 7515 §5.1), whether it makes sense or not.
pub fn forge(secret: &SecretString, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    sign(secret, &format!("{}.{}", encode(header), encode(payload)))
}

/// Puts the HS256 signature behind a text.
pub fn sign(secret: &SecretString, signed: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    format!("{signed}.{}", encode(hmac::sign(&key, signed.as_bytes())))
}

/// base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The header and the claims of a token, unverified.
pub fn parts(token: &str) -> (Value, Value) {
    let json = |segment: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(segment).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let segments: Vec<_> = token.split('.').collect();
    assert_eq!(segments.len(), 3, "a token has three segments");
    (json(segments[0]), json(segments[1]))
}

/// The token signed anew with other members in its header; what `changes` does not name stays.
pub fn with_header(secret: &SecretString, token: &str, changes: &Value) -> String {
    let (header, claims) = parts(token);
    forge(secret, merged(header, changes).to_string(), claims.to_string())
}

/// The token signed anew with other claims; what `changes` does not name stays.
pub fn with_claims(secret: &SecretString, token: &str, changes: &Value) -> String {
    let (header, claims) = parts(token);
    forge(secret, header.to_string(), merged(claims, changes).to_string())
}

/// The token signed anew without a claim.
pub fn without_claim(secret: &SecretString, token: &str, name: &str) -> String {
    let (header, mut claims) = parts(token);
    claims.as_object_mut().and_then(|claims| claims.remove(name)).expect("the claim was there");
    forge(secret, header.to_string(), claims.to_string())
}

/// The refresh token of the same session at another generation: what auth-service would mint there.
pub fn at_generation(secret: &SecretString, refresh_token: &str, generation: u64) -> String {
    let (_, claims) = parts(refresh_token);
    let (random, _) = claims["jti"].as_str().and_then(|jti| jti.split_once('.')).expect("RANDOM.GENERATION");
    with_claims(secret, refresh_token, &json!({ "gen": generation, "jti": format!("{random}.{generation}") }))
}

fn merged(mut object: Value, changes: &Value) -> Value {
    let members = changes.as_object().expect("changes are an object").clone();
    object.as_object_mut().expect("a token's parts are objects").extend(members);
    object
}
