//! Times each step in the token store, whichever that is. It changes nothing of what the store answers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use service_kit::metrics::{Metrics, Timings};
use shared_claims::Clock;
use strum::{IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::{AttemptStore, Finding, SessionStore, StoreError};
use crate::domain::attempts::{Admission, Bucket, Limit};
use crate::domain::session::{
    Asking, EndReason, EndedSession, Ending, Presented, Rotation, Session, SessionRules, Which,
};

/// The steps of a token store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum Step {
    Start,
    Rotate,
    End,
    ChangeCredentials,
    List,
    Attempt,
    AttemptWhereKnown,
    Wait,
    TakeBack,
    Know,
}

/// The times of all steps. Cloning it gives the same ones again.
#[derive(Clone)]
pub(super) struct StepTimes(Timings<Step>);

impl StepTimes {
    pub(super) fn new() -> Self {
        Self(Timings::new("token_store", "the token store"))
    }

    pub(super) fn show_in(&self, metrics: &Metrics) {
        metrics.register(self.0.clone());
    }
}

/// A store of sessions or of attempts whose steps are timed.
pub(super) struct Measured<S: ?Sized> {
    pub(super) store: Arc<S>,
    pub(super) times: StepTimes,
}

#[async_trait]
impl SessionStore for Measured<dyn SessionStore> {
    async fn start(
        &self,
        user_id: Uuid,
        session: Session,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Vec<EndedSession>, StoreError> {
        self.times.0.time(Step::Start, self.store.start(user_id, session, rules, now)).await
    }

    async fn rotate(
        &self,
        user_id: Uuid,
        presented: &Presented,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Rotation, StoreError> {
        self.times.0.time(Step::Rotate, self.store.rotate(user_id, presented, rules, now)).await
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
        self.times.0.time(Step::End, self.store.end(user_id, which, asking, reason, rules, now)).await
    }

    async fn change_credentials(
        &self,
        user_id: Uuid,
        asking: Asking,
        new_version: i64,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError> {
        let step = self.store.change_credentials(user_id, asking, new_version, rules, now);
        self.times.0.time(Step::ChangeCredentials, step).await
    }

    async fn list(&self, user_id: Uuid, rules: &SessionRules, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError> {
        self.times.0.time(Step::List, self.store.list(user_id, rules, now)).await
    }

    // Readiness tells how this goes.
    async fn check(&self) -> Result<(), StoreError> {
        self.store.check().await
    }

    async fn inspect(&self, clock: &dyn Clock) -> Result<Vec<Finding>, StoreError> {
        self.store.inspect(clock).await
    }
}

#[async_trait]
impl AttemptStore for Measured<dyn AttemptStore> {
    async fn attempt(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Admission, StoreError> {
        self.times.0.time(Step::Attempt, self.store.attempt(bucket, limit, now)).await
    }

    async fn attempt_where_known(
        &self,
        bucket: Bucket,
        limit: &Limit,
        now: DateTime<Utc>,
    ) -> Result<Option<Admission>, StoreError> {
        self.times.0.time(Step::AttemptWhereKnown, self.store.attempt_where_known(bucket, limit, now)).await
    }

    async fn wait(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Duration, StoreError> {
        self.times.0.time(Step::Wait, self.store.wait(bucket, limit, now)).await
    }

    async fn take_back(&self, bucket: Bucket, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.times.0.time(Step::TakeBack, self.store.take_back(bucket, now)).await
    }

    async fn know(&self, bucket: Bucket, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.times.0.time(Step::Know, self.store.know(bucket, until, now)).await
    }
}
