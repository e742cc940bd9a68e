//! The configuration of jobs-service: one section a struct, each value checked before anything starts.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use service_kit::config::{ConfigError, DatabaseConfig, Key, Loader, Rejected, ServerConfig, duration, list};
use service_kit::database::DatabaseUrl;
use shared_claims::{KeyRing, MAX_LEEWAY};

const DEFAULTS: &str = include_str!("config.default.toml");

const OWN_KEYS: &[Key] = &[
    Key::plain("demo"),
    Key::secret("tokens.access_secret"),
    Key::secret("tokens.accepted_access_secrets"),
    Key::plain("tokens.leeway"),
    Key::plain("tokens.issuer"),
];

/// Keys of auth-service and of the process with everything in it, so that one file or environment can serve all of them.
const FOREIGN_KEYS: &[&str] = &[
    "tokens.refresh_secret",
    "tokens.accepted_refresh_secrets",
    "tokens.access_ttl",
    "tokens.refresh_ttl",
    "tokens.audience",
    "sessions.max_per_user",
    "sessions.when_full",
    "sessions.reuse_leeway",
    "sessions.max_lifetime",
    "token_store.url",
    "token_store.sentinel_password",
    "token_store.ca_file",
    "registration.enabled",
    "rate_limit.enabled",
    "rate_limit.account_attempts",
    "rate_limit.address_attempts",
    "rate_limit.first_delay",
    "rate_limit.longest_delay",
    "rate_limit.forget_after",
    "rate_limit.refreshes_per_minute",
    "data_dir",
    "web_dir",
    "ports.web",
    "ports.auth",
    "ports.jobs",
];

/// Every key that this service understands.
pub fn keys() -> Vec<Key> {
    [OWN_KEYS, ServerConfig::KEYS, DatabaseConfig::KEYS].concat()
}

/// All of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Whether to seed the demo users' jobs.
    pub demo: bool,
    /// Where it listens, and its name: the `aud` that it takes.
    pub server: ServerConfig,
    /// Which access tokens are taken.
    pub tokens: TokensConfig,
    /// Where jobs are kept.
    pub database: DatabaseConfig,
}

/// The section `tokens`.
#[derive(Debug, Clone, Deserialize)]
pub struct TokensConfig {
    access_secret: Option<SecretString>,
    #[serde(deserialize_with = "list::secrets")]
    accepted_access_secrets: Vec<SecretString>,
    /// How long past its expiry a token is taken.
    #[serde(with = "duration")]
    pub leeway: Duration,
    /// The one `iss` that is taken.
    pub issuer: String,
}

impl Config {
    /// Reads the defaults, then the file, then the environment, and checks that every value can be used.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let loader = Loader { defaults: DEFAULTS, keys: &keys(), foreign: FOREIGN_KEYS };
        loader.load_checked(file, environment, Self::check)
    }

    fn check(&self) -> Result<(), Rejected> {
        self.tokens.key_ring()?;
        self.database()?;
        if self.tokens.leeway > MAX_LEEWAY {
            return Err(Rejected::new("tokens.leeway", "must be 60 s at most"));
        }
        Ok(())
    }

    /// Where jobs are kept.
    pub fn database(&self) -> Result<DatabaseUrl, Rejected> {
        DatabaseUrl::parse(&self.database.url).map_err(|error| Rejected::new("database.url", error.to_string()))
    }
}

impl TokensConfig {
    /// The secrets whose tokens are taken, if every one is fit for use.
    pub fn key_ring(&self) -> Result<KeyRing, Rejected> {
        const KEY: &str = "tokens.access_secret";
        let missing = "is required and has no default: give the one of auth-service, which `auth-service keygen` makes";
        let secret = self.access_secret.as_ref().ok_or_else(|| Rejected::new(KEY, missing))?;
        KeyRing::new(secret, &[]).map_err(|error| Rejected::new(KEY, error.to_string()))?;
        KeyRing::new(secret, &self.accepted_access_secrets)
            .map_err(|error| Rejected::new("tokens.accepted_access_secrets", error.to_string()))
    }
}
