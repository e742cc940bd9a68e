//! The session store on SQLite passes the suite of all session stores.

use std::sync::Arc;

use auth_service::session_store_conformance;
use auth_service::stores::conformance::Backend;
use auth_service::stores::{SessionStore, open_sqlite_sessions};
use tempfile::TempDir;

struct Sqlite(TempDir);

impl Sqlite {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Backend for Sqlite {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(open_sqlite_sessions(&self.0.path().join("sessions.db")).unwrap())
    }
}

session_store_conformance!(Sqlite::new());
