//! Access tokens whose signature was checked a moment ago. A client sends the same one with each request for as long as it lives, and its
//! signature and what it says are the same each time. What depends on the time, on the keys or on settings is not kept here: the
//! verifier asks that again.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;

use crate::claims::AccessClaims;

/// How many are kept, those that are used: with the claims of usual tokens they take 0.56 MB.
const KEPT: usize = 1_024;

/// What a key has signed.
#[derive(Clone)]
pub(crate) struct KnownToken {
    pub(crate) key_id: Arc<str>,
    pub(crate) claims: Arc<AccessClaims>,
}

/// What a token is known by: its SHA-256, for whoever sees this memory shall not find tokens in it.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub(crate) fn of(token: &str) -> Self {
        Self(digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// The last tokens that were found to be signed.
pub(crate) struct KnownTokens {
    by_digest: Cache<TokenDigest, KnownToken>,
}

impl KnownTokens {
    pub(crate) fn new() -> Self {
        Self { by_digest: Cache::new(KEPT) }
    }

    pub(crate) fn get(&self, digest: &TokenDigest) -> Option<KnownToken> {
        self.by_digest.get(digest)
    }

    pub(crate) fn insert(&self, digest: TokenDigest, known: KnownToken) {
        self.by_digest.insert(digest, known);
    }
}

impl fmt::Debug for KnownTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KnownTokens").field("len", &self.by_digest.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::claims::UserClaims;

    fn known(number: u128) -> KnownToken {
        let user = UserClaims { id: Uuid::from_u128(number), email: String::new(), username: String::new() };
        let (iss, aud, jti) = (String::new(), Vec::new(), String::new());
        let claims = AccessClaims { iss, aud, sub: user.id, iat: 0, exp: 0, jti, sid: Uuid::nil(), user };
        KnownToken { key_id: "key".into(), claims: Arc::new(claims) }
    }

    #[test]
    fn a_token_is_known_by_all_of_its_text_and_only_so_many_are() {
        let tokens = KnownTokens::new();
        for number in 0..10_000 {
            tokens.insert(TokenDigest::of(&number.to_string()), known(number));
            assert_eq!(
                tokens.get(&TokenDigest::of(&number.to_string())).map(|known| known.claims.sub.as_u128()),
                Some(number)
            );
        }
        assert!(tokens.by_digest.len() <= KEPT, "{tokens:?}");
        assert!(tokens.get(&TokenDigest::of("10000")).is_none());
        assert!(tokens.get(&TokenDigest::of("9999 ")).is_none());
    }
}
