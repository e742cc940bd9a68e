//! The read-only connections: taken for one look, given back after it.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::{StepError, open};
use crate::database::DatabaseError;

/// Connections kept open between looks; more are made when more threads look at once.
const KEPT: usize = 16;

pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&Connection) -> Result<T, StepError>) -> Result<T, DatabaseError> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open::read_only(&self.path)?,
        };
        let found = look(&connection)?;
        // A connection whose look failed is not kept: whatever was wrong with it goes with it.
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(found)
    }
}
