//! Whatever a client says of itself is accepted within its bounds or refused.
#![no_main]

use auth_service::domain::device::{DeviceName, Fingerprint};
use auth_service::domain::refresh::IdempotencyKey;
use auth_service::domain::user::{Email, Username};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], String, String)| {
    let (key, text, other) = input;
    if IdempotencyKey::parse(key).is_ok() {
        assert!((16..=128).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic));
    }
    drop(DeviceName::parse(Some(&text), Some(&other)));
    drop(Username::parse(&text));
    drop(Email::parse(&text));
    drop(Fingerprint::parse(Some(text)));
});
