//! Sessions in SQLite: one row a user with all of their sessions, each step one transaction on the single writer.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use service_kit::database::{Database, Sqlite, StepError};
use uuid::Uuid;

use super::{SessionStore, StoreError};
use crate::domain::session::{
    Asking, EndReason, EndedSession, Ending, Presented, Rotation, Session, SessionRules, UserSessions, Which,
};

/// Dead rows that each login takes along, so that they are gone sooner than new ones come.
const SWEPT_AT_LOGIN: i64 = 2;

/// The session store on an open SQLite database.
pub struct SqliteSessions(pub Arc<Sqlite>);

#[async_trait]
impl SessionStore for SqliteSessions {
    async fn start(
        &self,
        user_id: Uuid,
        session: Session,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Vec<EndedSession>, StoreError> {
        let rules = *rules;
        let step = move |connection: &Connection| {
            sweep(connection, now)?;
            change(connection, user_id, |sessions| sessions.start(session, &rules, now))
        };
        Ok(self.0.step(step).await?)
    }

    async fn rotate(
        &self,
        user_id: Uuid,
        presented: &Presented,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Rotation, StoreError> {
        let (presented, rules) = (*presented, *rules);
        let step = move |connection: &Connection| {
            change(connection, user_id, |sessions| sessions.rotate(&presented, &rules, now))
        };
        Ok(self.0.step(step).await?)
    }

    async fn end(
        &self,
        user_id: Uuid,
        which: Which,
        asking: Option<Asking>,
        reason: EndReason,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError> {
        let rules = *rules;
        let step = move |connection: &Connection| {
            change(connection, user_id, |sessions| sessions.end(which, asking, reason, &rules, now))
        };
        Ok(self.0.step(step).await?)
    }

    async fn change_credentials(
        &self,
        user_id: Uuid,
        asking: Asking,
        new_version: i64,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError> {
        let rules = *rules;
        let step = move |connection: &Connection| {
            change(connection, user_id, |sessions| sessions.change_credentials(asking, new_version, &rules, now))
        };
        Ok(self.0.step(step).await?)
    }

    async fn list(&self, user_id: Uuid, rules: &SessionRules, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError> {
        Ok(self.0.look(|connection| Ok(stored(connection, user_id)?.list(rules, now)))?)
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(self.0.check().await?)
    }
}

/// Lets the pure state machine change a user's sessions, within the transaction that the caller is in.
fn change<T>(
    connection: &Connection,
    user_id: Uuid,
    decide: impl FnOnce(&mut UserSessions) -> T,
) -> Result<T, StepError> {
    let before = stored(connection, user_id)?;
    let mut after = before.clone();
    let outcome = decide(&mut after);
    if after != before {
        store(connection, user_id, &after)?;
    }
    Ok(outcome)
}

fn stored(connection: &Connection, user_id: Uuid) -> Result<UserSessions, StepError> {
    let mut statement = connection.prepare_cached("SELECT record FROM sessions WHERE user_id = $1")?;
    let record: Option<String> = statement.query_row([user_id], |row| row.get(0)).optional()?;
    let Some(record) = record else { return Ok(UserSessions::default()) };
    serde_json::from_str(&record)
        .map_err(|error| StepError::Unreadable(format!("the sessions of user {user_id} cannot be read: {error}")))
}

fn store(connection: &Connection, user_id: Uuid, sessions: &UserSessions) -> Result<(), StepError> {
    let Some(keep_until) = sessions.worth_keeping_until() else {
        connection.prepare_cached("DELETE FROM sessions WHERE user_id = $1")?.execute([user_id])?;
        return Ok(());
    };
    let record = serde_json::to_string(sessions).map_err(|error| StepError::Unreadable(error.to_string()))?;
    connection
        .prepare_cached(
            "INSERT INTO sessions (user_id, record, keep_until) VALUES ($1, $2, $3)
             ON CONFLICT (user_id) DO UPDATE SET record = excluded.record, keep_until = excluded.keep_until",
        )?
        .execute(params![user_id, record, keep_until.timestamp_millis()])?;
    Ok(())
}

fn sweep(connection: &Connection, now: DateTime<Utc>) -> Result<(), StepError> {
    connection
        .prepare_cached(
            "DELETE FROM sessions WHERE user_id IN
             (SELECT user_id FROM sessions WHERE keep_until <= $1 ORDER BY keep_until LIMIT $2)",
        )?
        .execute(params![now.timestamp_millis(), SWEPT_AT_LOGIN])?;
    Ok(())
}
