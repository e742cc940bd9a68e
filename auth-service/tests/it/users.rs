//! The users on SQLite pass the suite of all databases.

use std::sync::Arc;

use auth_service::stores::MIGRATIONS;
use auth_service::users_suite;
use service_kit::database::{Database, Sqlite};
use tempfile::TempDir;

async fn open() -> ([Arc<dyn Database>; 2], TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let instance = || -> Arc<dyn Database> { Sqlite::open(&directory.path().join("auth.db"), &MIGRATIONS).unwrap() };
    ([instance(), instance()], directory)
}

users_suite!(open);
