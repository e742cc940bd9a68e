//! Clients do anything at any time at two instances, and what they were answered has an order in which it is right. A store that reads
//! and then writes is caught by the same check.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use auth_service::domain::session::{
    Asking, EndReason, EndedSession, Ending, Presented, Rotation, Session, SessionRules, UserSessions, WhenFull, Which,
};
use auth_service::stores::{SessionStore, StoreError};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use rstest::rstest;
use system_tests::client::Client;
use system_tests::proof::checker::{self, Violation};
use system_tests::proof::seed::{VARIABLE, seeds};
use system_tests::proof::workload::{self, Done, Load};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use tokio::sync::Mutex;
use uuid::Uuid;

const LOAD: Load = Load { clients: 4, calls: 15 };
/// Users whose histories are looked at, each with a seed of its own.
const USERS: usize = 10;
/// Users at once.
const TOGETHER: usize = 4;
/// A broken store is caught by the histories of so many users.
const CAUGHT_WITHIN: usize = 40;

/// The rules that services have by default.
const RULES: SessionRules = SessionRules {
    max_per_user: 5,
    when_full: WhenFull::EndAll,
    reuse_leeway: Duration::ZERO,
    max_lifetime: None,
    refresh_ttl: Duration::from_hours(24 * 30),
};

/// Lets so many users loose, and answers the first history that has no order.
async fn violation(stack: &Stack, instances: &[Client], users: usize) -> Option<(u64, Violation)> {
    let seeds: Vec<u64> = seeds().take(users).collect();
    for seeds in seeds.chunks(TOGETHER) {
        let histories = join_all(seeds.iter().map(async |seed| {
            let person = stack.person().await;
            (*seed, workload::run(&person, instances, LOAD, *seed).await)
        }));
        for (seed, Done { operations, double_tokens }) in histories.await {
            assert_eq!(double_tokens, 0, "two tokens of one generation, {VARIABLE}={seed}");
            if let Err(violation) = checker::check(&operations, &RULES) {
                return Some((seed, violation));
            }
        }
    }
    None
}

#[rstest]
#[tokio::test]
async fn what_clients_are_answered_has_an_order_in_which_it_is_right(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let other = stack.second_instance().await;
    if let Some((seed, violation)) = violation(&stack, &[stack.client(), other.client()], USERS).await {
        panic!("{VARIABLE}={seed}: {violation}");
    }
}

#[tokio::test]
async fn a_store_that_reads_and_then_writes_is_caught() {
    let stack = Stack::start(Embedded).await;
    let store = Arc::new(InMemory { is_broken: true, users: Mutex::default() });
    let (one, other) = (stack.instance_over(store.clone()).await, stack.instance_over(store).await);
    let caught = violation(&stack, &[one.client(), other.client()], CAUGHT_WITHIN).await;
    let (_, violation) = caught.expect("a store that is broken is caught");
    println!("{violation}");
    // Short enough to be understood: what the check is for.
    assert!((1..=12).contains(&violation.core.len()), "{violation}");
}

#[tokio::test]
async fn the_same_store_in_one_step_is_not_suspected() {
    let stack = Stack::start(Embedded).await;
    let store = Arc::new(InMemory { is_broken: false, users: Mutex::default() });
    let (one, other) = (stack.instance_over(store.clone()).await, stack.instance_over(store).await);
    let suspected = violation(&stack, &[one.client(), other.client()], USERS).await;
    assert!(suspected.is_none(), "{suspected:?}");
}

/// The state machine in a table. Where it `is_broken`, a step reads, lets others go first, and writes what it made of what it had read.
struct InMemory {
    is_broken: bool,
    users: Mutex<HashMap<Uuid, UserSessions>>,
}

impl InMemory {
    async fn step<T>(&self, user: Uuid, change: impl FnOnce(&mut UserSessions) -> T) -> Result<T, StoreError> {
        let mut users = self.users.lock().await;
        let mut sessions = users.get(&user).cloned().unwrap_or_default();
        if self.is_broken {
            drop(users);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            users = self.users.lock().await;
        }
        let answer = change(&mut sessions);
        users.insert(user, sessions);
        Ok(answer)
    }
}

#[async_trait]
impl SessionStore for InMemory {
    async fn start(
        &self,
        user: Uuid,
        session: Session,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Vec<EndedSession>, StoreError> {
        self.step(user, |sessions| sessions.start(session, rules, now)).await
    }

    async fn rotate(
        &self,
        user: Uuid,
        presented: &Presented,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Rotation, StoreError> {
        self.step(user, |sessions| sessions.rotate(presented, rules, now)).await
    }

    async fn end(
        &self,
        user: Uuid,
        which: Which,
        asking: Option<Asking>,
        reason: EndReason,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError> {
        self.step(user, |sessions| sessions.end(which, asking, reason, rules, now)).await
    }

    async fn change_credentials(
        &self,
        user: Uuid,
        asking: Asking,
        new_version: i64,
        rules: &SessionRules,
        now: DateTime<Utc>,
    ) -> Result<Ending, StoreError> {
        self.step(user, |sessions| sessions.change_credentials(asking, new_version, rules, now)).await
    }

    async fn list(&self, user: Uuid, rules: &SessionRules, now: DateTime<Utc>) -> Result<Vec<Session>, StoreError> {
        Ok(self.users.lock().await.get(&user).cloned().unwrap_or_default().list(rules, now))
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
