//! What is in a token, to the member.

use chrono::TimeDelta;
use serde_json::json;
use shared_claims::{RefreshGrant, SessionRandom};

use crate::support::{House, encode, parts};

#[test]
fn an_access_token_has_exactly_the_members_of_the_contract() {
    let house = House::new();
    let (header, mut claims) = parts(&house.access_token());
    let kid = header["kid"].as_str().unwrap();
    assert_eq!(kid.len(), 16);
    assert_eq!(header, json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }));
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().unwrap().len(), 36);
    let expected = json!({
        "iss": "latchkey",
        "aud": ["auth-service", "jobs-service"],
        "sub": house.user.id,
        "iat": house.now(),
        "exp": house.now() + 900,
        "sid": house.session_id,
        "user": { "id": house.user.id, "email": "ada@example.test", "username": "ada" },
    });
    assert_eq!(claims, expected);
}

#[test]
fn a_refresh_token_has_exactly_the_members_of_the_contract() {
    let house = House::new();
    let grant = RefreshGrant { random: SessionRandom([9; 16]), ..house.grant() };
    let (header, claims) = parts(&house.minter.mint_refresh(&grant));
    assert_eq!(header, json!({ "alg": "HS256", "typ": "rt+jwt", "kid": header["kid"] }));
    let expected = json!({
        "iss": "latchkey",
        "aud": ["auth-service"],
        "sub": house.user.id,
        "iat": house.now(),
        "exp": house.now() + 2_592_000,
        "jti": format!("{}.7", encode([9; 16])),
        "sid": house.session_id,
        "gen": 7,
    });
    assert_eq!(claims, expected);
}

#[test]
fn no_two_access_tokens_are_the_same() {
    let house = House::new();
    assert_ne!(house.access_token(), house.access_token());
}

#[test]
fn an_access_token_has_nothing_of_the_session_random_value() {
    let house = House::new();
    let grant = house.grant();
    let access = parts(&house.access_token()).1.to_string();
    assert!(!access.contains(&encode(grant.random.0)));
    assert!(parts(&house.minter.mint_refresh(&grant)).1.to_string().contains(&encode(grant.random.0)));
}

#[test]
fn a_refresh_token_changes_with_each_part_of_its_grant() {
    let house = House::new();
    let grant = house.grant();
    let token = house.minter.mint_refresh(&grant);
    for other in [
        RefreshGrant { user_id: shared_claims::random::uuid(), ..grant },
        RefreshGrant { session_id: shared_claims::random::uuid(), ..grant },
        RefreshGrant { generation: 8, ..grant },
        RefreshGrant { random: SessionRandom::generate(), ..grant },
        RefreshGrant { rotated_at: grant.rotated_at + TimeDelta::seconds(1), ..grant },
    ] {
        assert_ne!(house.minter.mint_refresh(&other), token, "{other:?}");
    }
}

#[test]
fn a_refresh_token_does_not_change_within_the_second_of_its_rotation() {
    let house = House::new();
    let grant = house.grant();
    let later = RefreshGrant { rotated_at: grant.rotated_at + TimeDelta::milliseconds(599), ..grant };
    assert_eq!(house.minter.mint_refresh(&grant), house.minter.mint_refresh(&later));
}

#[test]
fn a_session_random_value_prints_as_nothing_and_is_stored_as_text() {
    let random = SessionRandom([0xfb; 16]);
    assert_eq!(format!("{random:?}"), "SessionRandom(..)");
    let text = serde_json::to_string(&random).unwrap();
    assert_eq!(text, format!("\"{}\"", encode([0xfb; 16])));
    assert_eq!(serde_json::from_str::<SessionRandom>(&text).unwrap(), random);
    for odd in ["\"\"", "\"AAAA\"", "7", "null"] {
        assert!(serde_json::from_str::<SessionRandom>(odd).is_err(), "{odd}");
    }
}

#[test]
fn session_random_values_are_equal_in_all_bytes_or_not_at_all() {
    let value = SessionRandom::generate();
    for index in 0..16 {
        let mut other = value;
        other.0[index] ^= 1;
        assert_ne!(value, other, "byte {index}");
    }
    assert_eq!(value, SessionRandom(value.0));
    assert_ne!(SessionRandom::generate(), SessionRandom::generate());
}
