//! Whatever is given as the URL of a store is read or refused, and no refusal repeats it, for it may hold a password.
#![no_main]

use auth_service::stores::{Redis, RedisSettings};
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use service_kit::database::DatabaseUrl;

const SCHEMES: [&str; 8] = [
    "",
    "redis://",
    "redis-sentinel://",
    "redis-cluster://",
    // Reading certificates takes long, so only one has TLS.
    "rediss://",
    "sqlite:",
    "postgres://",
    "redis",
];

/// Found in no message of ours.
const PASSWORD: &str = "qZ7xJ9";

fuzz_target!(|input: (u8, &str, &str)| {
    let (scheme, before, after) = input;
    let scheme = SCHEMES[usize::from(scheme) % SCHEMES.len()];
    for text in [format!("{scheme}{before}"), format!("{scheme}{before}{PASSWORD}{after}")] {
        let url = SecretString::from(text);
        let is_redis = RedisSettings::are_meant_by(&url);
        if let Err(error) = DatabaseUrl::parse(&url) {
            assert!(!format!("{error} {error:?}").contains(PASSWORD));
        }
        match Redis::open(&RedisSettings { url, sentinel_password: None, ca_file: None }) {
            Ok(_) => assert!(is_redis),
            Err(refused) => assert!(!format!("{refused} {refused:?}").contains(PASSWORD)),
        }
    }
});
