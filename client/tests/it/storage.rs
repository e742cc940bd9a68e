//! A storage of the caller's own, and one that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use latchkey_client::{Error, MemoryStorage, SecretString, StorageError, StorageLock, TokenStorage};
use wiremock::ResponseTemplate;

use crate::support::{Bench, builder, ok, pair, post};

/// Memory on a disk that may be full.
#[derive(Debug, Clone)]
struct Disk {
    memory: MemoryStorage,
    is_full: Arc<AtomicBool>,
}

#[async_trait]
impl TokenStorage for Disk {
    async fn load(&self) -> Result<Option<SecretString>, StorageError> {
        self.memory.load().await
    }

    async fn store(&self, text: &SecretString) -> Result<(), StorageError> {
        if self.is_full.load(Ordering::Relaxed) {
            Err(StorageError::new("the disk is full"))
        } else {
            self.memory.store(text).await
        }
    }

    async fn lock(&self) -> Result<StorageLock, StorageError> {
        self.memory.lock().await
    }
}

#[tokio::test]
async fn a_pair_that_cannot_be_kept_is_not_used_and_is_asked_for_again_with_the_same_key() {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    let disk = Disk { memory: bench.storage.clone(), is_full: Arc::new(true.into()) };
    let client = builder(&bench.auth.uri()).storage(disk.clone()).build().unwrap();
    let error = client.current_user().await.unwrap_err();
    assert!(matches!(&error, Error::NotRenewed { source, .. } if matches!(**source, Error::Storage(_))), "{error:?}");
    assert!(!error.is_temporary());
    assert!(bench.calls("/current-user").await.iter().all(|sent| sent.headers["authorization"] == "Bearer access-1"));
    bench.assert_untouched().await;

    disk.is_full.store(false, Ordering::Relaxed);
    client.current_user().await.unwrap();
    let refreshes = bench.refreshes().await;
    assert_eq!(refreshes.len(), 2);
    assert_eq!(refreshes[0], refreshes[1]);
}

#[tokio::test]
async fn a_login_that_cannot_be_kept_is_ended_at_the_server() {
    let bench = Bench::new().await;
    post("/logout").respond_with(ResponseTemplate::new(204)).expect(1).mount(&bench.auth).await;
    let disk = Disk { memory: MemoryStorage::new(), is_full: Arc::new(true.into()) };
    let client = builder(&bench.auth.uri()).storage(disk).build().unwrap();
    let error = client.login(&latchkey_client::Login::new("ada", "engine-secret".into())).await.unwrap_err();
    assert!(matches!(error, Error::Storage(_)), "{error:?}");
}
