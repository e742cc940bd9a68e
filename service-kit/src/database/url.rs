//! Reads a database URL. Which file, or which server, is decided here once, at start.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

/// Where a database is.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// A file on this machine, opened by this process.
    Sqlite(PathBuf),
    /// A PostgreSQL server. The text may hold a password.
    Postgres(SecretString),
}

/// A database URL that names no database of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is neither `sqlite:PATH` nor `postgres://USER:PASSWORD@HOST/DATABASE`")]
pub struct DatabaseUrlError;

impl DatabaseUrl {
    /// Reads `sqlite:PATH` (also `sqlite://PATH`) or `postgres://…` (also `postgresql://…`).
    pub fn parse(url: &SecretString) -> Result<Self, DatabaseUrlError> {
        let text = url.expose_secret();
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            // A name such as `:memory:` or `?mode=…` would be taken for a file name, to the user's surprise.
            let is_plain = !path.is_empty() && !path.starts_with(':') && !path.contains('?');
            return if is_plain { Ok(Self::Sqlite(path.into())) } else { Err(DatabaseUrlError) };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.clone()));
        }
        Err(DatabaseUrlError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        DatabaseUrl::parse(&SecretString::from(text))
    }

    #[test]
    fn sqlite_urls_name_a_file() {
        for (url, file) in
            [("sqlite:data/a.db", "data/a.db"), ("sqlite:///var/a.db", "/var/a.db"), ("sqlite:/a.db", "/a.db")]
        {
            assert!(matches!(parsed(url), Ok(DatabaseUrl::Sqlite(path)) if path == *file), "{url}");
        }
    }

    #[test]
    fn what_names_no_database_is_refused() {
        for url in ["", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=ro", "mysql://x", "data/a.db", "redis://x"] {
            assert_eq!(parsed(url).err(), Some(DatabaseUrlError), "{url}");
        }
    }

    proptest! {
        #[test]
        fn a_text_names_a_file_a_server_or_nothing_and_is_never_shown(
            scheme in "(sqlite:|sqlite://|postgres://|postgresql://|postgres:)?",
            text in prop_oneof!["[a-z0-9/:?@.]{0,20}", "(?s).{0,20}"],
            password in "[a-z]{12}",
        ) {
            let url = format!("{scheme}{text}{password}");
            match parsed(&url) {
                Ok(DatabaseUrl::Sqlite(path)) => {
                    let path = path.to_str().expect("what was text");
                    prop_assert!(url.starts_with("sqlite:") && url.ends_with(path) && path.ends_with(&password));
                    prop_assert!(!path.starts_with(':') && !path.contains('?'), "{}", path);
                }
                Ok(server) => {
                    prop_assert!(url.starts_with("postgres://") || url.starts_with("postgresql://"));
                    let shown = format!("{server:?}");
                    prop_assert!(!shown.contains(&password));
                }
                Err(error) => {
                    let shown = format!("{error} {error:?}");
                    prop_assert!(!shown.contains(&password));
                }
            }
        }
    }
}
