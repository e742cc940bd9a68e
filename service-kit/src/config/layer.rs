//! One layer of the configuration as it was written: names, values and where each stood. Which of them are known is the loader's question.

use std::fs;
use std::path::{Path, PathBuf};

use ::config::{FileFormat, Format, Value, ValueKind};

use super::error::{ConfigError, Problems};
use super::{PREFIX, variable};

/// How a layer spells the name of a key.
pub(super) enum Naming {
    /// `tokens.access_secret`
    Dotted,
    /// `LATCHKEY_TOKENS__ACCESS_SECRET`
    Variables,
}

impl Naming {
    pub(super) fn of(&self, key: &str) -> String {
        match self {
            Self::Dotted => key.to_owned(),
            Self::Variables => variable(key),
        }
    }

    pub(super) fn of_file(&self, key: &str) -> String {
        self.of(&format!("{key}_file"))
    }
}

pub(super) enum Given {
    Value(ValueKind),
    File(PathBuf),
}

/// What was given for one key, and where, in words for a person.
pub(super) struct Entry {
    pub(super) given: Given,
    pub(super) origin: String,
}

impl Entry {
    /// Takes the value for the path of a file that holds it.
    pub(super) fn into_path(self, problems: &mut Problems) -> Option<Self> {
        let Given::Value(ValueKind::String(path)) = self.given else {
            problems.not_a_path(&self.origin);
            return None;
        };
        Some(Self { given: Given::File(path.into()), origin: self.origin })
    }
}

pub(super) struct Layer {
    pub(super) naming: Naming,
    /// By the name as it was written.
    pub(super) entries: Vec<(String, Entry)>,
}

impl Layer {
    pub(super) fn from_file(path: &Path, is_key: impl Fn(&str) -> bool) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|error| ConfigError::unreadable_file(path, &error))?;
        Self::from_toml(&text, &path.display().to_string(), is_key)
    }

    /// Reads TOML. Whatever stands at a key is its value, also a table.
    pub(super) fn from_toml(text: &str, source: &str, is_key: impl Fn(&str) -> bool) -> Result<Self, ConfigError> {
        let members =
            FileFormat::Toml.parse(None, text).map_err(|error| ConfigError::invalid_toml(source, text, &*error))?;
        let mut entries = Vec::new();
        flatten("", ValueKind::Table(members), &is_key, &mut |name, value| {
            let origin = format!("`{name}` in {source}");
            entries.push((name.to_owned(), Entry { given: Given::Value(value), origin }));
        });
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self { naming: Naming::Dotted, entries })
    }

    pub(super) fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = variables.into_iter().filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty());
        let entries = ours.map(|(name, value)| {
            let entry = Entry { given: Given::Value(ValueKind::String(value)), origin: name.clone() };
            (name, entry)
        });
        Self { naming: Naming::Variables, entries: entries.collect() }
    }
}

/// Names every leaf by its full key. A section without members counts as a leaf, so that a misspelt one is noticed.
fn flatten(name: &str, value: ValueKind, is_key: &impl Fn(&str) -> bool, add: &mut impl FnMut(&str, ValueKind)) {
    match value {
        ValueKind::Table(members) if name.is_empty() || (!members.is_empty() && !is_key(name)) => {
            for (member, Value { kind, .. }) in members {
                let name = if name.is_empty() { member } else { format!("{name}.{member}") };
                flatten(&name, kind, is_key, add);
            }
        }
        value => add(name, value),
    }
}

/// Reads a value that is kept in a file of its own. The reason it fails for never quotes what the file holds.
pub(super) fn read_value(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}
