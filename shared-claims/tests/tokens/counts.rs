//! What is counted of verifications: by the key that signed and by how it ended, through every change of secrets.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::json;
use shared_claims::{KeyHandle, KeyRing, RefreshVerifier, generate_secret};

use crate::support::{House, ISSUER, forge, key_handle, verifier};

fn kid(secret: &SecretString) -> String {
    KeyRing::new(secret, &[]).unwrap().signing_kid().to_owned()
}

/// The count of every key and outcome, in their order.
fn counts(keys: &KeyHandle) -> Vec<(String, &'static str, u64)> {
    let ring = keys.load();
    ring.verifications().map(|counted| (counted.kid.to_owned(), counted.outcome, counted.count)).collect()
}

/// The counts of a ring with one key.
fn counts_of_one(secret: &SecretString, [accepted, expired, refused, unknown]: [u64; 4]) -> Vec<(String, &str, u64)> {
    vec![
        (kid(secret), "accepted", accepted),
        (kid(secret), "expired", expired),
        (kid(secret), "refused", refused),
        ("unknown".to_owned(), "refused", unknown),
    ]
}

#[test]
fn a_verification_is_counted_with_the_key_that_signed_and_with_how_it_ended() {
    let house = House::new();
    let keys = key_handle(&house.access_secret);
    let verifier = verifier(keys.clone(), Duration::ZERO, Arc::new(house.clock.clone()));
    assert_eq!(counts(&keys), counts_of_one(&house.access_secret, [0, 0, 0, 0]));
    let token = house.access_token();
    for token in [&token, &token, &house.without_claim("sid")] {
        drop(verifier.verify(token));
    }
    house.clock.advance(TimeDelta::minutes(15));
    drop(verifier.verify(&token));
    assert_eq!(counts(&keys), counts_of_one(&house.access_secret, [2, 1, 1, 0]));
}

#[test]
fn a_token_that_no_key_has_signed_counts_for_none_whatever_it_names() {
    let house = House::new();
    let keys = key_handle(&house.access_secret);
    let verifier = verifier(keys.clone(), Duration::ZERO, Arc::new(house.clock.clone()));
    let (header, claims) = house.access_parts();
    let of_another = forge(&generate_secret(), header.to_string(), claims.to_string());
    let of_a_key_that_is_made_up = house.with_header(json!({ "kid": "0123456789abcdef" }));
    for token in ["", "a.b.c", &of_another, &of_a_key_that_is_made_up, &house.refresh_token()] {
        assert!(verifier.verify(token).is_err(), "{token}");
    }
    assert_eq!(counts(&keys), counts_of_one(&house.access_secret, [0, 0, 0, 5]));
}

#[test]
fn each_look_at_a_refresh_token_counts_once() {
    let house = House::new();
    let keys = key_handle(&house.refresh_secret);
    let clock = Arc::new(house.clock.clone());
    let verifier = RefreshVerifier::new(keys.clone(), ISSUER.to_owned(), Duration::ZERO, clock).unwrap();
    let token = house.refresh_token();
    assert!(verifier.verify(&token).is_ok());
    house.clock.advance(TimeDelta::days(31));
    assert!(verifier.verify(&token).is_err());
    assert!(verifier.recognise(&token).is_ok_and(|claims| verifier.has_expired(&claims)));
    assert_eq!(counts(&keys), counts_of_one(&house.refresh_secret, [1, 2, 0, 0]));
}

#[test]
fn counts_of_keys_that_stay_go_on_when_the_secrets_are_replaced() {
    let house = House::new();
    let (old, new) = (&house.access_secret, generate_secret());
    let keys = key_handle(old);
    let verifier = verifier(keys.clone(), Duration::ZERO, Arc::new(house.clock.clone()));
    let token = house.access_token();
    assert!(verifier.verify(&token).is_ok() && verifier.verify("x").is_err());
    keys.replace(KeyRing::new(&new, std::slice::from_ref(old)).unwrap());
    assert!(verifier.verify(&token).is_ok() && verifier.verify("x").is_err());
    let accepted =
        |keys: &KeyHandle| counts(keys).into_iter().filter(|count| count.1 == "accepted").collect::<Vec<_>>();
    assert_eq!(accepted(&keys), [(kid(&new), "accepted", 0), (kid(old), "accepted", 2)]);
    assert_eq!(counts(&keys).last(), Some(&("unknown".to_owned(), "refused", 2)));

    // One that is taken out takes its counts along.
    keys.replace(KeyRing::new(&new, &[]).unwrap());
    assert_eq!(counts(&keys), counts_of_one(&new, [0, 0, 0, 2]));
}
