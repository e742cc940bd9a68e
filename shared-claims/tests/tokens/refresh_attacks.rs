//! The verifier of refresh tokens: what it shares with the other one is proved there, what differs is proved here.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared_claims::{InvalidReason, RefreshVerifier, TokenError};

use crate::support::{House, ISSUER, encode, forge, key_handle, merged, with_text, without};

fn with_claims(house: &House, changes: Value) -> String {
    let (header, claims) = house.refresh_parts();
    forge(&house.refresh_secret, header.to_string(), merged(claims, changes).to_string())
}

/// Both ways to read a refresh token refuse it, for the same reason.
#[track_caller]
fn assert_refused(house: &House, token: &str, reason: InvalidReason, attack: &str) {
    let expected = Err(TokenError::Invalid(reason));
    assert_eq!(house.refresh_verifier.verify(token), expected, "{attack}");
    assert_eq!(house.refresh_verifier.recognise(token), expected, "{attack}");
    assert!(house.refresh_verifier.verify(&house.refresh_token()).is_ok(), "a good token after: {attack}");
}

#[test]
fn an_access_token_is_no_refresh_token() {
    let house = House::new();
    assert_refused(&house, &house.access_token(), InvalidReason::TokenType, "as it is");
    let (header, claims) = house.access_parts();
    let retyped = merged(header, json!({ "typ": "rt+jwt" })).to_string();
    assert_refused(&house, &house.forge(retyped, claims.to_string()), InvalidReason::UnknownKey, "with another typ");
    let token = forge(&house.refresh_secret, house.refresh_parts().0.to_string(), claims.to_string());
    assert_refused(&house, &token, InvalidReason::Claims, "its claims under the refresh key");
}

#[test]
fn a_forged_header_or_signature_is_refused() {
    let house = House::new();
    let (header, claims) = house.refresh_parts();
    let token = house.refresh_token();
    let changed =
        |changes| forge(&house.refresh_secret, merged(header.clone(), changes).to_string(), claims.to_string());
    assert_refused(&house, &changed(json!({ "alg": "none" })), InvalidReason::Algorithm, "none");
    assert_refused(&house, &changed(json!({ "typ": "JWT" })), InvalidReason::TokenType, "typ");
    assert_refused(&house, &changed(json!({ "kid": "x" })), InvalidReason::UnknownKey, "kid");
    assert_refused(&house, &changed(json!({ "crit": ["exp"] })), InvalidReason::Header, "crit");
    assert_refused(&house, &token[..token.len() - 1], InvalidReason::Signature, "a cut signature");
    assert_refused(&house, &"A".repeat(10_000), InvalidReason::TooLarge, "size");
    assert_refused(&house, "", InvalidReason::Malformed, "nothing");
}

#[test]
fn a_refresh_token_for_others_or_from_others_is_refused() {
    let house = House::new();
    assert_refused(&house, &with_claims(&house, json!({ "iss": "other" })), InvalidReason::Issuer, "iss");
    assert_refused(&house, &with_claims(&house, json!({ "aud": ["jobs-service"] })), InvalidReason::Audience, "aud");
    assert_refused(
        &house,
        &with_claims(&house, json!({ "aud": "auth-service" })),
        InvalidReason::Claims,
        "aud as text",
    );
}

#[test]
fn a_refresh_claim_that_is_missing_or_odd_is_refused() {
    let house = House::new();
    let (header, claims) = house.refresh_parts();
    for name in ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "gen"] {
        let payload = without(claims.clone(), name).to_string();
        let token = forge(&house.refresh_secret, header.to_string(), payload);
        assert_refused(&house, &token, InvalidReason::Claims, &format!("no {name}"));
    }
    for odd in [json!(-1), json!(7.0), json!("7"), json!(null), json!(1e300)] {
        assert_refused(
            &house,
            &with_claims(&house, json!({ "gen": odd })),
            InvalidReason::Claims,
            &format!("gen {odd}"),
        );
    }
    let twice = forge(&house.refresh_secret, header.to_string(), with_text(&claims, r#""gen":8"#));
    assert_refused(&house, &twice, InvalidReason::DuplicateMember, "gen twice");
    assert_refused(&house, &with_claims(&house, json!({ "nbf": house.now() + 1 })), InvalidReason::NotYetValid, "nbf");
    assert_refused(&house, &with_claims(&house, json!({ "nbf": null })), InvalidReason::Claims, "nbf null");
}

#[test]
fn a_token_id_that_is_not_of_its_form_is_refused() {
    let house = House::new();
    let random = encode([7; 16]);
    let jti = |text: String| with_claims(&house, json!({ "jti": text }));
    assert!(house.refresh_verifier.verify(&jti(format!("{random}.7"))).is_ok());
    for text in [
        String::new(),
        random.clone(),
        format!("{random}."),
        ".7".to_owned(),
        format!("{random}.8"),
        format!("{random}.07"),
        format!("{random}.+7"),
        format!("{random}.7 "),
        format!("{random}.7.7"),
        format!("{random}==.7"),
        format!("{}.7", encode([7; 15])),
        format!("{}.7", encode([7; 17])),
        format!("{}_.7", &random[..21]), // the last letter's unused bits set
        format!("{}.7", random.replace('B', "+")),
    ] {
        assert_refused(&house, &jti(text.clone()), InvalidReason::Claims, &text);
    }
}

#[test]
fn a_refresh_token_lives_as_long_as_it_was_given() {
    let house = House::new();
    let token = with_claims(&house, json!({ "exp": house.now() + 10_000 * 86_400 }));
    assert!(house.refresh_verifier.verify(&token).is_ok());
    for (iat, exp) in [(5, 5), (6, 5), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN)] {
        let token = with_claims(&house, json!({ "iat": iat, "exp": exp }));
        assert_refused(&house, &token, InvalidReason::Lifetime, &format!("from {iat} to {exp}"));
    }
}

#[test]
fn a_refresh_token_until_the_end_of_time_is_good_with_any_leeway() {
    let house = House::new();
    let (keys, clock) = (key_handle(&house.refresh_secret), Arc::new(house.clock.clone()));
    let lenient = RefreshVerifier::new(keys, ISSUER.to_owned(), Duration::from_mins(1), clock).unwrap();
    assert!(lenient.verify(&with_claims(&house, json!({ "exp": i64::MAX }))).is_ok());
}

#[test]
fn a_rotation_ahead_of_the_clock_is_believed() {
    let house = House::new();
    let token = with_claims(&house, json!({ "iat": house.now() + 3_600 }));
    assert!(house.refresh_verifier.verify(&token).is_ok());
}

#[test]
fn an_expired_refresh_token_is_recognised_but_not_verified() {
    let house = House::new();
    let token = house.refresh_token();
    house.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert!(house.refresh_verifier.verify(&token).is_ok());
    house.clock.advance(TimeDelta::seconds(1));
    assert_eq!(house.refresh_verifier.verify(&token), Err(TokenError::Expired));
    assert_eq!(house.refresh_verifier.recognise(&token).unwrap().sid, house.session_id);
}
