//! The one room of randomness: every random byte of the system comes from the operating system's generator through
//! here. What the bytes are for is left to the caller.

use uuid::Uuid;

/// `N` bytes that nobody can guess.
///
/// # Panics
///
/// Where the operating system has no randomness to give, for nothing safe can be done without.
#[allow(clippy::disallowed_methods, reason = "this is the one room where randomness is drawn")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random generator must work");
    bytes
}

/// A random UUID (version 4, RFC 9562 §5.4).
pub fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_uuids_are_of_version_four_and_differ() {
        let (one, other) = (uuid(), uuid());
        assert_eq!(one.get_version_num(), 4);
        assert_ne!(one, other);
    }
}
