//! Where a client keeps its session between calls: in memory, in a file, or where you say.

mod file;
mod memory;

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

pub use self::file::FileStorage;
pub use self::memory::MemoryStorage;

/// Keeps one text, for everybody who shares it: clients of this process, or processes that share a file.
///
/// The text is the session: tokens and the key that goes with them. Whoever reads it can act as the user, so keep it where its
/// owner alone can read it. What is in it may change from version to version.
#[async_trait]
pub trait TokenStorage: fmt::Debug + Send + Sync {
    /// What was stored last, by whoever; `None` where nothing ever was.
    async fn load(&self) -> Result<Option<SecretString>, StorageError>;

    /// Replaces it, all or nothing, and durably: once this has returned, a crash brings back the new text, and before that the
    /// old one. It is called with the lock held.
    async fn store(&self, text: &SecretString) -> Result<(), StorageError>;

    /// Waits until nobody else holds the lock. One refresh runs at a time because of it, so wait longer than a request may take,
    /// and then fail with
    /// [`StorageError::busy`] rather than go on without.
    async fn lock(&self) -> Result<StorageLock, StorageError>;
}

/// Keeps others from storing, until it is dropped.
pub struct StorageLock {
    _held: Box<dyn Any + Send>,
}

impl StorageLock {
    /// A lock that is let go when `held` is dropped.
    pub fn new(held: impl Any + Send) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for StorageLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageLock")
    }
}

/// Why a session could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StorageError {
    what: String,
    is_busy: bool,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StorageError {
    /// `what` is for a person to read, such as `cannot read tokens.json`. It must not show what is stored.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), is_busy: false, cause: None }
    }

    /// The same with what brought it about.
    pub fn because(what: impl Into<String>, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { what: what.into(), is_busy: false, cause: Some(Box::new(cause)) }
    }

    /// Others hold the lock, so that a later attempt may well succeed.
    pub fn busy(what: impl Into<String>) -> Self {
        Self { what: what.into(), is_busy: true, cause: None }
    }

    /// True where others hold the lock.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }
}
