//! PostgreSQL under both services: the same answers as SQLite, connections that are shared, faults that are survived.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod crashes;
mod encryption;
mod failover;
mod faults;
mod fixture;
mod migrations;
mod programs;
mod read_only;
mod sharing;
mod starting;
mod suites;
mod things;
mod values;

use std::sync::Arc;
use std::time::Duration;

use service_kit::database::{Database, DatabaseError, OpenError, Postgres, PostgresSettings, Row};
use system_tests::postgres::TestDatabase;
use system_tests::waiting::eventually;

use self::things::MIGRATIONS;

/// The longest that a request may wait for its answer, whatever has failed.
const PROMISE: Duration = Duration::from_secs(2);

/// As a service has them by default, but for the number of connections.
fn settings(url: &str, max_connections: usize) -> PostgresSettings {
    let (timeout, connect_timeout) = (Duration::from_millis(1_800), Duration::from_millis(1_200));
    PostgresSettings { url: url.into(), ca_file: None, max_connections, timeout, connect_timeout }
}

async fn opened_at(url: &str) -> Arc<Postgres> {
    Postgres::open(&settings(url, 1), &MIGRATIONS).await.unwrap()
}

async fn opened(database: &TestDatabase, max_connections: usize) -> Arc<Postgres> {
    Postgres::open(&settings(&database.url(), max_connections), &MIGRATIONS).await.unwrap()
}

/// Why a database could not be opened, found without waiting.
async fn refusal(settings: &PostgresSettings) -> OpenError {
    let opening = tokio::time::timeout(PROMISE, Postgres::open(settings, &MIGRATIONS));
    opening.await.expect("it is known at once").err().expect("it is refused")
}

/// The outcome of a call, which must come in time.
async fn in_time<T>(call: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    tokio::time::timeout(PROMISE, call).await.expect("an answer within two seconds")
}

async fn read(database: &Postgres) -> Result<Vec<Row>, DatabaseError> {
    in_time(database.read("SELECT COUNT(*) FROM numbers", vec![])).await
}

async fn write(database: &Postgres, number: i64) -> Result<Vec<Row>, DatabaseError> {
    in_time(database.write("INSERT INTO numbers VALUES ($1)", vec![number.into()])).await
}

/// Reading, writing and the check work again, without anybody's help.
async fn recovers(database: &Postgres) {
    eventually("reading works", async || read(database).await.ok()).await;
    eventually("writing works", async || write(database, -1).await.ok()).await;
    eventually("the check passes", async || in_time(database.check()).await.ok()).await;
}

/// Which connection of the server answers.
async fn backend(database: &Postgres) -> i64 {
    let rows = in_time(database.read("SELECT pg_backend_pid()::BIGINT", vec![])).await.unwrap();
    rows[0].get(0).unwrap()
}
