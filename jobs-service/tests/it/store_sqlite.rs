//! The store on SQLite.

use std::sync::Arc;

use jobs_service::database::MIGRATIONS;
use service_kit::database::{Database, Sqlite};
use tempfile::TempDir;

use crate::store_suite::store_suite;

#[allow(clippy::unused_async, reason = "the suite waits for it: another database is not opened in an instant")]
async fn open() -> (Arc<dyn Database>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let database = Sqlite::open(&directory.path().join("jobs.db"), &MIGRATIONS).unwrap();
    (database, directory)
}

store_suite!(open);
