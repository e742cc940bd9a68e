//! A session that lives as long as its process.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync;

use super::{StorageError, StorageLock, TokenStorage};

/// Keeps the session in memory. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    text: Arc<Mutex<Option<SecretString>>>,
    lock: Arc<sync::Mutex<()>>,
}

impl MemoryStorage {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStorage")
    }
}

#[async_trait]
impl TokenStorage for MemoryStorage {
    async fn load(&self) -> Result<Option<SecretString>, StorageError> {
        Ok(self.text.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn store(&self, text: &SecretString) -> Result<(), StorageError> {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.clone());
        Ok(())
    }

    async fn lock(&self) -> Result<StorageLock, StorageError> {
        Ok(StorageLock::new(Arc::clone(&self.lock).lock_owned().await))
    }
}
