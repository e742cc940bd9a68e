//! Attempts to guess, counted in Redis as the pure rules count them.

use std::time::Duration;

use auth_service::domain::attempts::{Admission, Attempts, Bucket, Limit};
use auth_service::stores::{AttemptStore, Redis, RedisAttempts, StoreError};
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use redis::cmd;
use shared_claims::random;
use system_tests::redis::{Server, shared};
use tokio::runtime::Runtime;

use super::{later, now, settings};

const LIMIT: Limit = Limit {
    free: 2,
    first_delay: Duration::from_secs(1),
    longest_delay: Duration::from_secs(10),
    forget_after: Duration::from_mins(1),
};

fn open(server: &Server) -> RedisAttempts {
    RedisAttempts(Redis::open(&settings(server.url())).expect("settings that hold"))
}

fn bucket() -> Bucket {
    Bucket(random::bytes())
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Attempt,
    AttemptWhereKnown,
    AskTheWait,
    TakeBack,
    Know { seconds: i64 },
    Wait { milliseconds: i64 },
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => Just(Call::Attempt),
        2 => Just(Call::AttemptWhereKnown),
        2 => Just(Call::AskTheWait),
        1 => Just(Call::TakeBack),
        1 => (0..100_i64).prop_map(|seconds| Call::Know { seconds }),
        5 => prop_oneof![0..3_i64, 900..1_100_i64, 2_000..12_000_i64, 55_000..65_000_i64]
            .prop_map(|milliseconds| Call::Wait { milliseconds }),
    ]
}

/// The store beside the rules, in a bucket of its own.
async fn follow(store: &RedisAttempts, calls: Vec<Call>) -> Result<(), TestCaseError> {
    let (bucket, mut now) = (bucket(), now());
    let mut kept: Option<Attempts> = None;
    for call in calls {
        kept = kept.filter(|attempts| attempts.keep_until > now);
        match call {
            Call::Attempt => {
                let attempts = kept.get_or_insert(Attempts::none(now));
                let expected = attempts.attempt(&LIMIT, now);
                prop_assert_eq!(store.attempt(bucket, &LIMIT, now).await.expect("the store works"), expected);
            }
            Call::AttemptWhereKnown => {
                let expected = kept.as_mut().map(|attempts| attempts.attempt(&LIMIT, now));
                let answer = store.attempt_where_known(bucket, &LIMIT, now).await.expect("the store works");
                prop_assert_eq!(answer, expected);
            }
            Call::AskTheWait => {
                let expected = kept.map(|attempts| attempts.wait(&LIMIT, now)).unwrap_or_default();
                prop_assert_eq!(store.wait(bucket, &LIMIT, now).await.expect("the store works"), expected);
            }
            Call::TakeBack => {
                if let Some(attempts) = kept.as_mut() {
                    attempts.take_back(now);
                }
                store.take_back(bucket, now).await.expect("the store works");
            }
            Call::Know { seconds } => {
                let until = now + TimeDelta::seconds(seconds);
                kept = Some(Attempts { keep_until: until, ..Attempts::none(now) });
                store.know(bucket, until, now).await.expect("the store works");
            }
            Call::Wait { milliseconds } => now += TimeDelta::milliseconds(milliseconds),
        }
    }
    Ok(())
}

#[test]
fn attempts_are_counted_as_the_rules_say_over_random_histories() {
    let runtime = Runtime::new().unwrap();
    let store = open(shared());
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(call(), 1..60), |calls| runtime.block_on(follow(&store, calls)))
        .unwrap();
}

#[tokio::test]
async fn of_many_attempts_at_once_no_more_are_admitted_than_need_not_wait() {
    let (store, bucket) = (open(shared()), bucket());
    let attempts = (0..50).map(|_| store.attempt(bucket, &LIMIT, now()));
    let admissions = futures_util::future::join_all(attempts).await;
    let admitted = admissions.into_iter().filter(|admission| matches!(admission, Ok(Admission::Admitted))).count();
    assert_eq!(admitted, 2);
}

#[tokio::test]
async fn those_that_need_not_wait_may_come_in_another_order_than_their_times() {
    let (store, bucket, earlier) = (open(shared()), bucket(), now());
    let later = earlier + TimeDelta::seconds(1);
    assert_eq!(store.attempt(bucket, &LIMIT, later).await.unwrap(), Admission::Admitted);
    store.take_back(bucket, later).await.unwrap();
    assert_eq!(store.wait(bucket, &LIMIT, earlier).await.unwrap(), Duration::ZERO);
    assert_eq!(store.attempt(bucket, &LIMIT, earlier).await.unwrap(), Admission::Admitted);
}

#[tokio::test]
async fn a_bucket_is_gone_some_time_after_it_is_worth_nothing() {
    let server = Server::start();
    let store = open(&server);
    store.attempt(bucket(), &LIMIT, now()).await.unwrap();
    let key: String = server.ask(&cmd("RANDOMKEY"));
    let lives: i64 = server.ask(cmd("PTTL").arg(&key));
    assert!((60_000..=120_000).contains(&lives), "{key} lives for {lives} ms");
}

#[tokio::test]
async fn a_record_of_an_unknown_shape_is_an_error_and_stays() {
    let server = Server::start();
    let (store, bucket) = (open(&server), bucket());
    store.attempt(bucket, &LIMIT, now()).await.unwrap();
    let key: String = server.ask(&cmd("RANDOMKEY"));
    server.ask::<()>(cmd("SET").arg(&key).arg("garbage"));
    let refused = store.attempt(bucket, &LIMIT, later(1)).await;
    assert!(matches!(refused, Err(StoreError::Unreadable(_))), "{refused:?}");
    assert!(store.take_back(bucket, later(1)).await.is_err());
    assert_eq!(server.ask::<String>(cmd("GET").arg(&key)), "garbage");
}
