//! Attacks by texts that are no token: other segments, other base64, other JSON, too deep, too large.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use shared_claims::InvalidReason;

use crate::support::{House, assert_refused, encode, merged, nested, sign_segments, with_text};

#[test]
fn a_text_that_is_not_three_segments_of_base64url_is_refused() {
    let house = House::new();
    let good = house.access_token();
    let segments: Vec<_> = good.split('.').collect();
    let (header, payload, signature) = (segments[0], segments[1], segments[2]);
    for (attack, token) in [
        ("nothing", String::new()),
        ("no dot", header.to_owned()),
        ("two segments", format!("{header}.{payload}")),
        ("a fourth segment", format!("{good}.{payload}")),
        ("a fourth segment, empty", format!("{good}.")),
        ("five segments, as an encrypted token has", format!("{good}.AAAA.AAAA")),
        ("a dot before", format!(".{good}")),
        ("a space before", format!(" {good}")),
        ("a padded header", format!("{header}=.{payload}.{signature}")),
        ("a space within", format!("{header} .{payload}.{signature}")),
        ("a line end within", format!("{header}\r\n.{payload}.{signature}")),
        ("the scheme still on it", format!("Bearer {good}")),
        ("a letter of no alphabet", format!("\u{e9}{good}")),
        ("a NUL", format!("\0{good}")),
        (
            "the JSON serialization",
            json!({ "payload": payload, "protected": header, "signature": signature }).to_string(),
        ),
    ] {
        assert_refused(&house, &token, InvalidReason::Malformed, attack);
    }
    for (attack, token) in [("empty segments", "..".to_owned()), ("an empty header", format!(".{payload}.{signature}"))]
    {
        assert_refused(&house, &token, InvalidReason::Header, attack);
    }
    for (attack, token) in [
        ("an empty payload", format!("{header}..{signature}")),
        ("a padded signature", format!("{good}=")),
        ("a padded payload", format!("{header}.{payload}=.{signature}")),
        ("a space after", format!("{good} ")),
        ("a line end after", format!("{good}\n")),
        ("a percent escape", format!("{good}%00")),
    ] {
        assert_refused(&house, &token, InvalidReason::Signature, attack);
    }
}

/// Even whoever signs them has only one way to spell a payload.
#[test]
fn another_spelling_of_base64_is_refused_under_a_right_signature() {
    let house = House::new();
    let (header, claims) = house.access_parts();
    let header = encode(header.to_string());
    // A length that leaves unused bits in the last letter, and bytes that need the two letters in which the alphabets differ.
    let mut claims = merged(claims, json!({ "unknown": "\u{ffff}\u{ffff}>>>???" })).to_string();
    while claims.len() % 3 != 1 {
        claims.push(' ');
    }
    let one_spelling = encode(&claims);
    assert!(one_spelling.contains(['-', '_']), "the bytes need a letter that differs");
    let sign = |payload: &str| sign_segments(&house.access_secret, Algorithm::HS256, &format!("{header}.{payload}"));
    assert!(house.verify(&sign(&one_spelling)).is_ok());

    let mut trailing_bits = one_spelling.clone();
    assert!(matches!(trailing_bits.pop(), Some('A' | 'Q' | 'g' | 'w')));
    trailing_bits.push('B');
    for (attack, payload) in [
        ("padded", URL_SAFE.encode(&claims)),
        ("the other alphabet", STANDARD_NO_PAD.encode(&claims)),
        ("trailing bits", trailing_bits),
        ("a line end", format!("{one_spelling}\n")),
    ] {
        assert_refused(&house, &sign(&payload), InvalidReason::Malformed, attack);
    }
}

#[test]
fn a_signature_has_one_spelling() {
    let house = House::new();
    let mut token = house.access_token();
    // 32 bytes leave two unused bits in the last letter: the next letter of the alphabet differs in them alone.
    let last = token.pop().unwrap();
    let index = spelling_order().find(last).unwrap();
    token.push_str(&spelling_order()[index + 1..index + 2]);
    assert_refused(&house, &token, InvalidReason::Signature, "trailing bits");
}

fn spelling_order() -> &'static str {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
}

#[test]
fn a_header_that_is_not_an_object_of_its_three_members_is_refused() {
    let house = House::new();
    let (header, claims) = house.access_parts();
    let text = header.to_string();
    let array = json!([header["alg"], header["typ"], header["kid"]]).to_string();
    for odd in [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        "\"HS256\"".to_owned(),
        array,
        format!("{text}{text}"),
        format!("{text}x"),
        format!("\u{feff}{text}"),
        format!("[{text}]"),
        text.replace('"', "'"),
        text.replace('}', ",}"),
        nested(800),
    ] {
        let token = house.forge(&odd, claims.to_string());
        assert_refused(&house, &token, InvalidReason::Header, odd.get(..40).unwrap_or(&odd));
    }
}

#[test]
fn a_payload_that_is_not_one_json_object_is_refused() {
    let house = House::new();
    let (header, claims) = house.access_parts();
    let text = claims.to_string();
    let values: Vec<&Value> =
        ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "user"].iter().map(|name| &claims[name]).collect();
    let mut latin_1 = text.replace("ada@", "\u{1}@").into_bytes();
    latin_1.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xe9);
    for odd in [
        Vec::new(),
        b"null".to_vec(),
        b"{}".to_vec(),
        b"FAIL".to_vec(),
        json!(values).to_string().into_bytes(),
        json!([claims]).to_string().into_bytes(),
        format!("{text}{text}").into_bytes(),
        format!("{text}\0").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        format!("/**/{text}").into_bytes(),
        text.replace('"', "'").into_bytes(),
        text.replacen(',', ",,", 1).into_bytes(),
        text.as_bytes()[..text.len() - 1].to_vec(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        latin_1,
        with_text(&claims, r#""unknown":"\ud800""#).into_bytes(),
        with_text(&claims, r#""unknown":NaN"#).into_bytes(),
        with_text(&claims, r#""unknown":1e400"#).into_bytes(),
    ] {
        let token = house.forge(header.to_string(), &odd);
        assert_refused(&house, &token, InvalidReason::Claims, &String::from_utf8_lossy(&odd));
    }
}

#[test]
fn deep_nesting_is_refused() {
    let house = House::new();
    let (header, claims) = house.access_parts();
    let deepest = house.with_claims_text(&format!(r#""unknown":{}"#, nested(200_000)));
    assert_refused(&house, &deepest, InvalidReason::TooLarge, "200,000 levels");
    let deep = house.with_claims_text(&format!(r#""unknown":{}"#, nested(900)));
    assert_refused(&house, &deep, InvalidReason::Claims, "900 levels");
    let brackets = house.with_claims_text(&format!(r#""unknown":{}"#, "[".repeat(5_000)));
    assert_refused(&house, &brackets, InvalidReason::Claims, "5,000 open brackets");
    let header = house.forge(with_text(&header, &format!(r#""unknown":{}"#, nested(900))), claims.to_string());
    assert_refused(&house, &header, InvalidReason::Header, "a header of 900 levels");
}

#[test]
fn a_token_of_more_than_eight_kibibytes_is_refused() {
    let house = House::new();
    let padded = |bytes: usize| house.with_claims(json!({ "unknown": "x".repeat(bytes) }));
    let mut fill = 5_000;
    while padded(fill + 1).len() <= 8_192 {
        fill += 1;
    }
    assert!(padded(fill).len() > 8_188, "as large as may be");
    assert!(house.verify(&padded(fill)).is_ok());
    assert_refused(&house, &padded(fill + 1), InvalidReason::TooLarge, "just too large");
    assert_refused(&house, &padded(1_000_000), InvalidReason::TooLarge, "1 MB");
    assert_refused(&house, &"A".repeat(1_000_000), InvalidReason::TooLarge, "1 MB of one letter");
    assert_refused(&house, &".".repeat(8_192), InvalidReason::Malformed, "8 KiB of dots");
}

#[test]
fn a_payload_of_a_thousand_members_is_read() {
    let house = House::new();
    let members: Vec<_> = (0..700).map(|index| format!(r#""{index:x}":0"#)).collect();
    assert!(house.verify(&house.with_claims_text(&members.join(","))).is_ok());
    let twice = house.with_claims_text(&format!(r#"{},"0":1"#, members.join(",")));
    assert_refused(&house, &twice, InvalidReason::DuplicateMember, "the first and the last");
}
