//! What a service needs to take part in Latchkey's login: the claims of its tokens, the keys, the one minter, the one
//! verifier, and a clock. It does no I/O and knows no database and no configuration format.
//!
//! A resource service takes the feature `actix`, one access secret, and a `Caller` wherever a handler needs to know whose
//! data it is about:
//!
//! ```
//! # #[cfg(feature = "actix")]
//! # mod service {
//! use std::{sync::Arc, time::Duration};
//!
//! use actix_web::{App, HttpServer, get, web};
//! use secrecy::SecretString;
//! use shared_claims::{Caller, KeyHandle, KeyRing, SystemClock, Verifier, VerifierSettings};
//!
//! #[get("/greeting")]
//! async fn greeting(caller: Caller) -> String {
//!     format!("Good day, {}", caller.user().username)
//! }
//!
//! async fn serve(access_secret: SecretString) -> Result<(), Box<dyn std::error::Error>> {
//!     let keys = KeyHandle::new(KeyRing::new(&access_secret, &[])?);
//!     let settings = VerifierSettings { issuer: "latchkey".into(), audience: "greeter".into(), leeway: Duration::ZERO };
//!     let verifier = web::Data::new(Verifier::new(keys, settings, Arc::new(SystemClock))?);
//!     let app = move || App::new().app_data(verifier.clone()).service(greeting);
//!     Ok(HttpServer::new(app).bind(("127.0.0.1", 8083))?.run().await?)
//! }
//! # }
//! ```
//!
//! A request without a good access token never reaches `greeting`: it is answered 401 with a challenge by RFC 6750 §3.

mod claims;
mod clock;
mod error;
mod keyring;
mod known;
mod minter;
pub mod random;
mod strict_json;
mod verifications;
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
pub use verifications::Verifications;
pub use verifier::{MAX_ACCESS_TTL, MAX_LEEWAY, MAX_TOKEN_BYTES, RefreshVerifier, Verifier, VerifierSettings};
