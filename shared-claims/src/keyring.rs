//! The secrets that sign and verify: which are good enough, what their key ids are, and how a running service takes new
//! ones. Where secrets are read from is left to the services' configuration.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretString};

use crate::error::SecretError;
use crate::random;
use crate::verifications::{Tally, Verifications};

const SHORTEST_SECRET_BYTES: usize = 32;
const KEY_ID_LABEL: &[u8] = b"latchkey kid v1";
const KEY_ID_LENGTH: usize = 16;
/// Shorter than any key id, so none of them.
const NO_KEY_ID: &str = "unknown";

/// Secrets that anybody can read somewhere. Shorter ones need no entry: they are refused for their length.
const PUBLISHED_SECRETS: [&str; 10] = [
    // what this project's example files show in a secret's place
    "replace-me-with-what-auth-service-keygen-prints",
    // RFC 7515 A.1, RFC 7520 §3.5 and §3.6
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    "AAPapAv4LbFbiVawEjagUBluYqN5rhna-8nuldDvOx8",
    // jwt.io, for each of its HMAC algorithms
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-384-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    // tutorials of FastAPI and of Spring Security that are copied widely
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9",
];

/// A new secret: 32 random bytes in base64url, 43 characters.
pub fn generate_secret() -> SecretString {
    URL_SAFE_NO_PAD.encode(random::bytes::<32>()).into()
}

/// The secrets of one kind of token: one signs, that one and any others are accepted. `Debug` shows key ids alone.
pub struct KeyRing {
    signing_key: EncodingKey,
    /// The signing secret's key first.
    accepted: Vec<AcceptedKey>,
    /// Tokens that no key of the ring has signed.
    unsigned: Arc<AtomicU64>,
}

pub(crate) struct AcceptedKey {
    pub(crate) id: Arc<str>,
    pub(crate) key: DecodingKey,
    pub(crate) tally: Arc<Tally>,
}

impl KeyRing {
    /// A ring that signs with `signing` and accepts it and `accepted`, the secrets before it and the next. One that is
    /// given twice counts once.
    pub fn new(signing: &SecretString, accepted: &[SecretString]) -> Result<Self, SecretError> {
        let mut ring = Self {
            signing_key: checked_key(signing)?,
            accepted: Vec::with_capacity(1 + accepted.len()),
            unsigned: Arc::default(),
        };
        for secret in std::iter::once(signing).chain(accepted) {
            let id = key_id(&checked_key(secret)?);
            if ring.verifying_key(&id).is_none() {
                let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
                ring.accepted.push(AcceptedKey { id: id.into(), key, tally: Arc::default() });
            }
        }
        Ok(ring)
    }

    /// Whether a secret of this ring, signing or accepted, is in the other one too.
    ///
    /// Key ids stand for the secrets: equal secrets have equal ids, and so have secrets that HMAC takes for the same
    /// key.
    pub fn shares_a_secret_with(&self, other: &Self) -> bool {
        self.kids().any(|id| other.verifying_key(id).is_some())
    }

    /// The key id that goes into the header of what this ring signs (RFC 7515 §4.1.4).
    pub fn signing_kid(&self) -> &str {
        &self.accepted[0].id
    }

    /// The key ids that are accepted, the signing one first.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.accepted.iter().map(|accepted| &*accepted.id)
    }

    /// How often tokens were verified, by the key that signed them and by how it ended; each of them from 0 on.
    pub fn verifications(&self) -> impl Iterator<Item = Verifications<'_>> {
        let signed = self.accepted.iter().flat_map(|accepted| accepted.tally.read(&accepted.id));
        let unsigned = self.unsigned.load(Ordering::Relaxed);
        signed.chain(std::iter::once(Verifications { kid: NO_KEY_ID, outcome: "refused", count: unsigned }))
    }

    pub(crate) fn signing_key(&self) -> &EncodingKey {
        &self.signing_key
    }

    pub(crate) fn verifying_key(&self, id: &str) -> Option<&AcceptedKey> {
        self.accepted.iter().find(|accepted| *accepted.id == *id)
    }

    pub(crate) fn note_unsigned(&self) {
        self.unsigned.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts on from where another ring stands.
    fn continue_counts_of(&mut self, previous: &Self) {
        self.unsigned = previous.unsigned.clone();
        for accepted in &mut self.accepted {
            if let Some(same) = previous.verifying_key(&accepted.id) {
                accepted.tally = same.tally.clone();
            }
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.kids()).finish()
    }
}

fn checked_key(secret: &SecretString) -> Result<EncodingKey, SecretError> {
    let text = secret.expose_secret();
    if text.chars().any(|character| character == ',' || character.is_whitespace() || character.is_control()) {
        return Err(SecretError::ForbiddenCharacter);
    }
    if text.len() < SHORTEST_SECRET_BYTES {
        return Err(SecretError::TooShort);
    }
    if PUBLISHED_SECRETS.contains(&text) {
        return Err(SecretError::Published);
    }
    Ok(EncodingKey::from_secret(text.as_bytes()))
}

/// Derived from the secret alone, so that instances agree on ids without being told, and tells nothing of it.
fn key_id(key: &EncodingKey) -> String {
    let mut id =
        jsonwebtoken::crypto::sign(KEY_ID_LABEL, key, Algorithm::HS256).expect("an HMAC key signs any message");
    id.truncate(KEY_ID_LENGTH);
    id
}

/// A key ring that can be replaced while minters and verifiers use it; clones share it.
#[derive(Clone)]
pub struct KeyHandle {
    ring: Arc<ArcSwap<KeyRing>>,
}

impl KeyHandle {
    /// A handle on `ring`.
    pub fn new(ring: KeyRing) -> Self {
        Self { ring: Arc::new(ArcSwap::from_pointee(ring)) }
    }

    /// Puts `ring` in the place of the present one, for every clone of this handle. Calls under way finish with the old
    /// one. What is counted of keys that stay goes on.
    pub fn replace(&self, mut ring: KeyRing) {
        ring.continue_counts_of(&self.ring.load());
        self.ring.store(Arc::new(ring));
    }

    /// The present ring. Hold it for one token, not for long.
    pub fn load(&self) -> impl Deref<Target = Arc<KeyRing>> {
        self.ring.load()
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(formatter)
    }
}
