//! The secrets that this process makes for itself at its first start, in a file that its owner alone can read.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use shared_claims::generate_secret;

const FILE: &str = "secrets.toml";

/// The file as a whole: a configuration file of the services as well, so that their commands can be given it.
#[derive(Deserialize)]
struct Written {
    tokens: Secrets,
}

/// One secret for each kind of token.
#[derive(Debug, Deserialize)]
pub(crate) struct Secrets {
    pub(crate) access_secret: SecretString,
    pub(crate) refresh_secret: SecretString,
}

/// Why there are no secrets. Never shows one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretsError {
    #[error("cannot write {path}: {source}; check that the directory exists and belongs to this user")]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "{path} does not hold an access_secret and a refresh_secret; restore it, or move it away to have new ones made (which signs everybody out)"
    )]
    Corrupt { path: PathBuf },
}

/// Reads the secrets in `directory`, or makes them where there are none.
pub(crate) fn read_or_make(directory: &Path) -> Result<Secrets, SecretsError> {
    let path = directory.join(FILE);
    if !path.exists() {
        make(directory, &path).map_err(|source| SecretsError::Unwritable { path: path.clone(), source })?;
    }
    let text = fs::read_to_string(&path).map_err(|source| SecretsError::Unreadable { path: path.clone(), source })?;
    // The parser's error would quote the line.
    let written: Written = toml::from_str(&text).map_err(|_| SecretsError::Corrupt { path })?;
    Ok(written.tokens)
}

/// Writes aside and links into place: a crash leaves no half file, and of two processes that start together one wins.
fn make(directory: &Path, path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    // Created readable by its owner alone.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    writeln!(file, "# Made at the first start. Whoever has these can sign in as anybody.")?;
    writeln!(file, "[tokens]")?;
    writeln!(file, "access_secret = \"{}\"", generate_secret().expose_secret())?;
    writeln!(file, "refresh_secret = \"{}\"", generate_secret().expose_secret())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        // Its name is on the disk when the directory is: tokens that these secrets sign must not outlive them.
        Ok(_) => fs::File::open(directory)?.sync_all(),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn pair(secrets: &Secrets) -> (String, String) {
        (secrets.access_secret.expose_secret().to_owned(), secrets.refresh_secret.expose_secret().to_owned())
    }

    #[test]
    fn secrets_are_made_once_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let made = pair(&read_or_make(&data).unwrap());
        assert_ne!(made.0, made.1);
        assert_eq!(pair(&read_or_make(&data).unwrap()), made);
        assert_eq!(fs::metadata(data.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
    }

    #[test]
    fn processes_that_start_together_have_the_same_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| pair(&read_or_make(directory.path()).unwrap()))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(made.iter().all(|secrets| *secrets == made[0]));
    }

    #[test]
    fn a_damaged_file_is_named_and_not_quoted() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "access_secret = \"do-not-show-this-to-anybody\"").unwrap();
        let error = read_or_make(directory.path()).unwrap_err().to_string();
        assert!(error.contains(FILE) && !error.contains("do-not-show"), "{error}");
    }
}
