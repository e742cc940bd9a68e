//! What a service needs to take part in Latchkey's login: the claims of its tokens, the keys, the one minter, the one
//! verifier, and a clock. It does no I/O and knows no database and no configuration format.

mod claims;
mod clock;
mod error;
mod keyring;
mod minter;
pub mod random;
mod strict_json;
mod verifier;

#[cfg(feature = "actix")]
mod actix;

#[cfg(feature = "actix")]
pub use actix::{AccessRefused, Caller};
pub use claims::{AccessClaims, RefreshClaims, SessionRandom, UserClaims};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{InvalidReason, SecretError, SettingsError, TokenError};
pub use keyring::{KeyHandle, KeyRing, generate_secret};
pub use minter::{Minter, MinterSettings, RefreshGrant};
pub use verifier::{MAX_ACCESS_TTL, MAX_LEEWAY, MAX_TOKEN_BYTES, RefreshVerifier, Verifier, VerifierSettings};
