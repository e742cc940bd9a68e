//! A session in a file that its owner alone can read, for programs that are started again and for several at once.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::{StorageError, StorageLock, TokenStorage};

/// Longer than whoever holds the lock waits for an answer (`refresher::ONE_ANSWER`), and some for its disk.
const PATIENCE: Duration = Duration::from_secs(15);

/// The time between two attempts to get the lock. There is no waiting for it that could be called off.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// Keeps the session in a file, which processes may share: one refreshes, the others take over what it brought.
///
/// - The file and the directories that had to be made for it are readable by their owner alone (on Unix).
/// - A new text is written aside, brought to the disk and put in place at once: there is never half a file.
/// - The lock is on a second, empty file, `NAME.lock`, for the first is another file after each change. The system lets it go when
///   its process ends, however that ends. It stays where it is.
#[derive(Debug, Clone)]
pub struct FileStorage {
    path: PathBuf,
}

impl FileStorage {
    /// In the file of this path, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn lock_path(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        self.path.with_file_name(name)
    }
}

#[async_trait]
impl TokenStorage for FileStorage {
    async fn load(&self) -> Result<Option<SecretString>, StorageError> {
        let read = at(self.path.clone(), |path| fs::read(path)).await;
        match read {
            // What is not even text is no session: that is for whoever reads it to find, as of any other damage.
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned().into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &self.path, error)),
        }
    }

    async fn store(&self, text: &SecretString) -> Result<(), StorageError> {
        let text = text.clone();
        let written = at(self.path.clone(), move |path| replace(path, text.expose_secret())).await;
        written.map_err(|error| failed("write", &self.path, error))
    }

    async fn lock(&self) -> Result<StorageLock, StorageError> {
        let path = self.lock_path();
        let file = at(path.clone(), open_private).await.map_err(|error| failed("open", &path, error))?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(StorageLock::new(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < give_up => sleep(TRY_AGAIN).await,
                Err(TryLockError::WouldBlock) => {
                    let (path, seconds) = (path.display(), PATIENCE.as_secs());
                    return Err(StorageError::busy(format!("another process has held {path} for {seconds} s")));
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path, error)),
            }
        }
    }
}

/// Does what may block where it keeps nobody from their work.
async fn at<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(move || work(&path)).await.unwrap_or_else(|interrupted| Err(io::Error::other(interrupted)))
}

fn failed(verb: &str, path: &Path, cause: io::Error) -> StorageError {
    StorageError::because(format!("cannot {verb} {}", path.display()), cause)
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = directory(path);
    make_private(directory)?;
    // Created readable by its owner alone.
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_directory(directory)
}

fn open_private(path: &Path) -> io::Result<File> {
    make_private(directory(path))?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// A name is the directory's to keep, and survives a crash once that is on the disk.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use futures_util::FutureExt;

    use super::*;
    use crate::record::Stored;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn what_was_stored_comes_back_in_another_process_and_is_its_owners_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/down/tokens.json");
        let storage = FileStorage::new(&path);
        assert!(storage.load().await.unwrap().is_none());
        drop(storage.lock().await.unwrap());
        storage.store(&"one".into()).await.unwrap();
        storage.store(&"two".into()).await.unwrap();
        let text = FileStorage::new(&path).load().await.unwrap().unwrap();
        assert_eq!(text.expose_secret(), "two");
        assert_eq!([mode(&path), mode(&storage.lock_path()), mode(path.parent().unwrap())], [0o600, 0o600, 0o700]);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "nothing is left aside");
    }

    #[tokio::test]
    async fn a_file_that_others_could_read_is_replaced_by_one_that_they_cannot() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("tokens.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        FileStorage::new(&path).store(&"new".into()).await.unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[tokio::test]
    async fn a_file_that_is_no_text_holds_no_session_and_can_be_written_again() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("tokens.json");
        fs::write(&path, b"{\"session\":\xff").unwrap();
        let storage = FileStorage::new(&path);
        assert!(Stored::parse(storage.load().await.unwrap().as_ref()).session.is_none());
        storage.store(&"new".into()).await.unwrap();
        assert_eq!(storage.load().await.unwrap().unwrap().expose_secret(), "new");
    }

    #[tokio::test]
    async fn the_lock_is_held_by_one_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(home.path().join("tokens.json"));
        let first = storage.lock().await.unwrap();
        let other = storage.clone();
        let mut second = Box::pin(async move { other.lock().await.unwrap() });
        // Opening the file takes a moment; it is the lock itself that is refused then.
        let file = File::options().write(true).open(storage.lock_path()).unwrap();
        assert!(matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        second.await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_is_never_let_go_is_given_up_for_now() {
        let home = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(home.path().join("tokens.json"));
        let _held = storage.lock().await.unwrap();
        let began = Instant::now();
        let error = storage.lock().await.unwrap_err();
        assert!(error.is_busy() && error.to_string().contains("tokens.json.lock"), "{error}");
        assert!(began.elapsed() >= PATIENCE);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_written_to_is_named() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("file"), "").unwrap();
        let error = FileStorage::new(home.path().join("file/tokens.json")).lock().await.unwrap_err();
        assert!(error.to_string().contains("file/tokens.json.lock"), "{error}");
    }
}
