//! Whatever is given as the value of a setting is taken or refused.
#![no_main]

use auth_service::Config;
use libfuzzer_sys::fuzz_target;

const KEYS: [&str; 8] = [
    "LATCHKEY_SERVER__HOST",
    "LATCHKEY_SERVER__ALLOWED_ORIGINS",
    "LATCHKEY_SERVER__TRUSTED_PROXIES",
    "LATCHKEY_TOKENS__ACCEPTED_ACCESS_SECRETS",
    "LATCHKEY_TOKENS__ACCESS_TTL",
    "LATCHKEY_TOKENS__AUDIENCE",
    "LATCHKEY_DATABASE__URL",
    "LATCHKEY_TOKEN_STORE__URL",
];

fuzz_target!(|input: (usize, String)| {
    let (key, value) = input;
    drop(Config::load(None, vec![(KEYS[key % KEYS.len()].to_owned(), value)]));
});
