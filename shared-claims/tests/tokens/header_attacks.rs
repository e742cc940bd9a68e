//! Attacks by the header and the signature of access tokens. Each has the reason that it is refused for, and after each
//! one a good token still passes; forged claims and malformed texts are the sibling files'.

use jsonwebtoken::Algorithm;
use serde_json::json;
use shared_claims::{InvalidReason, generate_secret};

use crate::support::{House, assert_refused, encode, forge, merged, sign_segments, spellings};

#[test]
fn every_spelling_of_no_algorithm_is_refused() {
    let house = House::new();
    for none in spellings("none").into_iter().chain([String::new(), " none".into(), "none\0".into(), "nil".into()]) {
        let signed = house.with_header(json!({ "alg": none }));
        let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
        assert_refused(&house, &signed, InvalidReason::Algorithm, &format!("{none:?}, signed"));
        assert_refused(&house, &unsigned, InvalidReason::Algorithm, &format!("{none:?}, unsigned"));
    }
}

#[test]
fn another_algorithm_with_the_same_key_is_refused() {
    let house = House::new();
    for (name, algorithm) in [("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)] {
        let (header, claims) = house.access_parts();
        let honest =
            format!("{}.{}", encode(merged(header, json!({ "alg": name })).to_string()), encode(claims.to_string()));
        assert_refused(
            &house,
            &sign_segments(&house.access_secret, algorithm, &honest),
            InvalidReason::Algorithm,
            name,
        );

        let (header, claims) = house.access_parts();
        let disguised = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let token = sign_segments(&house.access_secret, algorithm, &disguised);
        assert_refused(&house, &token, InvalidReason::Signature, &format!("{name} said to be HS256"));
    }
    for name in ["HS384", "HS512", "hs256", "Hs256", "HS256 ", "RS256", "PS256", "ES256", "EdDSA", "A256KW"] {
        assert_refused(&house, &house.with_header(json!({ "alg": name })), InvalidReason::Algorithm, name);
    }
    for odd in [json!(null), json!(256), json!(["HS256"]), json!({ "HS256": true }), json!(true)] {
        let token = house.with_header(json!({ "alg": odd }));
        assert_refused(&house, &token, InvalidReason::Header, &format!("alg {odd}"));
    }
}

#[test]
fn a_signature_that_is_not_the_right_one_is_refused() {
    let house = House::new();
    let good = house.access_token();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let another = house.access_token();
    let foreign = forge(&generate_secret(), house.access_parts().0.to_string(), house.access_parts().1.to_string());
    let (last, first) = (signature.len() - 1, &signature[1..]);
    let flipped = if signature.starts_with('A') { 'B' } else { 'A' };
    for (attack, token) in [
        ("empty", format!("{signed}.")),
        ("cut by one", format!("{signed}.{}", &signature[..last])),
        ("cut to half", format!("{signed}.{}", &signature[..22])),
        ("longer", format!("{good}AA")),
        ("flipped", format!("{signed}.{flipped}{first}")),
        ("all zero", format!("{signed}.{}", encode([0; 32]))),
        ("another token's", format!("{signed}.{}", another.rsplit_once('.').unwrap().1)),
        ("another key's", foreign),
        ("twice", format!("{signed}.{signature}{signature}")),
    ] {
        assert_refused(&house, &token, InvalidReason::Signature, attack);
    }
}

#[test]
fn a_payload_or_header_of_another_token_is_refused() {
    let house = House::new();
    let (good, raised) = (house.access_token(), house.with_claims(json!({ "aud": ["admin-service"] })));
    let (good, raised): (Vec<_>, Vec<_>) = (good.split('.').collect(), raised.split('.').collect());
    let token = format!("{}.{}.{}", good[0], raised[1], good[2]);
    assert_refused(&house, &token, InvalidReason::Signature, "another payload");
}

#[test]
fn a_key_id_of_every_odd_kind_is_refused() {
    let house = House::new();
    let (header, claims) = house.access_parts();
    let kid = header["kid"].as_str().unwrap().to_owned();
    let refresh_kid = house.refresh_parts().0["kid"].clone();
    for odd in [json!(null), json!(0), json!(1.5), json!(true), json!([kid]), json!({ "kid": kid })] {
        let token = house.with_header(json!({ "kid": odd }));
        assert_refused(&house, &token, InvalidReason::Header, &format!("kid {odd}"));
    }
    let long = kid.repeat(200);
    let swapped: String = kid.chars().rev().collect();
    let (spaced, ended) = (format!("{kid} "), format!("{kid}\0"));
    let names = [
        "",
        "unknown",
        "../../dev/null",
        "/dev/null",
        "' OR 1=1 --",
        "*",
        &kid[..15],
        &long,
        &swapped,
        &spaced,
        &ended,
    ];
    for unknown in names.map(|name| json!(name)).into_iter().chain([refresh_kid]) {
        let token = house.with_header(json!({ "kid": unknown }));
        assert_refused(&house, &token, InvalidReason::UnknownKey, &format!("kid {unknown}"));
    }
    let nameless = house.forge(json!({ "alg": "HS256", "typ": "at+jwt" }).to_string(), claims.to_string());
    assert_refused(&house, &nameless, InvalidReason::Header, "no kid");
}

#[test]
fn a_header_with_any_other_member_is_refused() {
    let house = House::new();
    let key = json!({ "kty": "oct", "k": encode([1; 32]) });
    for members in [
        json!({ "crit": [] }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": null }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "b64": false }),
        json!({ "b64": true }),
        json!({ "jwk": key }),
        json!({ "jku": "https://attacker.example/keys" }),
        json!({ "x5u": "https://attacker.example/cert" }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "x5t": "AAAA" }),
        json!({ "x5t#S256": "AAAA" }),
        json!({ "cty": "JWT" }),
        json!({ "zip": "DEF" }),
        json!({ "enc": "A128GCM" }),
        json!({ "unknown": 1 }),
    ] {
        assert_refused(&house, &house.with_header(members.clone()), InvalidReason::Header, &members.to_string());
    }
}

#[test]
fn another_type_is_refused() {
    let house = House::new();
    for name in ["JWT", "rt+jwt", "AT+JWT", "at+JWT", "application/at+jwt", "at+jwt ", "jwt", ""] {
        assert_refused(&house, &house.with_header(json!({ "typ": name })), InvalidReason::TokenType, name);
    }
    for odd in [json!(null), json!(1), json!(["at+jwt"])] {
        assert_refused(&house, &house.with_header(json!({ "typ": odd })), InvalidReason::Header, &format!("typ {odd}"));
    }
    let (header, claims) = house.access_parts();
    let untyped = house.forge(json!({ "alg": "HS256", "kid": header["kid"] }).to_string(), claims.to_string());
    assert_refused(&house, &untyped, InvalidReason::Header, "no typ");
}

#[test]
fn a_refresh_token_is_no_access_token() {
    let house = House::new();
    assert_refused(&house, &house.refresh_token(), InvalidReason::TokenType, "as it is");

    let (refresh_header, refresh_claims) = house.refresh_parts();
    let retyped = merged(refresh_header, json!({ "typ": "at+jwt" })).to_string();
    let token = forge(&house.refresh_secret, retyped, refresh_claims.to_string());
    assert_refused(&house, &token, InvalidReason::UnknownKey, "with another typ");

    let token = house.forge(house.access_parts().0.to_string(), refresh_claims.to_string());
    assert_refused(&house, &token, InvalidReason::Claims, "its claims under the access key");
}
