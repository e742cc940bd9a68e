//! Whatever is given as settings, in the environment or in a file, is taken within its bounds or refused, and no refusal shows a secret.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use auth_service::config;
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret;
use service_kit::config::Key;
use shared_claims::generate_secret;
use tempfile::NamedTempFile;

static KEYS: LazyLock<Vec<Key>> = LazyLock::new(config::keys);

static SECRETS: LazyLock<[String; 2]> =
    LazyLock::new(|| [generate_secret(), generate_secret()].map(|secret| secret.expose_secret().to_owned()));

static FILE: LazyLock<NamedTempFile> = LazyLock::new(|| NamedTempFile::new().expect("a file"));

fuzz_target!(|input: (Vec<(u8, &str)>, Option<&str>)| {
    let (values, file) = input;
    let [access, refresh] = &*SECRETS;
    let mut environment = BTreeMap::from([
        ("LATCHKEY_TOKENS__ACCESS_SECRET".to_owned(), access.clone()),
        ("LATCHKEY_TOKENS__REFRESH_SECRET".to_owned(), refresh.clone()),
    ]);
    for (key, value) in values {
        environment.insert(KEYS[usize::from(key) % KEYS.len()].variable(), value.to_owned());
    }
    let file = file.map(|content| {
        std::fs::write(FILE.path(), content).expect("the file can be written");
        FILE.path()
    });
    let jobs = environment.clone();
    match auth_service::Config::load(file, environment) {
        Ok(config) => check(&config),
        Err(refused) => assert_shows_no_secret(&refused),
    }
    if let Err(refused) = jobs_service::Config::load(file, jobs) {
        assert_shows_no_secret(&refused);
    }
});

fn assert_shows_no_secret(refused: &(impl std::fmt::Display + std::fmt::Debug)) {
    let shown = format!("{refused} {refused:?}");
    assert!(!SECRETS.iter().any(|secret| shown.contains(secret)), "{shown}");
}

fn check(config: &auth_service::Config) {
    let second = Duration::from_secs(1);
    assert!((second..=Duration::from_hours(24)).contains(&config.tokens.access_ttl));
    assert!((second..=Duration::from_hours(24 * 3_650)).contains(&config.tokens.refresh_ttl));
    assert!(config.tokens.leeway <= Duration::from_mins(1));
    let rules = config.rules();
    assert!((1..=1_000).contains(&rules.max_per_user) && rules.reuse_leeway <= Duration::from_mins(5));
    assert!(rules.max_lifetime != Some(Duration::ZERO));
    let (access, refresh) = config.tokens.rings().expect("rings that were checked");
    assert!(!access.shares_a_secret_with(&refresh));
    assert!(config.database().is_ok());
    if let Some(limits) = config.rate_limit.guesses() {
        assert!(limits.account.first_delay <= limits.account.longest_delay);
    }
}
