//! No write is ever sent twice, however often the server crashes under it or its answer is lost.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use system_tests::postgres::Server;
use system_tests::waiting::eventually;

use super::{opened, recovers, write};

const CRASHES: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_is_there_once_and_what_failed_is_there_once_or_not_at_all() {
    let server = Server::start_with(&[("synchronous_commit", "on")]);
    let place = server.database();
    let database = opened(&place, 2).await;
    let (next, answered, stop) =
        (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let (database, next, answered, stop) = (database.clone(), next.clone(), answered.clone(), stop.clone());
            tokio::spawn(async move {
                let mut outcomes = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let is_kept = write(&database, number).await.is_ok();
                    answered.fetch_add(i64::from(is_kept), Ordering::Relaxed);
                    outcomes.push((number, is_kept));
                    tokio::task::yield_now().await;
                }
                outcomes
            })
        })
        .collect();
    for _ in 0..CRASHES {
        let before = answered.load(Ordering::Relaxed);
        let goes_on = async || (answered.load(Ordering::Relaxed) > before + 100).then_some(());
        eventually("writing goes on", goes_on).await;
        let server = server.clone();
        tokio::task::spawn_blocking(move || (server.crash(), server.start_again())).await.unwrap();
    }
    recovers(&database).await;
    stop.store(true, Ordering::Relaxed);
    let mut outcomes = HashMap::new();
    for writer in writers {
        outcomes.extend(writer.await.unwrap());
    }
    let kept = place.sql("SELECT number, count(*) FROM numbers WHERE number >= 0 GROUP BY number");
    let kept: HashMap<i64, usize> = kept
        .lines()
        .map(|line| line.split_once('|').unwrap())
        .map(|(number, count)| (number.parse().unwrap(), count.parse().unwrap()))
        .collect();
    assert!(outcomes.values().any(|is_kept| !is_kept), "no write met a crash");
    for (number, is_kept) in outcomes {
        let count = kept.get(&number).copied().unwrap_or(0);
        assert!(count == 1 || count == 0 && !is_kept, "{number} is there {count} times; answered: {is_kept}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_done_and_whose_answer_is_lost_is_not_sent_again() {
    let server = Server::start_with(&[("synchronous_commit", "on")]);
    let place = server.database();
    let database = opened(&place, 1).await;
    // From now on a write is done at once, and its answer waits for a standby that does not exist.
    server.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("postgres", "SELECT pg_reload_conf()");
    let waiting = || place.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'").parse::<i64>().ok();
    let (mut number, mut held) = (0, None);
    while held.is_none() {
        number += 1;
        let database = database.clone();
        let change = tokio::spawn(async move { write(&database, number).await });
        // The server takes a moment to heed its new setting.
        let is_decided = async || waiting().map(Some).or(change.is_finished().then_some(None));
        let backend = eventually("the write is answered or waits", is_decided).await;
        held = backend.map(|backend| (backend, change));
    }
    let (backend, change) = held.unwrap();
    place.sql(&format!("SELECT pg_terminate_backend({backend})"));
    assert!(change.await.unwrap().is_err());
    assert_eq!(place.sql(&format!("SELECT count(*) FROM numbers WHERE number = {number}")), "1");
}
