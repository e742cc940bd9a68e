//! The loader as a service uses it, with a small configuration of each kind of value.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::*;

mod layers;
mod properties;
mod refusals;
mod values;

const DEFAULTS: &str = r#"
# A comment, as in the file that is compiled in.
[server]
host = "127.0.0.1"
port = 8081
name = "auth-service"

[database]
url = "sqlite:data/sample.db"
max_connections = 4
timeout = "1800ms"
connect_timeout = "1200ms"

[tokens]
access_ttl = "15m"

[sessions]
when_full = "end_all"
"#;

const OWN: &[Key] = &[
    Key::secret("tokens.access_secret"),
    Key::secret("tokens.accepted_access_secrets"),
    Key::plain("tokens.access_ttl"),
    Key::plain("sessions.max_lifetime"),
    Key::plain("sessions.when_full"),
    Key::plain("demo"),
];

const FOREIGN: &[&str] = &["token_store.url", "rate_limit.enabled"];

#[derive(Debug, Deserialize)]
struct Sample {
    server: ServerConfig,
    database: DatabaseConfig,
    tokens: Tokens,
    sessions: Sessions,
    #[serde(default)]
    demo: bool,
}

#[derive(Debug, Deserialize)]
struct Tokens {
    access_secret: SecretString,
    #[serde(default, deserialize_with = "list::secrets")]
    accepted_access_secrets: Vec<SecretString>,
    #[serde(with = "duration")]
    access_ttl: Duration,
}

#[derive(Debug, Deserialize)]
struct Sessions {
    #[serde(deserialize_with = "choice")]
    when_full: WhenFull,
    #[serde(default, with = "duration::option")]
    max_lifetime: Option<Duration>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum WhenFull {
    EndAll,
    EndLeastRecent,
}

const SECRET: &str = "LATCHKEY_TOKENS__ACCESS_SECRET";

/// A folder with files in it, gone with the test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    }
}

fn keys() -> Vec<Key> {
    [ServerConfig::KEYS, DatabaseConfig::KEYS, OWN].concat()
}

fn load(file: Option<&Path>, environment: &[(&str, &str)]) -> Result<Sample, ConfigError> {
    let keys = keys();
    let loader = Loader { defaults: DEFAULTS, keys: &keys, foreign: FOREIGN };
    loader.load(file, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// Loads with a secret given, for tests that are about something else.
fn load_with(environment: &[(&str, &str)]) -> Result<Sample, ConfigError> {
    load(None, &[&[(SECRET, "a secret")], environment].concat())
}

fn refusal(environment: &[(&str, &str)]) -> String {
    load_with(environment).expect_err("a refusal").to_string()
}

fn refusal_of_file(content: &str) -> String {
    let files = Files::new();
    let file = files.write("latchkey.toml", content);
    let text = load(Some(&file), &[(SECRET, "a secret")]).expect_err("a refusal").to_string();
    text.replace(&file.display().to_string(), "FILE")
}
