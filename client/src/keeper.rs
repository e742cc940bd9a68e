//! The session as its storage has it, and for how long this process has known its access token. Every change is made with the
//! storage's lock held, on what is there at that moment.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::record::{Session, Stored};
use crate::{Error, StorageLock, TokenStorage};

#[derive(Debug)]
pub(crate) struct Keeper {
    storage: Arc<dyn TokenStorage>,
    seen: Mutex<Option<Seen>>,
}

/// The access token in use, and since when. One that was found in the storage counts from then: its age is unknown.
#[derive(Debug)]
struct Seen {
    access_token: SecretString,
    since: Instant,
}

/// The storage while nobody else may change it.
pub(crate) struct Held<'a> {
    keeper: &'a Keeper,
    pub(crate) stored: Stored,
    _lock: StorageLock,
}

impl Keeper {
    pub(crate) fn new(storage: Arc<dyn TokenStorage>) -> Self {
        Self { storage, seen: Mutex::default() }
    }

    pub(crate) async fn read(&self) -> Result<Stored, Error> {
        Ok(Stored::parse(self.storage.load().await?.as_ref()))
    }

    /// The session; where there is none, an error that says why.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        let stored = self.read().await?;
        stored.session.ok_or(Error::SignedOut(stored.ended_because))
    }

    /// Waits for its turn, and reads only then: whoever had it before may have changed everything.
    pub(crate) async fn hold(&self) -> Result<Held<'_>, Error> {
        let lock = self.storage.lock().await?;
        Ok(Held { keeper: self, stored: self.read().await?, _lock: lock })
    }

    /// Counts the age of this session's access token from `since`.
    pub(crate) fn received(&self, session: &Session, since: Instant) {
        let seen = Seen { access_token: session.access_token.clone(), since };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }

    /// For how long this process has known the access token, by a clock that no one can set.
    pub(crate) fn age(&self, session: &Session) -> Duration {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Some(seen) if session.has_access_token(&seen.access_token) => seen.since.elapsed(),
            _ => {
                *seen = Some(Seen { access_token: session.access_token.clone(), since: Instant::now() });
                Duration::ZERO
            }
        }
    }
}

impl Held<'_> {
    /// Writes what has become of it, and lets others at it.
    pub(crate) async fn store(self) -> Result<(), Error> {
        Ok(self.keeper.storage.store(&self.stored.text()).await?)
    }
}
