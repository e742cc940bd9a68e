//! Callers share a few connections: their statements travel together, each thread keeps to one connection, and who gives up harms
//! nobody.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;

use futures_util::FutureExt;
use futures_util::future::join_all;
use service_kit::database::{Database, Postgres};
use system_tests::postgres::shared;
use system_tests::waiting::eventually;

use super::{backend, opened, read, write};

fn on_a_thread_of_its_own<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime.block_on(work())).join().unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hundreds_of_statements_at_once_share_a_few_connections() {
    let place = shared().database();
    let database = opened(&place, 2).await;
    let calls = (0..400).map(|number| {
        let database = database.clone();
        tokio::spawn(async move {
            write(&database, number).await.unwrap();
            backend(&database).await
        })
    });
    let backends: HashSet<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert!(backends.len() <= 2, "{backends:?}");
    assert!(place.connections() <= 2);
    assert_eq!(place.sql("SELECT count(DISTINCT number) FROM numbers"), "400");
}

#[tokio::test]
async fn each_answer_reaches_the_caller_that_asked() {
    let place = shared().database();
    let database = opened(&place, 1).await;
    let ask = async |number: i64| {
        let rows = database.read("SELECT $1::BIGINT * 2", vec![number.into()]).await.unwrap();
        rows[0].get::<i64>(0).unwrap()
    };
    let answers = join_all((0..300).map(ask)).await;
    assert_eq!(answers, (0..300).map(|number| number * 2).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_statement_is_prepared_once_on_a_connection_however_many_need_it_at_once() {
    let place = shared().database();
    place.server().sql("postgres", &format!("ALTER DATABASE {} SET log_min_duration_statement = 0", place.name));
    let database = opened(&place, 1).await;
    for _ in 0..3 {
        join_all((0..100).map(|_| read(&database))).await;
    }
    let log = place.server().log();
    let ours = |line: &&str| line.starts_with(&format!("{} ", place.name)) && line.contains("FROM numbers");
    let count = |step: &str| log.lines().filter(ours).filter(|line| line.contains(step)).count();
    assert_eq!((count(" parse "), count(" execute ")), (1, 300));
}

#[tokio::test]
async fn a_thread_keeps_to_one_connection_and_another_thread_has_another() {
    let place = shared().database();
    // So many that two threads of this test do not meet on one.
    let database = opened(&place, 10_000).await;
    let ask = |database: Arc<Postgres>| {
        on_a_thread_of_its_own(async move || {
            let mut backends = HashSet::new();
            for _ in 0..20 {
                backends.insert(backend(&database).await);
            }
            backends
        })
    };
    let (one, other) = (ask(database.clone()), ask(database));
    assert_eq!((one.len(), other.len()), (1, 1));
    assert_ne!(one, other);
}

#[tokio::test]
async fn a_connection_whose_thread_has_ended_is_made_again() {
    let place = shared().database();
    let database = opened(&place, 1).await;
    for number in 0..3 {
        on_a_thread_of_its_own(async || write(&database, number).await.unwrap());
    }
    assert_eq!(place.sql("SELECT count(*) FROM numbers"), "3");
}

#[tokio::test]
async fn callers_that_give_up_do_not_harm_the_connection() {
    let place = shared().database();
    let database = opened(&place, 1).await;
    let connection = backend(&database).await;
    for round in 0..50 {
        // Both have been sent when they are dropped.
        assert!(read(&database).now_or_never().is_none());
        assert!(write(&database, round).now_or_never().is_none());
        assert!(database.read("SELECT 1 / (COUNT(*) - COUNT(*)) FROM numbers", vec![]).now_or_never().is_none());
    }
    assert_eq!(backend(&database).await, connection);
    let kept = || place.sql("SELECT count(DISTINCT number) = count(*) FROM numbers");
    assert_eq!(kept(), "t");
}

#[tokio::test]
async fn an_error_of_one_caller_is_no_error_of_the_others() {
    let place = shared().database();
    let database = opened(&place, 1).await;
    let connection = backend(&database).await;
    let divide = async |number: i64| database.read("SELECT 6 / $1::BIGINT", vec![number.into()]).await.is_ok();
    let outcomes = join_all((0..100).map(|number| divide(number % 2))).await;
    assert_eq!(outcomes, (0..100).map(|number| number % 2 == 1).collect::<Vec<_>>());
    assert_eq!(backend(&database).await, connection);
}

#[tokio::test]
async fn connections_are_closed_with_the_database() {
    let place = shared().database();
    let database = opened(&place, 1).await;
    backend(&database).await;
    assert!(place.connections() >= 1);
    drop(database);
    eventually("no connection is left", async || (place.connections() == 0).then_some(())).await;
}
