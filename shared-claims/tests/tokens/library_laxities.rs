//! What the JWT library lets through by its defaults, or at all, and our verifier does not. Each test shows both, so
//! that a check is dropped only knowingly. The library reads the ambient time, so these tokens are of today.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shared_claims::{Clock, InvalidReason, SystemClock, TokenError, Verifier};

use crate::support::{House, ISSUER, SERVICE, forge, key_handle, merged, verifier, without};

struct Today {
    house: House,
    verifier: Verifier,
    header: Value,
    claims: Value,
    now: i64,
}

impl Today {
    fn new() -> Self {
        let house = House::new();
        let verifier = verifier(key_handle(&house.access_secret), Duration::ZERO, Arc::new(SystemClock));
        let now = SystemClock.now().timestamp();
        let (header, claims) = house.access_parts();
        let claims = merged(claims, json!({ "iat": now, "exp": now + 900 }));
        Self { house, verifier, header, claims, now }
    }

    /// The library takes this token, and ours refuses it for `expected`.
    #[track_caller]
    fn assert_only_the_library_takes(&self, header: &Value, claims: &Value, expected: TokenError) {
        let token = forge(&self.house.access_secret, header.to_string(), claims.to_string());
        let key = DecodingKey::from_secret(self.house.access_secret.expose_secret().as_bytes());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[SERVICE]);
        let outcome = jsonwebtoken::decode::<Value>(&token, &key, &validation);
        assert!(outcome.is_ok(), "the library has become stricter: {outcome:?}");
        assert_eq!(self.verifier.verify(&token), Err(expected));
    }

    #[track_caller]
    fn assert_header(&self, changes: Value, expected: InvalidReason) {
        let header = merged(self.header.clone(), changes);
        self.assert_only_the_library_takes(&header, &self.claims, expected.into());
    }

    #[track_caller]
    fn assert_claims(&self, changes: Value, expected: impl Into<TokenError>) {
        let claims = merged(self.claims.clone(), changes);
        self.assert_only_the_library_takes(&self.header, &claims, expected.into());
    }

    #[track_caller]
    fn assert_missing(&self, name: &str) {
        let claims = without(self.claims.clone(), name);
        self.assert_only_the_library_takes(&self.header, &claims, InvalidReason::Claims.into());
    }
}

#[test]
fn a_token_of_today_passes_both() {
    let today = Today::new();
    let token = forge(&today.house.access_secret, today.header.to_string(), today.claims.to_string());
    assert!(today.verifier.verify(&token).is_ok());
}

#[test]
fn its_leeway_of_a_minute_is_not_ours() {
    let today = Today::new();
    today.assert_claims(json!({ "iat": today.now - 900, "exp": today.now - 20 }), TokenError::Expired);
}

#[test]
fn it_lets_a_token_pass_in_the_second_of_its_exp() {
    let house = House::new();
    let ends_now = house.with_claims(json!({ "iat": house.now() - 900, "exp": house.now() }));
    assert_eq!(house.verify(&ends_now), Err(TokenError::Expired));
}

#[test]
fn it_does_not_look_at_nbf() {
    let today = Today::new();
    today.assert_claims(json!({ "nbf": today.now + 3_600 }), InvalidReason::NotYetValid);
}

#[test]
fn it_takes_a_token_without_issuer() {
    Today::new().assert_missing("iss");
}

#[test]
fn it_takes_a_token_without_audience() {
    Today::new().assert_missing("aud");
}

#[test]
fn it_takes_a_token_without_subject() {
    Today::new().assert_missing("sub");
}

#[test]
fn it_takes_an_audience_that_is_no_list() {
    Today::new().assert_claims(json!({ "aud": SERVICE }), InvalidReason::Claims);
}

#[test]
fn it_takes_a_token_from_the_future() {
    let today = Today::new();
    today
        .assert_claims(json!({ "iat": today.now + 3_600, "exp": today.now + 4_500 }), InvalidReason::IssuedInTheFuture);
}

#[test]
fn it_takes_any_type() {
    let today = Today::new();
    today.assert_header(json!({ "typ": "rt+jwt" }), InvalidReason::TokenType);
    today.assert_header(json!({ "typ": "JWT" }), InvalidReason::TokenType);
    today.assert_header(json!({ "typ": null }), InvalidReason::Header);
}

#[test]
fn it_takes_what_it_must_understand_and_does_not() {
    Today::new().assert_header(json!({ "crit": ["exp"] }), InvalidReason::Header);
}

#[test]
fn it_takes_a_payload_that_says_it_is_not_encoded() {
    Today::new().assert_header(json!({ "b64": false }), InvalidReason::Header);
}

#[test]
fn it_takes_any_key_id() {
    let today = Today::new();
    today.assert_header(json!({ "kid": "unknown" }), InvalidReason::UnknownKey);
    today.assert_header(json!({ "kid": null }), InvalidReason::Header);
}

#[test]
fn it_takes_a_key_that_the_token_brings() {
    Today::new().assert_header(json!({ "jku": "https://attacker.example/keys" }), InvalidReason::Header);
}

#[test]
fn it_takes_a_life_of_a_hundred_years() {
    let today = Today::new();
    today.assert_claims(json!({ "exp": today.now + 3_153_600_000_i64 }), InvalidReason::Lifetime);
}

#[test]
fn it_takes_a_time_that_is_no_integer() {
    let today = Today::new();
    today.assert_claims(json!({ "exp": f64::from(u32::MAX) + 0.5 }), InvalidReason::Claims);
}

#[test]
fn it_takes_a_token_of_any_size() {
    Today::new().assert_claims(json!({ "unknown": "x".repeat(100_000) }), InvalidReason::TooLarge);
}
