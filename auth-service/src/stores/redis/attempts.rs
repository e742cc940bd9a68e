//! Attempts to guess in Redis: one small value a bucket, each step one run of a script.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::script::{self, Call};
use super::{Redis, keys, milliseconds};
use crate::domain::attempts::{Admission, Bucket, Limit};
use crate::stores::{AttemptStore, StoreError};

/// The store of attempts in Redis, beside the sessions.
pub struct RedisAttempts(pub Arc<Redis>);

#[async_trait]
impl AttemptStore for RedisAttempts {
    async fn attempt(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Admission, StoreError> {
        self.0.run(limited(step("attempt", bucket, now), limit), |wait| Ok(admission(wait))).await
    }

    async fn attempt_where_known(
        &self,
        bucket: Bucket,
        limit: &Limit,
        now: DateTime<Utc>,
    ) -> Result<Option<Admission>, StoreError> {
        let call = limited(step("attempt_where_known", bucket, now), limit);
        self.0.run(call, |wait: Option<u64>| Ok(wait.map(admission))).await
    }

    async fn wait(&self, bucket: Bucket, limit: &Limit, now: DateTime<Utc>) -> Result<Duration, StoreError> {
        let call = limited(step("wait", bucket, now), limit);
        self.0.run(call, |wait| Ok(Duration::from_millis(wait))).await
    }

    async fn take_back(&self, bucket: Bucket, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.0.run(step("take_back", bucket, now), |_: u64| Ok(())).await
    }

    async fn know(&self, bucket: Bucket, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.0.run(step("know", bucket, now).number(until.timestamp_millis()), |_: u64| Ok(())).await
    }
}

fn step(name: &str, bucket: Bucket, now: DateTime<Utc>) -> Call {
    Call::write(&script::ATTEMPTS, keys::attempts(bucket)).number(now.timestamp_millis()).arg(name)
}

fn limited(call: Call, limit: &Limit) -> Call {
    call.number(limit.free)
        .number(milliseconds(limit.first_delay))
        .number(milliseconds(limit.longest_delay))
        .number(milliseconds(limit.forget_after))
}

fn admission(wait: u64) -> Admission {
    if wait == 0 { Admission::Admitted } else { Admission::Wait(Duration::from_millis(wait)) }
}
