//! Layered configuration: compiled-in defaults, then a file, then the environment. A key that is unknown and a value that is bad
//! stop the start and are named, with where they came from. What a value means is for the service that asks for it.

mod error;
mod layer;
mod sections;
mod values;

pub use error::ConfigError;
pub use sections::{DatabaseConfig, ServerConfig};
pub use values::{choice, duration, list, whole};

use std::collections::BTreeMap;
use std::path::Path;

use ::config::{Config, Map, Value};
use serde::de::DeserializeOwned;

use error::Problems;
use layer::{Entry, Given, Layer, Naming};

/// Each environment variable of ours begins with this; `__` stands between the levels of a key.
pub const PREFIX: &str = "LATCHKEY_";

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its full name, levels parted by a dot: `tokens.access_secret`.
    pub name: &'static str,
    /// Whether it may be given as the path of a file that holds it, under its name with `_file` (`_FILE`) after it.
    /// This marks secrets and URLs: their values are never shown in an error.
    pub from_file: bool,
}

impl Key {
    /// A key whose value is no secret.
    pub const fn plain(name: &'static str) -> Self {
        Self { name, from_file: false }
    }

    /// A secret, or a URL that may hold one: never shown, and `…_file` is understood.
    pub const fn secret(name: &'static str) -> Self {
        Self { name, from_file: true }
    }

    /// The environment variable of this key: `LATCHKEY_TOKENS__ACCESS_SECRET`.
    pub fn variable(&self) -> String {
        variable(self.name)
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// Reads one service's configuration.
#[derive(Debug, Clone, Copy)]
pub struct Loader<'a> {
    /// The compiled-in default file, TOML.
    pub defaults: &'a str,
    /// The keys that this service knows.
    pub keys: &'a [Key],
    /// The keys that are another service's business: no error, and ignored.
    pub foreign: &'a [&'a str],
}

impl Loader<'_> {
    /// Reads the three layers; of each key the highest layer that gives it counts, be it as `KEY` or as `KEY_FILE`.
    ///
    /// In the environment an empty text is the same as none, for compose files cannot leave a variable out.
    /// One line break at the end of a `…_FILE` is not part of the value. One layer must not give both forms of a key.
    pub fn load<T: DeserializeOwned>(
        &self,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<T, ConfigError> {
        self.load_checked(file, environment, |_: &T| Ok(()))
    }

    /// [`load`](Self::load), then `check`s what no single value shows, such as two secrets that must differ. The check names the key
    /// at fault and says what is wrong with it; the message then also tells where that key's value came from.
    pub fn load_checked<T: DeserializeOwned>(
        &self,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        check: impl FnOnce(&T) -> Result<(), Rejected>,
    ) -> Result<T, ConfigError> {
        let entries = self.entries(file, environment)?;
        let config = self.merge(&entries)?;
        let loaded = config.try_deserialize().map_err(|error| self.describe(&error, &entries))?;
        check(&loaded).map_err(|rejected| ConfigError::rejected(&rejected, entries.get(rejected.key)))?;
        Ok(loaded)
    }

    fn entries(
        &self,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<BTreeMap<&'static str, Entry>, ConfigError> {
        let mut problems = Problems::default();
        let mut entries = BTreeMap::new();
        let mut add = |layer: Layer| entries.extend(self.resolve(layer, &mut problems));
        let is_key = |name: &str| self.own(&Naming::Dotted, name).is_some() || self.is_foreign(&Naming::Dotted, name);
        add(Layer::from_toml(self.defaults, "the built-in defaults", is_key)?);
        if let Some(path) = file {
            add(Layer::from_file(path, is_key)?);
        }
        add(Layer::from_environment(environment));
        problems.into_result()?;
        Ok(entries)
    }

    /// Keeps what a layer says about this service's keys, and notes what nobody knows.
    fn resolve(&self, layer: Layer, problems: &mut Problems) -> BTreeMap<&'static str, Entry> {
        let mut entries: BTreeMap<&'static str, Entry> = BTreeMap::new();
        for (written, entry) in layer.entries {
            let Some(key) = self.own(&layer.naming, &written) else {
                if !self.is_foreign(&layer.naming, &written) {
                    problems.unknown(&entry.origin, self.nearest(&layer.naming, &written));
                }
                continue;
            };
            let is_path = written != layer.naming.of(key.name);
            let entry = if is_path { entry.into_path(problems) } else { Some(entry) };
            let Some(entry) = entry else { continue };
            if let Some(other) = entries.get(key.name) {
                problems.given_twice(key, &other.origin, &entry.origin);
            }
            entries.insert(key.name, entry);
        }
        entries
    }

    fn own(&self, naming: &Naming, written: &str) -> Option<Key> {
        let whole = self.keys.iter().find(|key| naming.of(key.name) == written);
        let in_file = || self.keys.iter().find(|key| key.from_file && naming.of_file(key.name) == written);
        whole.or_else(in_file).copied()
    }

    fn is_foreign(&self, naming: &Naming, written: &str) -> bool {
        self.foreign.iter().any(|key| naming.of(key) == written || naming.of_file(key) == written)
    }

    fn nearest(&self, naming: &Naming, written: &str) -> Option<String> {
        let names = self.keys.iter().flat_map(|key| {
            let in_file = key.from_file.then(|| naming.of_file(key.name));
            std::iter::once(naming.of(key.name)).chain(in_file)
        });
        // What all variables begin with would make any two of them look alike.
        let bare = |name: &str| name.trim_start_matches(PREFIX).to_owned();
        let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&bare(name), &bare(written));
        let scored = names.map(|name| (likeness(&name), name));
        let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
        best.filter(|(likeness, _)| *likeness > 0.5).map(|(_, name)| name)
    }

    fn merge(&self, entries: &BTreeMap<&'static str, Entry>) -> Result<Config, ConfigError> {
        let mut problems = Problems::default();
        let mut builder = Config::builder();
        // Every section is there, so that what is missing is always named by its full key.
        for key in self.keys {
            for (dot, _) in key.name.match_indices('.') {
                builder = builder
                    .set_default(&key.name[..dot], Map::<String, Value>::new())
                    .map_err(|error| ConfigError::invalid_name(&error))?;
            }
        }
        for (name, entry) in entries {
            let value = match &entry.given {
                Given::Value(value) => Value::new(Some(&entry.origin), value.clone()),
                Given::File(path) => match layer::read_value(path) {
                    Ok(text) => Value::new(Some(&entry.origin), text),
                    Err(reason) => {
                        problems.unreadable(&entry.origin, path, &reason);
                        continue;
                    }
                },
            };
            builder = builder.set_override(name, value).map_err(|error| ConfigError::invalid_name(&error))?;
        }
        problems.into_result()?;
        builder.build().map_err(|error| ConfigError::invalid_name(&error))
    }

    fn describe(&self, error: &::config::ConfigError, entries: &BTreeMap<&'static str, Entry>) -> ConfigError {
        error::describe(error, self.keys, entries)
    }
}

/// Why a value that could be read is still not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct Rejected {
    /// The key at fault.
    pub key: &'static str,
    /// What is wrong with it and how to mend it. It must not quote a secret.
    pub reason: String,
}

impl Rejected {
    /// Rejects the value of `key`.
    pub fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

/// The variables of this process that begin with [`PREFIX`]; one that is not Unicode is an error.
pub fn environment() -> Result<Vec<(String, String)>, ConfigError> {
    let ours = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = ours.filter(|(name, _)| name.starts_with(PREFIX));
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(ConfigError::not_unicode(&name)),
    })
    .collect()
}

#[cfg(test)]
mod tests;
