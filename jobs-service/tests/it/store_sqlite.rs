//! The store of jobs on SQLite passes the suite of all databases.

use std::sync::Arc;

use jobs_service::database::MIGRATIONS;
use jobs_service::store_suite;
use service_kit::database::{Database, Sqlite};
use tempfile::TempDir;

async fn open() -> ([Arc<dyn Database>; 2], TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let instance = || -> Arc<dyn Database> { Sqlite::open(&directory.path().join("jobs.db"), &MIGRATIONS).unwrap() };
    ([instance(), instance()], directory)
}

store_suite!(open);
