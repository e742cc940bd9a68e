//! The test vectors of RFC 7515 and RFC 7519. None of them is a token of ours, so each one that the standard calls good
//! is good as a signature and still refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};
use shared_claims::{InvalidReason, KeyRing, SecretError, TokenError};

use crate::support::{House, encode};

const A1_KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const A1_HEADER: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
const A1_PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const A1_SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn a1_key() -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(A1_KEY).unwrap()
}

fn json_of(segment: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// RFC 7515 A.1.1
#[test]
fn the_signature_of_the_hs256_example_is_reproduced() {
    let signed = format!("{A1_HEADER}.{A1_PAYLOAD}");
    let signature = crypto::sign(signed.as_bytes(), &EncodingKey::from_secret(&a1_key()), Algorithm::HS256).unwrap();
    assert_eq!(signature, A1_SIGNATURE);
    let key = DecodingKey::from_secret(&a1_key());
    assert!(crypto::verify(A1_SIGNATURE, signed.as_bytes(), &key, Algorithm::HS256).unwrap());
    assert!(!crypto::verify(&encode([0; 32]), signed.as_bytes(), &key, Algorithm::HS256).unwrap());
}

/// RFC 7515 A.1.1: it has no `kid`, and its `typ` is `JWT`.
#[test]
fn the_hs256_example_is_no_access_token() {
    let house = House::new();
    let token = format!("{A1_HEADER}.{A1_PAYLOAD}.{A1_SIGNATURE}");
    assert_eq!(house.verify(&token), Err(InvalidReason::Header.into()));

    let kid = house.access_parts().0["kid"].clone();
    let with_key_id = house.forge(json!({ "typ": "JWT", "alg": "HS256", "kid": kid }).to_string(), "{}");
    assert_eq!(house.verify(&with_key_id), Err(InvalidReason::TokenType.into()));

    let payload = URL_SAFE_NO_PAD.decode(A1_PAYLOAD).unwrap();
    let with_our_header = house.forge(house.access_parts().0.to_string(), payload);
    assert_eq!(house.verify(&with_our_header), Err(InvalidReason::Claims.into()));
}

/// RFC 7515 A.1.1: everybody knows that key.
#[test]
fn the_key_of_the_hs256_example_is_no_secret() {
    assert_eq!(KeyRing::new(&A1_KEY.into(), &[]).unwrap_err(), SecretError::Published);
}

/// RFC 7515 A.5, which is RFC 7519 §6.1
#[test]
fn the_unsecured_example_is_refused() {
    let house = House::new();
    assert_eq!(json_of("eyJhbGciOiJub25lIn0"), json!({ "alg": "none" }));
    let token = format!("eyJhbGciOiJub25lIn0.{A1_PAYLOAD}.");
    assert_eq!(house.verify(&token), Err(InvalidReason::Header.into()));

    let (header, claims) = house.access_parts();
    let unsecured = json!({ "alg": "none", "typ": header["typ"], "kid": header["kid"] });
    let token = format!("{}.{}.", encode(unsecured.to_string()), encode(claims.to_string()));
    assert_eq!(house.verify(&token), Err(InvalidReason::Algorithm.into()));
}

/// RFC 7515 appendix E
#[test]
fn the_negative_example_for_crit_is_refused() {
    let header = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0";
    let undefined = "http://example.com/UNDEFINED";
    assert_eq!(json_of(header), json!({ "alg": "none", "crit": [undefined], (undefined): true }));
    let house = House::new();
    assert_eq!(house.verify(&format!("{header}.RkFJTA.")), Err(InvalidReason::Header.into()));

    let signed = house.with_header(json!({ "crit": [undefined], (undefined): true }));
    assert_eq!(house.verify(&signed), Err(InvalidReason::Header.into()));
}

/// RFC 7519 §3.1: white space and line ends between members are part of JSON, and unknown claims are no fault.
#[test]
fn the_example_of_a_claims_set_reads_as_the_standard_says() {
    assert_eq!(json_of(A1_HEADER), json!({ "typ": "JWT", "alg": "HS256" }));
    let claims = json!({ "iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true });
    assert_eq!(json_of(A1_PAYLOAD), claims);

    let house = House::new();
    let (header, claims) = house.access_parts();
    let spaced = |json: &Value| json.to_string().replace(',', ",\r\n ");
    let claims = crate::support::merged(claims, json!({ "http://example.com/is_root": true }));
    assert!(house.verify(&house.forge(spaced(&header), spaced(&claims))).is_ok());
}

/// RFC 7519 §3.1: its `exp` of 2011 does not make a bad token an expired one.
#[test]
fn the_example_of_a_token_is_refused_as_invalid_and_not_as_expired() {
    let house = House::new();
    let token = format!("{A1_HEADER}.{A1_PAYLOAD}.{A1_SIGNATURE}");
    assert!(matches!(house.verify(&token), Err(TokenError::Invalid(_))));
}
