//! Whatever is presented as a token is verified or refused; and what nobody signed is refused.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use shared_claims::{KeyHandle, KeyRing, RefreshVerifier, SystemClock, Verifier, VerifierSettings, generate_secret};

static VERIFIERS: LazyLock<(Verifier, RefreshVerifier)> = LazyLock::new(|| {
    let keys = || KeyHandle::new(KeyRing::new(&generate_secret(), &[]).expect("a good secret"));
    let settings = VerifierSettings {
        issuer: "latchkey".to_owned(),
        audience: "fuzz".to_owned(),
        leeway: Duration::ZERO,
    };
    let clock = Arc::new(SystemClock);
    let access = Verifier::new(keys(), settings, clock.clone()).expect("settings that hold");
    let refresh =
        RefreshVerifier::new(keys(), "latchkey".to_owned(), Duration::ZERO, clock).expect("settings that hold");
    (access, refresh)
});

fuzz_target!(|text: &str| {
    let (access, refresh) = &*VERIFIERS;
    assert!(access.verify(text).is_err());
    assert!(refresh.recognise(text).is_err());
});
