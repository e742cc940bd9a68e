//! `auth-service keygen`: a pair of secrets, ready to be put into the environment.

use secrecy::ExposeSecret;
use shared_claims::generate_secret;

pub(super) fn print() {
    println!("LATCHKEY_TOKENS__ACCESS_SECRET={}", generate_secret().expose_secret());
    println!("LATCHKEY_TOKENS__REFRESH_SECRET={}", generate_secret().expose_secret());
}
