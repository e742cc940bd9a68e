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

/// In milliseconds.
const DAY: i64 = 86_400_000;

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
    let Some(worth_until) = sessions.worth_keeping_until() else {
        connection.prepare_cached("DELETE FROM sessions WHERE user_id = $1")?.execute([user_id])?;
        return Ok(());
    };
    let record = serde_json::to_string(sessions).map_err(|error| StepError::Unreadable(error.to_string()))?;
    let row = params![user_id, record, end_of_day(worth_until)];
    let same_day = "UPDATE sessions SET record = $2 WHERE user_id = $1 AND keep_until = $3";
    if connection.prepare_cached(same_day)?.execute(row)? == 0 {
        connection
            .prepare_cached(
                "INSERT INTO sessions (user_id, record, keep_until) VALUES ($1, $2, $3)
                 ON CONFLICT (user_id) DO UPDATE SET record = excluded.record, keep_until = excluded.keep_until",
            )?
            .execute(row)?;
    }
    Ok(())
}

/// Rows are kept until the end of the day in which they stop being worth it, so that most rotations leave the index of those times alone:
/// each would have up to two more pages to write.
fn end_of_day(time: DateTime<Utc>) -> i64 {
    (time.timestamp_millis().div_euclid(DAY) + 1) * DAY
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

// The feature has the sessions of the tests in it.
#[cfg(all(test, feature = "conformance"))]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use shared_claims::random;

    use super::*;
    use crate::domain::session::after;
    use crate::stores::conformance::{at_generation, rules, session};
    use crate::stores::open_sqlite_sessions;

    /// The beginning of a day.
    fn midnight() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(20_000 * DAY).expect("a time")
    }

    fn rows(store: &SqliteSessions) -> Vec<i64> {
        let rows = store.0.look(|connection| {
            let mut statement = connection.prepare("SELECT keep_until FROM sessions ORDER BY keep_until")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        });
        rows.expect("the store works")
    }

    #[tokio::test]
    async fn a_row_is_there_for_as_long_as_its_sessions_and_a_login_takes_two_dead_ones_along() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = open_sqlite_sessions(&directory.path().join("sessions.db")).expect("a store");
        let start =
            async |now| store.start(random::uuid(), session(now), &rules(), now).await.expect("the store works");
        for _ in 0..3 {
            start(midnight()).await;
        }
        let expiry = after(midnight(), rules().refresh_ttl);
        start(after(expiry, Duration::from_hours(23))).await;
        assert_eq!(rows(&store).len(), 4, "they were of use today");
        start(after(expiry, Duration::from_hours(24))).await;
        assert_eq!(rows(&store).len(), 3);
        start(after(expiry, Duration::from_hours(24))).await;
        assert_eq!(rows(&store).len(), 3, "one was left and one has come");
    }

    #[tokio::test]
    async fn a_rotation_changes_the_time_of_its_row_once_a_day() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = open_sqlite_sessions(&directory.path().join("sessions.db")).expect("a store");
        let (user, session) = (random::uuid(), session(midnight()));
        store.start(user, session.clone(), &rules(), midnight()).await.expect("the store works");
        let began = rows(&store);
        for (generation, hours) in [(0, 1), (1, 23), (2, 24)] {
            let now = after(midnight(), Duration::from_hours(hours));
            let presented = at_generation(&session, generation);
            let rotation = store.rotate(user, &presented, &rules(), now).await.expect("the store works");
            assert!(matches!(rotation, Rotation::Rotated(_)), "{rotation:?}");
            let days = i64::from(hours >= 24);
            assert_eq!(rows(&store), [began[0] + days * DAY], "after {hours} h");
        }
    }

    proptest! {
        #[test]
        fn a_row_outlives_what_is_in_it_by_a_day_at_the_most(milliseconds in 0..4_102_444_800_000_i64) {
            let time = DateTime::from_timestamp_millis(milliseconds).expect("before 2100");
            let kept = end_of_day(time);
            prop_assert!(kept > milliseconds && kept <= milliseconds + DAY && kept % DAY == 0, "{kept}");
        }
    }
}
