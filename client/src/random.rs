//! The client's one room of randomness: idempotency keys, and the chance that spreads out pauses. It has its own, for what it
//! would take from `shared-claims` brings the signing of tokens with it.

use std::fmt::Write;

use secrecy::SecretString;

/// A new idempotency key: 128 random bits as 32 hexadecimal digits.
pub(crate) fn idempotency_key() -> SecretString {
    let key = bytes::<16>().iter().fold(String::with_capacity(32), |mut key, byte| {
        write!(key, "{byte:02x}").expect("a string can be written to");
        key
    });
    key.into()
}

/// Anything from 0 to 1.
pub(crate) fn chance() -> f64 {
    f64::from(u32::from_ne_bytes(bytes())) / f64::from(u32::MAX)
}

#[allow(clippy::disallowed_methods, reason = "this is the client's one room where randomness is drawn")]
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random generator must work");
    bytes
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_is_one_that_the_service_accepts_and_no_two_are_alike() {
        let (one, other) = (idempotency_key(), idempotency_key());
        assert_eq!(one.expose_secret().len(), 32);
        assert!(one.expose_secret().chars().all(|letter| letter.is_ascii_hexdigit()));
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn chance_stays_between_none_and_certainty() {
        assert!((0..1_000).map(|_| chance()).all(|chance| (0.0..=1.0).contains(&chance)));
    }
}
