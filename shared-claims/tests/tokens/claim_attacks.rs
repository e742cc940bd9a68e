//! Attacks by the claims of access tokens that are signed as they should be: only whoever holds the secret can make
//! them, and they are refused all the same. Times are `time_bounds`' matter.

use serde_json::json;
use shared_claims::{InvalidReason, random};

use crate::support::{House, assert_refused, values_of_the_wrong_type, with_text};

#[test]
fn a_member_that_comes_twice_is_refused_at_any_depth() {
    let house = House::new();
    let (header, claims) = house.access_parts();
    for members in [r#""alg":"HS256""#, r#""alg":"none""#, r#""typ":"at+jwt""#, r#""kid":"x""#, r#""al\u0067":"none""#]
    {
        let token = house.forge(with_text(&header, members), claims.to_string());
        assert_refused(&house, &token, InvalidReason::Header, &format!("header with {members}"));
    }
    for members in [
        r#""exp":1"#,
        r#""exp":9999999999"#,
        r#""\u0065xp":1"#,
        r#""sub":null"#,
        r#""user":{}"#,
        r#""nbf":1,"nbf":1"#,
        r#""unknown":1,"unknown":2"#,
        r#""unknown":{"a":1,"a":1}"#,
        r#""unknown":[1,{"b":[{"a":1,"c":2,"a":3}]}]"#,
    ] {
        assert_refused(&house, &house.with_claims_text(members), InvalidReason::DuplicateMember, members);
    }
    let doubled = claims.to_string().replace(r#""username":"#, r#""username":"root","username":"#);
    assert_refused(&house, &house.forge(header.to_string(), doubled), InvalidReason::DuplicateMember, "within user");
}

#[test]
fn a_claim_that_is_missing_or_of_another_type_is_refused() {
    let house = House::new();
    for (name, values) in values_of_the_wrong_type() {
        assert_refused(&house, &house.without_claim(name), InvalidReason::Claims, &format!("no {name}"));
        for value in values {
            let token = house.with_claims(json!({ name: value }));
            assert_refused(&house, &token, InvalidReason::Claims, &format!("{name} {value}"));
        }
    }
}

#[test]
fn a_user_that_is_not_complete_is_refused() {
    let house = House::new();
    let (id, email, username) = (json!(house.user.id), json!("ada@example.test"), json!("ada"));
    assert_refused(&house, &house.without_claim("user"), InvalidReason::Claims, "no user");
    for user in [
        json!(null),
        json!("ada"),
        json!({}),
        json!([id, email, username]),
        json!({ "id": id, "email": email }),
        json!({ "id": id, "username": username }),
        json!({ "email": email, "username": username }),
        json!({ "id": "ada", "email": email, "username": username }),
        json!({ "id": id, "email": null, "username": username }),
        json!({ "id": id, "email": email, "username": 1 }),
    ] {
        assert_refused(&house, &house.with_claims(json!({ "user": user })), InvalidReason::Claims, &user.to_string());
    }
}

#[test]
fn a_subject_that_is_not_the_user_is_refused() {
    let house = House::new();
    let token = house.with_claims(json!({ "sub": random::uuid() }));
    assert_refused(&house, &token, InvalidReason::Subject, "another subject");
}

#[test]
fn another_issuer_is_refused() {
    let house = House::new();
    for issuer in ["", "Latchkey", "latchkey ", "latchkey/", "https://latchkey", "latchkey\0"] {
        assert_refused(&house, &house.with_claims(json!({ "iss": issuer })), InvalidReason::Issuer, issuer);
    }
}

#[test]
fn another_audience_is_refused() {
    let house = House::new();
    for audience in [
        json!([]),
        json!([""]),
        json!(["auth-service"]),
        json!(["Jobs-Service"]),
        json!(["jobs-service "]),
        json!(["*"]),
    ] {
        let token = house.with_claims(json!({ "aud": audience }));
        assert_refused(&house, &token, InvalidReason::Audience, &audience.to_string());
    }
}

#[test]
fn unknown_claims_are_ignored() {
    let house = House::new();
    let token = house.with_claims(json!({ "roles": ["admin"], "act": { "sub": "x" }, "gen": "seven", "": null }));
    assert_eq!(house.verify(&token).unwrap().sub, house.user.id);
}
