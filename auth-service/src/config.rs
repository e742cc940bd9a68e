//! The configuration of auth-service: one section a struct, each value checked before anything starts.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use service_kit::config::{
    ConfigError, DatabaseConfig, Key, Loader, Rejected, ServerConfig, choice, duration, list, whole,
};
use service_kit::database::DatabaseUrl;
use shared_claims::{KeyHandle, KeyRing, MAX_ACCESS_TTL, MAX_LEEWAY};

use crate::domain::attempts::Limit;
use crate::domain::guard::GuessLimits;
use crate::domain::session::{SessionRules, WhenFull};

const DEFAULTS: &str = include_str!("config.default.toml");

const OWN_KEYS: &[Key] = &[
    Key::plain("demo"),
    Key::secret("tokens.access_secret"),
    Key::secret("tokens.refresh_secret"),
    Key::secret("tokens.accepted_access_secrets"),
    Key::secret("tokens.accepted_refresh_secrets"),
    Key::plain("tokens.access_ttl"),
    Key::plain("tokens.refresh_ttl"),
    Key::plain("tokens.leeway"),
    Key::plain("tokens.issuer"),
    Key::plain("tokens.audience"),
    Key::plain("sessions.max_per_user"),
    Key::plain("sessions.when_full"),
    Key::plain("sessions.reuse_leeway"),
    Key::plain("sessions.max_lifetime"),
    Key::secret("token_store.url"),
    Key::secret("token_store.sentinel_password"),
    Key::plain("token_store.ca_file"),
    Key::plain("registration.enabled"),
    Key::plain("rate_limit.enabled"),
    Key::plain("rate_limit.account_attempts"),
    Key::plain("rate_limit.address_attempts"),
    Key::plain("rate_limit.first_delay"),
    Key::plain("rate_limit.longest_delay"),
    Key::plain("rate_limit.forget_after"),
    Key::plain("rate_limit.refreshes_per_minute"),
];

/// Keys that only the process with everything in it understands.
const FOREIGN_KEYS: &[&str] = &["data_dir", "web_dir", "ports.web", "ports.auth", "ports.jobs"];

/// A spent token is answered for so long at the most: longer would undo the detection of reuse.
const MAX_REUSE_LEEWAY: Duration = Duration::from_mins(5);

/// Every key that this service understands.
pub fn keys() -> Vec<Key> {
    [OWN_KEYS, ServerConfig::KEYS, DatabaseConfig::KEYS].concat()
}

/// All of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Whether to seed the demo users.
    pub demo: bool,
    /// Where it listens.
    pub server: ServerConfig,
    /// Secrets and lifetimes.
    pub tokens: TokensConfig,
    /// The rules of sessions.
    pub sessions: SessionsConfig,
    /// Where sessions are kept.
    pub token_store: TokenStoreConfig,
    /// Where users are kept.
    pub database: DatabaseConfig,
    /// Whether anybody may make an account.
    pub registration: Switch,
    /// Whether guessing is slowed down.
    pub rate_limit: RateLimitConfig,
}

/// The section `tokens`.
#[derive(Debug, Clone, Deserialize)]
pub struct TokensConfig {
    access_secret: Option<SecretString>,
    refresh_secret: Option<SecretString>,
    #[serde(deserialize_with = "list::secrets")]
    accepted_access_secrets: Vec<SecretString>,
    #[serde(deserialize_with = "list::secrets")]
    accepted_refresh_secrets: Vec<SecretString>,
    /// How long an access token lives.
    #[serde(with = "duration")]
    pub access_ttl: Duration,
    /// How long a refresh token lives.
    #[serde(with = "duration")]
    pub refresh_ttl: Duration,
    /// How long past its expiry a token is taken.
    #[serde(with = "duration")]
    pub leeway: Duration,
    /// `iss`
    pub issuer: String,
    /// `aud` of access tokens.
    #[serde(deserialize_with = "list::strings")]
    pub audience: Vec<String>,
}

/// The section `sessions`.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionsConfig {
    #[serde(deserialize_with = "whole")]
    max_per_user: usize,
    #[serde(deserialize_with = "choice")]
    when_full: WhenFull,
    #[serde(with = "duration")]
    reuse_leeway: Duration,
    #[serde(default, deserialize_with = "duration::option::deserialize")]
    max_lifetime: Option<Duration>,
}

/// The section `token_store`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TokenStoreConfig {
    /// Where; `None` is the SQLite database.
    pub url: Option<SecretString>,
    /// The password of the Sentinels themselves.
    pub sentinel_password: Option<SecretString>,
    /// Certificates to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
}

/// A section with nothing but a switch.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Switch {
    /// On or off.
    pub enabled: bool,
}

/// The section `rate_limit`.
#[derive(Debug, Clone, Deserialize)]
pub struct RateLimitConfig {
    enabled: bool,
    #[serde(deserialize_with = "whole")]
    account_attempts: NonZeroU32,
    #[serde(deserialize_with = "whole")]
    address_attempts: NonZeroU32,
    #[serde(with = "duration")]
    first_delay: Duration,
    #[serde(with = "duration")]
    longest_delay: Duration,
    #[serde(with = "duration")]
    forget_after: Duration,
    #[serde(deserialize_with = "whole")]
    refreshes_per_minute: NonZeroU32,
}

impl RateLimitConfig {
    /// How guessing is slowed; `None` where it is not.
    pub fn guesses(&self) -> Option<GuessLimits> {
        let limit = |free: NonZeroU32| Limit {
            free: free.get(),
            first_delay: self.first_delay,
            longest_delay: self.longest_delay,
            forget_after: self.forget_after,
        };
        let limits = GuessLimits { account: limit(self.account_attempts), address: limit(self.address_attempts) };
        self.enabled.then_some(limits)
    }

    /// How often one session may be refreshed; `None` for as often as it likes.
    pub fn refreshes_per_minute(&self) -> Option<NonZeroU32> {
        self.enabled.then_some(self.refreshes_per_minute)
    }

    fn check(&self) -> Result<(), Rejected> {
        if self.longest_delay > Duration::from_hours(24) {
            return Err(Rejected::new(
                "rate_limit.longest_delay",
                "must be 24 h at most, for nobody is kept out for good",
            ));
        }
        if self.first_delay > self.longest_delay {
            return Err(Rejected::new("rate_limit.first_delay", "must not be longer than rate_limit.longest_delay"));
        }
        if self.forget_after < self.longest_delay {
            return Err(Rejected::new("rate_limit.forget_after", "must not be shorter than rate_limit.longest_delay"));
        }
        Ok(())
    }
}

/// The key rings of both kinds of token, which a running service may be given anew.
#[derive(Clone)]
pub struct Keys {
    /// For access tokens.
    pub access: KeyHandle,
    /// For refresh tokens.
    pub refresh: KeyHandle,
}

impl Config {
    /// Reads the defaults, then the file, then the environment, and checks that it makes sense together.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let loader = Loader { defaults: DEFAULTS, keys: &keys(), foreign: FOREIGN_KEYS };
        loader.load_checked(file, environment, Self::check)
    }

    fn check(&self) -> Result<(), Rejected> {
        self.tokens.rings()?;
        self.tokens.check_times()?;
        self.sessions.check()?;
        self.rate_limit.check()?;
        let database = self.database()?;
        let is_postgres = matches!(database, DatabaseUrl::Postgres(_));
        match &self.token_store.url {
            None if is_postgres => Err(Rejected::new(
                "token_store.url",
                "is required where the database is PostgreSQL, which keeps users and not sessions: give a redis:// URL",
            )),
            _ => Ok(()),
        }
    }

    /// Where users are kept.
    pub fn database(&self) -> Result<DatabaseUrl, Rejected> {
        DatabaseUrl::parse(&self.database.url).map_err(|error| Rejected::new("database.url", error.to_string()))
    }

    /// The rules that sessions live by.
    pub fn rules(&self) -> SessionRules {
        SessionRules {
            max_per_user: self.sessions.max_per_user,
            when_full: self.sessions.when_full,
            reuse_leeway: self.sessions.reuse_leeway,
            max_lifetime: self.sessions.max_lifetime,
            refresh_ttl: self.tokens.refresh_ttl,
        }
    }
}

impl TokensConfig {
    /// The key rings as handles that can be given new ones.
    pub fn keys(&self) -> Result<Keys, Rejected> {
        let (access, refresh) = self.rings()?;
        Ok(Keys { access: KeyHandle::new(access), refresh: KeyHandle::new(refresh) })
    }

    /// The key rings, if every secret is fit for use.
    pub fn rings(&self) -> Result<(KeyRing, KeyRing), Rejected> {
        const ACCESS: [&str; 2] = ["tokens.access_secret", "tokens.accepted_access_secrets"];
        const REFRESH: [&str; 2] = ["tokens.refresh_secret", "tokens.accepted_refresh_secrets"];
        let access = ring(ACCESS, self.access_secret.as_ref(), &self.accepted_access_secrets)?;
        let refresh = ring(REFRESH, self.refresh_secret.as_ref(), &self.accepted_refresh_secrets)?;
        if access.shares_a_secret_with(&refresh) {
            let reason = "this or one of tokens.accepted_refresh_secrets equals a secret of access tokens, which every \
                          resource service knows: run `auth-service keygen` for a pair of different ones";
            return Err(Rejected::new("tokens.refresh_secret", reason));
        }
        Ok((access, refresh))
    }

    fn check_times(&self) -> Result<(), Rejected> {
        let is_whole = |time: Duration| time.subsec_nanos() == 0 && time >= Duration::from_secs(1);
        if !is_whole(self.access_ttl) || self.access_ttl > MAX_ACCESS_TTL {
            return Err(Rejected::new("tokens.access_ttl", "must be whole seconds, 1 s to 24 h"));
        }
        if !is_whole(self.refresh_ttl) || self.refresh_ttl > Duration::from_hours(24 * 3_650) {
            return Err(Rejected::new("tokens.refresh_ttl", "must be whole seconds, 1 s to 10 years"));
        }
        if self.leeway > MAX_LEEWAY {
            return Err(Rejected::new("tokens.leeway", "must be 60 s at most"));
        }
        Ok(())
    }
}

/// The ring of the secrets under these two keys: the one that signs, and the others that are accepted.
fn ring(
    [signing_key, accepted_key]: [&'static str; 2],
    secret: Option<&SecretString>,
    accepted: &[SecretString],
) -> Result<KeyRing, Rejected> {
    let missing = "is required and has no default: run `auth-service keygen` for a pair of secrets";
    let secret = secret.ok_or_else(|| Rejected::new(signing_key, missing))?;
    KeyRing::new(secret, &[]).map_err(|error| Rejected::new(signing_key, error.to_string()))?;
    KeyRing::new(secret, accepted).map_err(|error| Rejected::new(accepted_key, error.to_string()))
}

impl SessionsConfig {
    fn check(&self) -> Result<(), Rejected> {
        if !(1..=1_000).contains(&self.max_per_user) {
            return Err(Rejected::new("sessions.max_per_user", "must be 1 to 1000"));
        }
        if self.reuse_leeway > MAX_REUSE_LEEWAY {
            return Err(Rejected::new("sessions.reuse_leeway", "must be 5 minutes at most"));
        }
        if self.max_lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
            return Err(Rejected::new(
                "sessions.max_lifetime",
                "must be longer than nothing; leave it out for no limit",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
