//! When a token is good: from `iat` and `nbf` to `exp`, to the second, and how far two clocks may differ.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use rstest::rstest;
use serde_json::json;
use shared_claims::{InvalidReason, RefreshVerifier, SettingsError, TokenError, Verifier, VerifierSettings};

use crate::support::{House, ISSUER, SERVICE, key_handle, verifier};

const EXPIRED: Result<(), TokenError> = Err(TokenError::Expired);

fn invalid(reason: InvalidReason) -> Result<(), TokenError> {
    Err(TokenError::Invalid(reason))
}

fn outcome(house: &House, token: &str) -> Result<(), TokenError> {
    house.verify(token).map(drop)
}

#[test]
fn an_access_token_is_good_until_the_second_of_its_exp() {
    let house = House::new();
    let token = house.access_token();
    let exp = house.verify(&token).unwrap().exp;
    assert_eq!(exp, house.now() + 900);
    let last_moment = DateTime::from_timestamp(exp, 0).unwrap() - TimeDelta::milliseconds(1);
    house.clock.set(last_moment);
    assert_eq!(outcome(&house, &token), Ok(()));
    house.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(outcome(&house, &token), EXPIRED);
    house.clock.advance(TimeDelta::days(3_650));
    assert_eq!(outcome(&house, &token), EXPIRED);
}

#[test]
fn leeway_moves_the_end_and_no_more() {
    let house = House::new();
    let lenient = verifier(key_handle(&house.access_secret), Duration::from_secs(30), Arc::new(house.clock.clone()));
    let token = house.access_token();
    house.clock.advance(TimeDelta::seconds(929));
    assert!(lenient.verify(&token).is_ok());
    assert_eq!(outcome(&house, &token), EXPIRED);
    house.clock.advance(TimeDelta::seconds(1));
    assert_eq!(lenient.verify(&token), Err(TokenError::Expired));
}

#[test]
fn a_leeway_of_more_than_a_minute_is_refused() {
    let house = House::new();
    let keys = key_handle(&house.access_secret);
    let clock = Arc::new(house.clock.clone());
    let access = |leeway| {
        let settings = VerifierSettings { issuer: ISSUER.to_owned(), audience: SERVICE.to_owned(), leeway };
        Verifier::new(keys.clone(), settings, clock.clone()).map(drop)
    };
    let refresh = |leeway| RefreshVerifier::new(keys.clone(), ISSUER.to_owned(), leeway, clock.clone()).map(drop);
    let (longest, too_long) = (Duration::from_mins(1), Duration::from_millis(60_001));
    assert_eq!((access(longest), refresh(longest)), (Ok(()), Ok(())));
    assert_eq!(access(too_long), Err(SettingsError::LeewayTooLong));
    assert_eq!(refresh(too_long), Err(SettingsError::LeewayTooLong));
}

#[rstest]
#[case::of_a_day(0, 86_400, Ok(()))]
#[case::of_more_than_a_day(0, 86_401, invalid(InvalidReason::Lifetime))]
#[case::of_a_second(0, 1, Ok(()))]
#[case::of_no_time(5, 5, invalid(InvalidReason::Lifetime))]
#[case::that_ends_before_it_begins(5, 4, invalid(InvalidReason::Lifetime))]
#[case::that_ended_now(-900, 0, EXPIRED)]
#[case::that_ended(-900, -1, EXPIRED)]
#[case::a_minute_ahead(60, 960, Ok(()))]
#[case::more_than_a_minute_ahead(61, 961, invalid(InvalidReason::IssuedInTheFuture))]
fn a_life(#[case] iat: i64, #[case] exp: i64, #[case] expected: Result<(), TokenError>) {
    let house = House::new();
    let token = house.with_claims(json!({ "iat": house.now() + iat, "exp": house.now() + exp }));
    assert_eq!(outcome(&house, &token), expected);
    assert_eq!(outcome(&house, &house.access_token()), Ok(()));
}

#[rstest]
#[case::the_end_of_time(json!({ "exp": i64::MAX }), InvalidReason::Lifetime)]
#[case::the_beginning_of_time(json!({ "exp": i64::MIN }), InvalidReason::Lifetime)]
#[case::a_life_that_overflows(json!({ "iat": i64::MIN, "exp": i64::MAX }), InvalidReason::Lifetime)]
#[case::an_end_at_the_beginning_of_time(json!({ "iat": i64::MAX, "exp": i64::MIN }), InvalidReason::Lifetime)]
#[case::an_iat_of_long_ago(json!({ "iat": 0 }), InvalidReason::Lifetime)]
#[case::the_last_second(json!({ "iat": i64::MAX - 1, "exp": i64::MAX }), InvalidReason::IssuedInTheFuture)]
#[case::more_than_64_bits(json!({ "exp": u64::MAX }), InvalidReason::Claims)]
#[case::a_float(json!({ "exp": 1_795_435_200.5 }), InvalidReason::Claims)]
#[case::a_huge_float(json!({ "exp": 1e300 }), InvalidReason::Claims)]
#[case::text(json!({ "exp": "9999999999" }), InvalidReason::Claims)]
#[case::nothing(json!({ "exp": null }), InvalidReason::Claims)]
fn an_odd_time_is_refused(#[case] claims: serde_json::Value, #[case] reason: InvalidReason) {
    let house = House::new();
    assert_eq!(outcome(&house, &house.with_claims(claims)), invalid(reason));
    assert_eq!(outcome(&house, &house.access_token()), Ok(()));
}

#[rstest]
#[case::exponent("1e9")]
#[case::exponent_out_of_range("1e999")]
#[case::many_digits("99999999999999999999999999")]
#[case::point("1795435200.0")]
#[case::leading_zero("01795435200")]
#[case::sign("+1795435200")]
#[case::hexadecimal("0x6B000000")]
#[case::infinity("Infinity")]
#[case::not_a_number("NaN")]
fn a_time_that_is_no_plain_integer_is_refused(#[case] text: &str) {
    let house = House::new();
    let (header, claims) = house.access_parts();
    let exp = format!(r#""exp":{}"#, claims["exp"]);
    let payload = claims.to_string().replace(&exp, &format!(r#""exp":{text}"#));
    assert!(payload.contains(text));
    let token = house.forge(header.to_string(), payload);
    assert_eq!(outcome(&house, &token), invalid(InvalidReason::Claims));
}

#[test]
fn not_before_is_honoured_to_the_second() {
    let house = House::new();
    let now = house.now();
    #[allow(clippy::cast_precision_loss, reason = "a time of this century")]
    let fraction = now as f64;
    for past in [json!(now), json!(now - 1), json!(0), json!(-5), json!(fraction - 0.5)] {
        assert_eq!(outcome(&house, &house.with_claims(json!({ "nbf": past }))), Ok(()), "nbf {past}");
    }
    for ahead in [json!(now + 1), json!(i64::MAX), json!(u64::MAX), json!(1e300), json!(fraction + 0.5)] {
        let token = house.with_claims(json!({ "nbf": ahead }));
        assert_eq!(outcome(&house, &token), invalid(InvalidReason::NotYetValid), "nbf {ahead}");
    }
    for odd in [json!(null), json!("0"), json!(""), json!(true), json!([0]), json!({})] {
        let token = house.with_claims(json!({ "nbf": odd }));
        assert_eq!(outcome(&house, &token), invalid(InvalidReason::Claims), "nbf {odd}");
    }
    for text in [r#""nbf":1e400"#, r#""\u006ebf":null"#] {
        assert_eq!(outcome(&house, &house.with_claims_text(text)), invalid(InvalidReason::Claims), "{text}");
    }
}

#[test]
fn expired_is_said_only_where_all_else_holds() {
    let house = House::new();
    let past = json!({ "iat": house.now() - 900, "exp": house.now() - 1 });
    let with = |change: serde_json::Value| house.with_claims(crate::support::merged(past.clone(), change));
    assert_eq!(outcome(&house, &with(json!({}))), EXPIRED);
    for (change, reason) in [
        (json!({ "iss": "other" }), InvalidReason::Issuer),
        (json!({ "aud": ["other"] }), InvalidReason::Audience),
        (json!({ "sub": house.session_id }), InvalidReason::Subject),
        (json!({ "jti": "" }), InvalidReason::Claims),
        (json!({ "nbf": house.now() + 1 }), InvalidReason::NotYetValid),
    ] {
        assert_eq!(outcome(&house, &with(change.clone())), invalid(reason), "{change}");
    }
    let expired = with(json!({}));
    let unsigned = &expired[..expired.len() - 2];
    assert_eq!(outcome(&house, unsigned), invalid(InvalidReason::Signature));
}
