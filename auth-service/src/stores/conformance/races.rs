//! What calls do that race each other, from two instances at once.

#![allow(missing_docs, reason = "each test's name is the rule that it holds a store to")]

use std::sync::Arc;

use shared_claims::random;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Driver, Stage, later, presented, rules, session, start_of_time, with_key};
use crate::domain::session::{EndReason, Presented, Rotation, SessionRules, WhenFull, Which};
use crate::stores::SessionStore;

/// Starts all at the same moment, every other one on the other instance.
async fn race<T: Send + 'static, F>(
    stage: &Stage,
    contenders: usize,
    act: impl Fn(Arc<dyn SessionStore>) -> F,
) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(contenders));
    let mut all = JoinSet::new();
    for contender in 0..contenders {
        let store = if contender % 2 == 0 { &stage.store } else { &stage.other };
        let (act, barrier) = (act(store.clone()), barrier.clone());
        all.spawn(async move {
            barrier.wait().await;
            act.await
        });
    }
    all.join_all().await
}

async fn race_refreshes(stage: &Stage, driver: &Driver, contenders: usize, request: &Presented) -> Vec<Rotation> {
    let (user, rules) = (driver.user, driver.rules);
    race(stage, contenders, |store| {
        let request = *request;
        async move { store.rotate(user, &request, &rules, later(1)).await.expect("the store works") }
    })
    .await
}

async fn one_wins(stage: &Stage, contenders: usize) {
    let driver = Driver::new(stage);
    let session = driver.start(start_of_time()).await;
    let outcomes = race_refreshes(stage, &driver, contenders, &presented(&session)).await;
    let count = |wanted: fn(&Rotation) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, Rotation::Rotated(_))), 1, "{outcomes:?}");
    // Whoever comes second presents a spent token, and after that there is no session.
    assert_eq!(count(|outcome| matches!(outcome, Rotation::Reused)), 1, "{outcomes:?}");
    let ended = |outcome: &Rotation| matches!(outcome, Rotation::Ended(Some(EndReason::ReuseDetected)));
    assert_eq!(count(ended), contenders - 2, "{outcomes:?}");
    assert_eq!(driver.live(later(1)).await, []);
}

pub async fn one_of_a_hundred_racing_refreshes_rotates(stage: Stage) {
    one_wins(&stage, 100).await;
}

pub async fn one_of_a_few_racing_refreshes_rotates_three_hundred_times_over(stage: Stage) {
    for _ in 0..300 {
        one_wins(&stage, 4).await;
    }
}

pub async fn racing_refreshes_with_one_key_all_get_the_same_successor(stage: Stage) {
    for _ in 0..50 {
        let driver = Driver::new(&stage);
        let session = driver.start(start_of_time()).await;
        let outcomes = race_refreshes(&stage, &driver, 8, &with_key(presented(&session), 1)).await;
        let mut rotated = 0;
        let successors: Vec<_> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Rotation::Rotated(successor) => {
                    rotated += 1;
                    *successor
                }
                Rotation::Replayed(successor) => *successor,
                other => panic!("neither rotated nor replayed but {other:?}"),
            })
            .collect();
        assert_eq!(rotated, 1);
        assert!(successors.iter().all(|successor| *successor == successors[0]), "{successors:?}");
        assert_eq!(driver.live(later(1)).await[0].generation, 1);
    }
}

pub async fn fifty_racing_logins_never_leave_more_than_five(stage: Stage) {
    for when_full in [WhenFull::EndAll, WhenFull::EndLeastRecent] {
        let rules = SessionRules { when_full, ..rules() };
        let user = random::uuid();
        let seen = race(&stage, 50, |store| async move {
            store.start(user, session(start_of_time()), &rules, start_of_time()).await.expect("the store works");
            store.list(user, &rules, start_of_time()).await.expect("the store works").len()
        })
        .await;
        assert!(seen.iter().all(|live| (1..=5).contains(live)), "{when_full:?}: {seen:?}");
    }
}

pub async fn a_logout_that_races_a_refresh_wins(stage: Stage) {
    for _ in 0..100 {
        let driver = Driver::new(&stage);
        let session = driver.start(start_of_time()).await;
        let (user, rules): (Uuid, SessionRules) = (driver.user, driver.rules);
        let (request, which) = (presented(&session), Which::Proven(session.id, session.random));
        let logout = stage.other.end(user, which, None, EndReason::SignedOut, &rules, later(1));
        let (rotation, logout) = tokio::join!(stage.store.rotate(user, &request, &rules, later(1)), logout);
        logout.expect("the store works");
        assert_eq!(driver.live(later(1)).await, []);
        let generation = match rotation.expect("the store works") {
            Rotation::Rotated(successor) => successor.generation,
            Rotation::Ended(Some(EndReason::SignedOut)) => 0,
            other => panic!("neither rotated nor signed out but {other:?}"),
        };
        let next = Presented { generation, ..presented(&session) };
        assert_eq!(driver.rotate(&next, later(2)).await, Rotation::Ended(Some(EndReason::SignedOut)));
    }
}
