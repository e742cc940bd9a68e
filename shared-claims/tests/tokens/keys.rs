//! Which secrets are taken, what is shown of them, and how they are rotated with no one logged out.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use shared_claims::{InvalidReason, KeyHandle, KeyRing, SecretError, TokenError, generate_secret};

use crate::support::{House, key_handle, minter, parts, ring, verifier};

#[rstest]
#[case::empty("", SecretError::TooShort)]
#[case::a_byte_short("KtZ3vQ8xWn5RbY2mHs7Lc4PdGf9Tj6E", SecretError::TooShort)]
#[case::of_jwt_io("a-string-secret-at-least-256-bits-long", SecretError::Published)]
#[case::of_rfc_7515(
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    SecretError::Published
)]
#[case::of_our_examples("replace-me-with-what-auth-service-keygen-prints", SecretError::Published)]
#[case::comma("KtZ3vQ8xWn5RbY2mHs7,Lc4PdGf9Tj6EuXaJ", SecretError::ForbiddenCharacter)]
#[case::space("KtZ3vQ8xWn5RbY2mHs7 Lc4PdGf9Tj6EuXaJ", SecretError::ForbiddenCharacter)]
#[case::line_end("KtZ3vQ8xWn5RbY2mHs7Lc4PdGf9Tj6EuXaJ\n", SecretError::ForbiddenCharacter)]
#[case::tab("\tKtZ3vQ8xWn5RbY2mHs7Lc4PdGf9Tj6EuXaJ", SecretError::ForbiddenCharacter)]
#[case::wide_space("KtZ3vQ8xWn5RbY2mHs7\u{3000}Lc4PdGf9Tj6EuXaJ", SecretError::ForbiddenCharacter)]
#[case::nul("KtZ3vQ8xWn5RbY2mHs7Lc4PdGf9Tj6EuXaJ\0", SecretError::ForbiddenCharacter)]
fn a_bad_secret_is_refused_with_a_way_out(#[case] secret: &str, #[case] expected: SecretError) {
    let good = generate_secret();
    for refused in [KeyRing::new(&secret.into(), &[]), KeyRing::new(&good, &[good.clone(), secret.into()])] {
        let error = refused.unwrap_err();
        assert_eq!(error, expected);
        let message = error.to_string();
        assert!(message.contains("auth-service keygen"), "{message}");
        assert!(secret.is_empty() || !message.contains(secret), "{message}");
    }
}

#[test]
fn a_secret_of_32_bytes_is_enough() {
    for secret in ["a".repeat(32), "ä".repeat(16)] {
        assert!(KeyRing::new(&secret.into(), &[]).is_ok());
    }
    assert_eq!(KeyRing::new(&"a".repeat(31).into(), &[]).unwrap_err(), SecretError::TooShort);
}

#[test]
fn a_generated_secret_is_good_and_new() {
    let secret = generate_secret();
    assert_eq!(secret.expose_secret().len(), 43);
    assert!(KeyRing::new(&secret, &[]).is_ok());
    assert_ne!(secret.expose_secret(), generate_secret().expose_secret());
}

/// Instances of different releases have to agree: computed apart, as the first 16 letters of
/// `printf 'latchkey kid v1' | openssl dgst -sha256 -hmac aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa -binary | basenc --base64url`.
#[test]
fn a_key_id_is_the_one_that_every_release_derives() {
    assert_eq!(KeyRing::new(&"a".repeat(32).into(), &[]).unwrap().signing_kid(), "ccflm0Y1bMibxeBu");
}

#[test]
fn a_secret_that_is_given_twice_counts_once() {
    let (one, other) = (generate_secret(), generate_secret());
    let ring = ring(&one, &[&other, &one, &other]);
    assert_eq!(ring.kids().count(), 2);
    assert_eq!(ring.kids().next(), Some(ring.signing_kid()));
}

#[test]
fn a_shared_secret_is_found_in_any_place() {
    let [a, b, c, d] = [0; 4].map(|_| generate_secret());
    assert!(ring(&a, &[&b]).shares_a_secret_with(&ring(&a, &[])));
    assert!(ring(&a, &[&b]).shares_a_secret_with(&ring(&c, &[&b])));
    assert!(ring(&a, &[&b]).shares_a_secret_with(&ring(&c, &[&d, &a])));
    assert!(!ring(&a, &[&b]).shares_a_secret_with(&ring(&c, &[&d])));
}

#[test]
fn nothing_of_a_key_is_printed() {
    let house = House::new();
    let printed = format!("{:?} {:?} {:?}", house.minter, house.verifier, house.refresh_verifier);
    for secret in [&house.access_secret, &house.refresh_secret] {
        assert!(!printed.contains(secret.expose_secret()));
        assert!(!printed.contains(&format!("{:?}", secret.expose_secret().as_bytes())));
        assert!(printed.contains(ring(secret, &[]).signing_kid()), "key ids are no secret: {printed}");
    }
}

#[test]
fn a_secret_is_rotated_with_no_one_logged_out() {
    let house = House::new();
    let (old, new) = (generate_secret(), generate_secret());
    let (service, resource) = (key_handle(&old), key_handle(&old));
    let minter = minter(service.clone(), key_handle(&house.refresh_secret));
    let verifier = verifier(resource.clone(), Duration::ZERO, Arc::new(house.clock.clone()));
    let mint = || minter.mint_access(&house.user, house.session_id, shared_claims::Clock::now(&house.clock));
    let by_the_old = mint();

    // The next one is accepted everywhere before it signs anywhere.
    resource.replace(ring(&old, &[&new]));
    assert!(verifier.verify(&by_the_old).is_ok());
    service.replace(ring(&new, &[&old]));
    let by_the_new = mint();
    assert_ne!(parts(&by_the_old).0["kid"], parts(&by_the_new).0["kid"]);
    assert!(verifier.verify(&by_the_new).is_ok());

    // The previous one is accepted for as long as tokens of it live.
    resource.replace(ring(&new, &[&old]));
    assert!(verifier.verify(&by_the_old).is_ok());
    resource.replace(ring(&new, &[]));
    assert_eq!(verifier.verify(&by_the_old), Err(TokenError::Invalid(InvalidReason::UnknownKey)));
    assert!(verifier.verify(&by_the_new).is_ok());
}

#[test]
fn each_key_verifies_its_own_tokens_alone() {
    let house = House::new();
    let (one, other) = (generate_secret(), generate_secret());
    let both = KeyHandle::new(ring(&one, &[&other]));
    let verifier = verifier(both, Duration::ZERO, Arc::new(house.clock.clone()));
    let (header, claims) = house.access_parts();
    let sign = |kid_of: &SecretString, secret: &SecretString| {
        let kid = ring(kid_of, &[]).signing_kid().to_owned();
        let header = crate::support::merged(header.clone(), serde_json::json!({ "kid": kid }));
        crate::support::forge(secret, header.to_string(), claims.to_string())
    };
    assert!(verifier.verify(&sign(&one, &one)).is_ok());
    assert!(verifier.verify(&sign(&other, &other)).is_ok());
    assert_eq!(verifier.verify(&sign(&one, &other)), Err(InvalidReason::Signature.into()));
}
