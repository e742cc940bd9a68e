//! What is kept: users in the database, sessions in the token store. Stores answer with facts and decide nothing.

#[cfg(feature = "conformance")]
pub mod conformance;
mod finding;
mod measured;
mod open;
mod redis;
mod sqlite;
mod sqlite_attempts;
mod users;
#[cfg(feature = "conformance")]
pub mod users_suite;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use service_kit::database::DatabaseError;
use shared_claims::Clock;
use uuid::Uuid;

pub use finding::{Finding, Severity, warn_of_findings};
pub use open::{MIGRATIONS, OpenStores, OpenStoresError, Schema, open, open_sqlite_sessions, open_with};
#[cfg(feature = "conformance")]
pub use redis::repacked_session;
use redis::unconfirmed_endings;
pub use redis::{Redis, RedisAttempts, RedisSessions, RedisSettings};
pub use sqlite::SqliteSessions;
pub use sqlite_attempts::SqliteAttempts;
pub use users::{Inserted, NewUser, Users};

use crate::domain::attempts::{Admission, Bucket, Limit};
use crate::domain::session::{
    Asking, EndReason, EndedSession, Ending, Presented, Rotation, Session, SessionRules, Which,
};

/// The sessions of all users, each user's changed in one atomic step.
///
/// What each step does is written down as [`UserSessions`](crate::domain::session::UserSessions); a store does the same
/// in one step that no other can come between, also from another process, and keeps it when it has answered.
/// [`conformance`] holds a store to that. There is no way to read something, decide, and write it back.
///
/// An error means that the store failed. Where it failed after it was asked to change something, the change may stand.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Adds a session and ends those for which there is no more room. Answers with the latter.
    async fn start(
        &self,
        user_id: Uuid,
        session: Session,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Vec<EndedSession>, StoreError>;

    /// Moves a session to its next generation, or says why not.
    async fn rotate(
        &self,
        user_id: Uuid,
        presented: &Presented,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Rotation, StoreError>;

    /// Ends sessions for one reason; where `asking` is given, only if that session is live and current.
    async fn end(
        &self,
        user_id: Uuid,
        which: Which,
        asking: Option<Asking>,
        reason: EndReason,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError>;

    /// Ends every session but the one that asks, which lives on with the user's new credential version.
    async fn change_credentials(
        &self,
        user_id: Uuid,
        asking: Asking,
        new_version: i64,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError>;

    /// The live sessions of a user, last used first. `expires_at` is when each ends by itself.
    async fn list(&self, user_id: Uuid, rules: &SessionRules, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError>;

    /// Asks whether the store can be read and written.
    async fn check(&self) -> Result<(), StoreError>;

    /// Looks for what an operator should mend before it hurts. Slow, and for no request to wait for.
    async fn inspect(&self, _clock: &dyn Clock) -> Result<Vec<Finding>, StoreError> {
        Ok(Vec::new())
    }
}

/// Attempts to guess, counted beside the sessions so that all instances count together; each step is atomic.
///
/// What each step does is written down as [`Attempts`](crate::domain::attempts::Attempts). A bucket whose `keep_until`
/// has come is as good as none, and the store forgets it sooner or later.
#[async_trait]
pub trait AttemptStore: Send + Sync {
    /// Counts an attempt, unless it must wait.
    async fn attempt(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Admission, StoreError>;

    /// The same in a bucket that is [known](Self::know) already; `None` where it is not.
    async fn attempt_where_known(
        &self,
        bucket: Bucket,
        limit: &Limit,
        now: DateTime<Utc>,
    ) -> Result<Option<Admission>, StoreError>;

    /// How long an attempt would have to wait; zero where it would not. Nothing is counted.
    async fn wait(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Duration, StoreError>;

    /// Takes back an attempt that turned out right.
    async fn take_back(&self, bucket: Bucket, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Keeps a bucket until then, with no attempts in it.
    async fn know(&self, bucket: Bucket, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError>;
}

/// The token store failed; always a 503.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database that the sessions are in.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There is no connection to Redis at the moment; it was not asked.
    #[error("no connection to Redis: {0}")]
    Unconnected(String),
    /// Redis refused, and changed nothing.
    #[error("Redis refused: {0}")]
    Refused(String),
    /// The connection broke before the answer came. A change may have been made all the same.
    #[error("the connection to Redis broke: {0}")]
    Lost(String),
    /// No answer in time. A change may have been made all the same.
    #[error("no answer from Redis in time")]
    TimedOut,
    /// What is stored, or was answered, is of no known shape. It is never taken for "no session".
    #[error("what Redis holds cannot be read: {0}")]
    Unreadable(String),
}
