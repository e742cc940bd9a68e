//! The configuration of the whole process: its own few keys, and from them and everything else that of each service.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use service_kit::config::{ConfigError, Key, Loader, Rejected, whole};

use crate::secrets::Secrets;

const DEFAULTS: &str = include_str!("config.default.toml");

const OWN_KEYS: &[Key] = &[
    Key::plain("data_dir"),
    Key::plain("web_dir"),
    Key::plain("demo"),
    Key::plain("server.host"),
    Key::plain("ports.web"),
    Key::plain("ports.auth"),
    Key::plain("ports.jobs"),
    Key::secret("tokens.access_secret"),
    Key::secret("tokens.refresh_secret"),
    Key::secret("database.url"),
];

/// Keys that hold for the services. `server.port` and `server.name` are not among them: one value cannot serve both.
fn foreign_keys() -> Vec<&'static str> {
    let keys = [auth_service::config::keys(), jobs_service::config::keys()].concat();
    keys.iter().map(|key| key.name).filter(|name| !matches!(*name, "server.port" | "server.name")).collect()
}

/// What this process itself needs to know.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) web_dir: PathBuf,
    pub(crate) demo: bool,
    pub(crate) ports: Ports,
    pub(crate) server: Server,
    #[serde(default)]
    tokens: Tokens,
    #[serde(default)]
    database: Database,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Server {
    pub(crate) host: IpAddr,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ports {
    #[serde(deserialize_with = "whole")]
    pub(crate) web: u16,
    #[serde(deserialize_with = "whole")]
    auth: u16,
    #[serde(deserialize_with = "whole")]
    jobs: u16,
}

#[derive(Debug, Default, Deserialize)]
struct Tokens {
    access_secret: Option<SecretString>,
    refresh_secret: Option<SecretString>,
}

#[derive(Debug, Default, Deserialize)]
struct Database {
    url: Option<SecretString>,
}

/// The configuration of each service.
pub(crate) struct ServiceConfigs {
    pub(crate) auth: auth_service::Config,
    pub(crate) jobs: jobs_service::Config,
}

type Environment = Vec<(String, String)>;

impl Config {
    pub(crate) fn load(file: Option<&Path>, environment: Environment) -> Result<Self, ConfigError> {
        Loader { defaults: DEFAULTS, keys: OWN_KEYS, foreign: &foreign_keys() }.load_checked(
            file,
            environment,
            Self::check,
        )
    }

    /// Whether the secrets are the user's own, so that none have to be made.
    pub(crate) fn has_secrets(&self) -> bool {
        self.tokens.access_secret.is_some()
    }

    /// To make the one that is missing beside a given one would leave nobody sure which are in use.
    fn check(&self) -> Result<(), Rejected> {
        match (&self.tokens.access_secret, &self.tokens.refresh_secret) {
            (Some(_), None) => Err(Rejected::new("tokens.refresh_secret", "is missing: give both secrets or none")),
            (None, Some(_)) => Err(Rejected::new("tokens.access_secret", "is missing: give both secrets or none")),
            _ => Ok(()),
        }
    }

    /// Each service's configuration: what the user gave, and for the rest what this process made for them.
    pub(crate) fn services(
        &self,
        file: Option<&Path>,
        environment: Environment,
        made: Option<&Secrets>,
    ) -> Result<ServiceConfigs, ConfigError> {
        let (mut auth, mut jobs) = (environment.clone(), environment);
        // A service's own default may differ from this process's, so these are said in any case.
        for environment in [&mut auth, &mut jobs] {
            set(environment, "LATCHKEY_DEMO", &self.demo.to_string());
            set(environment, "LATCHKEY_SERVER__HOST", &self.server.host.to_string());
        }
        set(&mut auth, "LATCHKEY_SERVER__PORT", &self.ports.auth.to_string());
        set(&mut jobs, "LATCHKEY_SERVER__PORT", &self.ports.jobs.to_string());
        if self.database.url.is_none() {
            set(&mut auth, "LATCHKEY_DATABASE__URL", &self.sqlite("auth.db"));
            set(&mut jobs, "LATCHKEY_DATABASE__URL", &self.sqlite("jobs.db"));
        }
        if let Some(made) = made {
            for environment in [&mut auth, &mut jobs] {
                set(environment, "LATCHKEY_TOKENS__ACCESS_SECRET", made.access_secret.expose_secret());
                set(environment, "LATCHKEY_TOKENS__REFRESH_SECRET", made.refresh_secret.expose_secret());
            }
        }
        Ok(ServiceConfigs {
            auth: auth_service::Config::load(file, auth)?,
            jobs: jobs_service::Config::load(file, jobs)?,
        })
    }

    fn sqlite(&self, name: &str) -> String {
        format!("sqlite:{}", self.data_dir.join(name).display())
    }
}

fn set(environment: &mut Environment, variable: &str, value: &str) {
    environment.retain(|(name, _)| name != variable);
    environment.push((variable.to_owned(), value.to_owned()));
}
