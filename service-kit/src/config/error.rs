//! What stopped the start, in words for the operator. No message holds the value of a key that may be given as a file.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::Path;

use super::layer::Entry;
use super::{Key, Rejected, variable};

/// The configuration cannot be used. It prints as one line for each thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl Error for ConfigError {}

impl ConfigError {
    fn one(problem: String) -> Self {
        Self { problems: vec![problem] }
    }

    pub(super) fn unreadable_file(path: &Path, error: &std::io::Error) -> Self {
        Self::one(format!("the configuration file {} cannot be read: {error}", path.display()))
    }

    /// The parser quotes the line at fault, which may hold a secret: only its position is told.
    pub(super) fn invalid_toml(source: &str, text: &str, error: &(dyn Error + 'static)) -> Self {
        let span = error.downcast_ref::<toml::de::Error>().and_then(toml::de::Error::span);
        let place = span.and_then(|span| text.get(..span.start)).map(|before| {
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
            format!(": see line {line}, column {column}")
        });
        Self::one(format!("{source} is not valid TOML{}", place.unwrap_or_default()))
    }

    pub(super) fn not_unicode(variable: &str) -> Self {
        Self::one(format!("{variable} is not Unicode text"))
    }

    pub(super) fn rejected(rejected: &Rejected, entry: Option<&Entry>) -> Self {
        let Rejected { key, reason } = rejected;
        Self::one(match entry {
            Some(entry) => format!("{}: {reason}", at(key, &entry.origin)),
            None => format!("{key} (environment variable {}): {reason}", variable(key)),
        })
    }

    pub(super) fn invalid_name(error: &::config::ConfigError) -> Self {
        Self::one(format!("the list of configuration keys is broken: {error}"))
    }
}

/// Collects what is wrong with the layers, so that all of it is told at once.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn unknown(&mut self, origin: &str, nearest: Option<String>) {
        let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        self.0.push(format!("{origin}: there is no such configuration key{hint}"));
    }

    pub(super) fn given_twice(&mut self, key: Key, one: &str, other: &str) {
        self.0.push(format!("{}: {one} and {other} both give it; keep one of them", key.name));
    }

    pub(super) fn not_a_path(&mut self, origin: &str) {
        self.0.push(format!("{origin}: the path of a file is expected"));
    }

    pub(super) fn unreadable(&mut self, origin: &str, path: &Path, reason: &str) {
        self.0.push(format!("{origin}: the file {} cannot be read: {reason}", path.display()));
    }

    pub(super) fn into_result(self) -> Result<(), ConfigError> {
        if self.0.is_empty() { Ok(()) } else { Err(ConfigError { problems: self.0 }) }
    }
}

/// A key with its place; an environment variable names its key already.
fn at(key: &str, origin: &str) -> String {
    if origin.starts_with(super::PREFIX) { format!("{origin} ({key})") } else { origin.to_owned() }
}

/// Says which key a failed conversion was about, and where its value came from.
pub(super) fn describe(
    error: &::config::ConfigError,
    keys: &[Key],
    entries: &BTreeMap<&'static str, Entry>,
) -> ConfigError {
    let (path, reason) = dissect(error);
    let name = path.split('[').next().unwrap_or_default();
    if let Reason::Missing = reason {
        return ConfigError::one(missing(name, keys));
    }
    let is_inside = |key: &Key| name.is_empty() || key.name == name || key.name.starts_with(&format!("{name}."));
    let is_hidden = keys.iter().any(|key| key.from_file && is_inside(key));
    let place = entries.get(name).map_or_else(|| name.to_owned(), |entry| at(name, &entry.origin));
    ConfigError::one(match reason {
        Reason::Type { expected, .. } if is_hidden => {
            format!("{place}: {expected} is expected (the value is not shown)")
        }
        Reason::Type { expected, found } => format!("{place}: {expected} is expected, not {found}"),
        Reason::Other(_) if is_hidden => format!("{place}: the value cannot be used (it is not shown)"),
        Reason::Other(text) => format!("{place}: {text}"),
        Reason::Missing => unreachable!("answered above"),
    })
}

fn missing(name: &str, keys: &[Key]) -> String {
    let in_file = keys.iter().any(|key| key.name == name && key.from_file);
    let variable = variable(name);
    let or_file = if in_file { format!(" or {variable}_FILE") } else { String::new() };
    format!("{name} is required: set {variable}{or_file}, or `{name}` in the configuration file")
}

enum Reason {
    Missing,
    Type { expected: &'static str, found: String },
    Other(String),
}

/// Takes an error of the `config` crate apart into the key it is about and the reason.
fn dissect(error: &::config::ConfigError) -> (&str, Reason) {
    match error {
        ::config::ConfigError::NotFound(key) => (key, Reason::Missing),
        ::config::ConfigError::Type { unexpected, expected, key, .. } => {
            (key.as_deref().unwrap_or_default(), Reason::Type { expected, found: unexpected.to_string() })
        }
        ::config::ConfigError::At { error, key, .. } => (key.as_deref().unwrap_or_default(), dissect(error).1),
        other => ("", Reason::Other(other.to_string())),
    }
}
