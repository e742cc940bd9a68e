//! Tells the log of each record that cannot be read: once when that shows and once when it can be read again, however many requests
//! meet it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::stores::StoreError;

/// As many keys are remembered. Where more records than that cannot be read, some are told of again.
const REMEMBERED: usize = 1_000;

/// The keys of the records that cannot be read, as the log knows them.
#[derive(Default)]
pub(super) struct Unreadables {
    keys: Mutex<HashSet<String>>,
    // Mostly there are none, and then no request waits for another.
    are_there: AtomicBool,
}

impl Unreadables {
    /// Notes that the record of this key could not be read.
    pub(super) fn note(&self, key: &str, cause: &StoreError) {
        let mut keys = self.keys();
        if keys.len() >= REMEMBERED {
            keys.clear();
        }
        if keys.insert(key.to_owned()) {
            self.are_there.store(true, Ordering::Relaxed);
            tracing::error!(key, %cause, "a record of the token store cannot be read");
        }
    }

    /// Notes that the record of this key was read.
    pub(super) fn note_read(&self, key: &str) {
        if !self.are_there.load(Ordering::Relaxed) {
            return;
        }
        let mut keys = self.keys();
        if keys.remove(key) {
            self.are_there.store(!keys.is_empty(), Ordering::Relaxed);
            tracing::info!(key, "a record of the token store can be read again");
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<String>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
