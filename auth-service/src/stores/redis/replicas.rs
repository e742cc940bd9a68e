//! Asks whether a replica has what its master was told. An ended session that no replica has heard of lives again after a fail-over, and
//! that is the one loss that helps a thief: so whoever ends a session waits for a replica, for a bounded time.
//!
//! Redis holds up all that follows on a connection while it waits, so there is one for this alone, and one question at a time for all
//! who want to know.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use service_kit::line::Line;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::connector::Open;
use super::script::{self, Call};
use super::url::Address;
use super::{failure, keys};

/// Nobody waits longer than this for a replica.
pub(super) const PATIENCE: Duration = Duration::from_millis(150);
/// Redis itself gives up after this.
const ANSWER: Duration = Duration::from_millis(100);
/// One replica is enough: Sentinels and clusters put the one in the master's place that has heard most.
const ENOUGH: u32 = 1;

pub(super) struct Replicas {
    line: Line<Open>,
    // There are some, so that none is a failure and no reason to do without.
    are_expected: AtomicBool,
    last: Mutex<Option<Round>>,
}

/// One question, which answers all who came before it began.
struct Round {
    began: Instant,
    outcome: Result<(), String>,
}

impl Replicas {
    pub(super) fn new(are_expected: bool) -> Self {
        Self { line: Line::default(), are_expected: are_expected.into(), last: Mutex::default() }
    }

    /// Asks whether a replica has everything that the master at this address was told before now. Where there never was a replica
    /// there is nothing to ask. An error is in words for the log.
    pub(super) async fn confirm<F>(
        &self,
        master: &Address,
        user_id: Uuid,
        dial: impl FnOnce() -> F,
    ) -> Result<(), String>
    where
        F: Future<Output = Result<Open, String>>,
    {
        let told = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(round) = last.as_ref().filter(|round| round.began > told) {
            return round.outcome.clone();
        }
        let began = Instant::now();
        let outcome = self.ask(master, user_id, dial).await;
        *last = Some(Round { began, outcome: outcome.clone() });
        outcome
    }

    async fn ask<F>(&self, master: &Address, user_id: Uuid, dial: impl FnOnce() -> F) -> Result<(), String>
    where
        F: Future<Output = Result<Open, String>>,
    {
        let is_good = |open: &Open| open.is_open() && open.address == *master;
        let open = self.line.open(is_good, dial).await?;
        if open.address != *master {
            return Err(format!("{master} is the master no more"));
        }
        self.ask_over(&open, user_id).await.unwrap_or_else(|error| {
            if failure::breaks_connection(&error) {
                self.line.forget(&open);
            }
            Err(format!("{master}: {}", failure::describe(&error)))
        })
    }

    async fn ask_over(&self, open: &Open, user_id: Uuid) -> RedisResult<Result<(), String>> {
        let mut connection = open.connection.clone();
        let role: RedisResult<Vec<Value>> = redis::cmd("ROLE").query_async(&mut connection).await;
        match role {
            Ok(role) if has_replicas(&role) => self.are_expected.store(true, Ordering::Relaxed),
            Ok(_) if self.are_expected.load(Ordering::Relaxed) => {
                return Ok(Err(format!("no replica follows {}", open.address)));
            }
            Ok(_) => return Ok(Ok(())),
            // Who may not ask goes by what is expected.
            Err(error) if is_forbidden(&error) && !self.are_expected.load(Ordering::Relaxed) => return Ok(Ok(())),
            Err(error) if is_forbidden(&error) => {}
            Err(error) => return Err(error),
        }
        // What a connection waits for is what it has written itself: this comes after everything that others wrote before.
        Call::write(&script::MARK, keys::mark(user_id)).send(&mut connection).await?;
        let (enough, patience) = (ENOUGH, u64::try_from(ANSWER.as_millis()).unwrap_or(u64::MAX));
        let heard: u32 = redis::cmd("WAIT").arg(enough).arg(patience).query_async(&mut connection).await?;
        Ok(if heard >= ENOUGH { Ok(()) } else { Err(format!("no replica of {} answers in time", open.address)) })
    }
}

/// What `ROLE` says: "master", an offset and the replicas; anything else is no master.
fn has_replicas(role: &[Value]) -> bool {
    matches!(role, [Value::BulkString(role), _, Value::Array(replicas)] if role == b"master" && !replicas.is_empty())
}

fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}
