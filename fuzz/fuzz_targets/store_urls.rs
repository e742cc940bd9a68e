//! Whatever is given as the URL of a Redis is read or refused, and no refusal repeats it, for it may hold a password.
#![no_main]

use auth_service::stores::{Redis, RedisSettings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let url = text.to_owned().into();
    let _ = RedisSettings::are_meant_by(&url);
    drop(Redis::open(&RedisSettings { url, sentinel_password: None, ca_file: None }));
});
