//! Attempts in SQLite: one small row a bucket, each step one transaction on the single writer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use service_kit::database::{Sqlite, StepError};

use super::{AttemptStore, StoreError};
use crate::domain::attempts::{Admission, Attempts, Bucket, Limit};

/// Dead rows that each new one takes along, so that they are gone sooner than new ones come.
const SWEPT_AT_ATTEMPT: i64 = 2;

/// The store of attempts on an open SQLite database.
pub struct SqliteAttempts(pub Arc<Sqlite>);

#[async_trait]
impl AttemptStore for SqliteAttempts {
    async fn attempt(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Admission, StoreError> {
        let limit = *limit;
        let step = move |connection: &Connection| {
            sweep(connection, now)?;
            let mut attempts = stored(connection, bucket, now)?.unwrap_or(Attempts::none(now));
            let admission = attempts.attempt(&limit, now);
            store(connection, bucket, &attempts)?;
            Ok(admission)
        };
        Ok(self.0.step(step).await?)
    }

    async fn attempt_where_known(
        &self,
        bucket: Bucket,
        limit: &Limit,
        now: DateTime<Utc>,
    ) -> Result<Option<Admission>, StoreError> {
        let limit = *limit;
        // Most are not known, and to see that needs no turn on the writer.
        if self.0.look(|connection| stored(connection, bucket, now))?.is_none() {
            return Ok(None);
        }
        let step = move |connection: &Connection| {
            let Some(mut attempts) = stored(connection, bucket, now)? else { return Ok(None) };
            let admission = attempts.attempt(&limit, now);
            store(connection, bucket, &attempts)?;
            Ok(Some(admission))
        };
        Ok(self.0.step(step).await?)
    }

    async fn wait(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Duration, StoreError> {
        let attempts = self.0.look(|connection| stored(connection, bucket, now))?;
        Ok(attempts.map(|attempts| attempts.wait(limit, now)).unwrap_or_default())
    }

    async fn take_back(&self, bucket: Bucket, now: DateTime<Utc>) -> Result<(), StoreError> {
        let step = move |connection: &Connection| {
            let Some(mut attempts) = stored(connection, bucket, now)? else { return Ok(()) };
            attempts.take_back(now);
            store(connection, bucket, &attempts)
        };
        Ok(self.0.step(step).await?)
    }

    async fn know(&self, bucket: Bucket, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let step = move |connection: &Connection| {
            store(connection, bucket, &Attempts { keep_until: until, ..Attempts::none(now) })
        };
        Ok(self.0.step(step).await?)
    }
}

fn stored(connection: &Connection, bucket: Bucket, now: DateTime<Utc>) -> Result<Option<Attempts>, StepError> {
    let sql = "SELECT record FROM attempts WHERE bucket = $1 AND keep_until > $2";
    let mut statement = connection.prepare_cached(sql)?;
    let parameters = params![bucket.0.as_slice(), now.timestamp_millis()];
    let record: Option<String> = statement.query_row(parameters, |row| row.get(0)).optional()?;
    let parsed = record.map(|record| serde_json::from_str(&record)).transpose();
    parsed.map_err(|error| StepError::Unreadable(format!("a count of attempts cannot be read: {error}")))
}

fn store(connection: &Connection, bucket: Bucket, attempts: &Attempts) -> Result<(), StepError> {
    let record = serde_json::to_string(attempts).map_err(|error| StepError::Unreadable(error.to_string()))?;
    connection
        .prepare_cached(
            "INSERT INTO attempts (bucket, record, keep_until) VALUES ($1, $2, $3)
             ON CONFLICT (bucket) DO UPDATE SET record = excluded.record, keep_until = excluded.keep_until",
        )?
        .execute(params![bucket.0.as_slice(), record, attempts.keep_until.timestamp_millis()])?;
    Ok(())
}

fn sweep(connection: &Connection, now: DateTime<Utc>) -> Result<(), StepError> {
    connection
        .prepare_cached(
            "DELETE FROM attempts WHERE bucket IN
             (SELECT bucket FROM attempts WHERE keep_until <= $1 ORDER BY keep_until LIMIT $2)",
        )?
        .execute(params![now.timestamp_millis(), SWEPT_AT_ATTEMPT])?;
    Ok(())
}
