//! Clients do anything at any time at two instances, and what they were answered has an order in which it is right. A store that reads
//! and then writes is caught by the same check.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use auth_service::domain::session::{
    Asking, EndReason, EndedSession, Ending, Presented, Rotation, Session, SessionRules, UserSessions, Which,
};
use auth_service::stores::{SessionStore, StoreError};
use chrono::{DateTime, Utc};
use rstest::rstest;
use system_tests::proof::linearizable::{self, Found};
use system_tests::proof::network;
use system_tests::proof::seed::seeds;
use system_tests::proof::tally::Tally;
use system_tests::proof::workload::Load;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use tokio::sync::Mutex;
use uuid::Uuid;

const LOAD: Load = Load { clients: 4, calls: 15 };
/// Users whose histories are looked at, each with a seed of its own.
const USERS: usize = 10;
/// A broken store is caught by the histories of so many users.
const CAUGHT_WITHIN: usize = 40;

#[rstest]
#[tokio::test]
async fn what_clients_are_answered_has_an_order_in_which_it_is_right(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let (stack, tally) = (Stack::start(storage).await, Tally::default());
    let other = stack.second_instance().await;
    let instances = [stack.client(), other.client()];
    linearizable::search(&stack, &instances, LOAD, seeds().take(USERS), &tally)
        .await
        .unwrap_or_else(|why| panic!("{why}"));
    tally.assert_kept();
}

#[tokio::test]
async fn it_has_one_too_where_the_network_to_redis_fails() {
    let (tally, seeds) = (Tally::default(), seeds().take(8).collect::<Vec<_>>());
    let load = Load { clients: 3, calls: 10 };
    network::histories(load, &seeds, &tally).await.unwrap_or_else(|why| panic!("{why}"));
    tally.assert_kept();
    assert!(tally.counts().faults.len() > 1, "{}", tally.counts());
}

/// What is found in the histories of two instances over this store.
async fn found(store: InMemory, users: usize) -> Result<(), Found> {
    let (stack, store) = (Stack::start(Embedded).await, Arc::new(store));
    let (one, other) = (stack.instance_over(store.clone()).await, stack.instance_over(store).await);
    let instances = [one.client(), other.client()];
    linearizable::search(&stack, &instances, LOAD, seeds().take(users), &Tally::default()).await
}

#[tokio::test]
async fn a_store_that_reads_and_then_writes_is_caught() {
    let caught = found(InMemory { is_broken: true, users: Mutex::default() }, CAUGHT_WITHIN).await;
    let Found { violation, .. } = caught.expect_err("a store that is broken is caught");
    println!("{violation}");
    // Short enough to be understood: what the check is for.
    assert!((1..=12).contains(&violation.core.len()), "{violation}");
}

#[tokio::test]
async fn the_same_store_in_one_step_is_not_suspected() {
    let suspected = found(InMemory { is_broken: false, users: Mutex::default() }, USERS).await;
    assert!(suspected.is_ok(), "{suspected:?}");
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
