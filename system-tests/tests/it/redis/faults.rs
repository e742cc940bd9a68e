//! A single Redis that fails: each call has an answer in time and none of them is "no such session", nothing is half written, and all
//! works again without a restart.

use std::time::Duration;

use auth_service::domain::session::{EndReason, Rotation, Session};
use auth_service::stores::{RedisSessions, SessionStore, StoreError};
use redis::cmd;
use system_tests::redis::Server;
use system_tests::waiting::eventually;

use super::{User, open, presented, settings};

/// A server, and a user of it with one session.
async fn with_session(server: &Server, act: impl AsyncFnOnce(&User<'_>, &Session)) {
    let store = open(&settings(server.url()));
    let user = User::new(&store);
    let session = user.start().await;
    act(&user, &session).await;
}

/// Everything that is stored of a user, to the byte.
fn stored(server: &Server, user: &User<'_>) -> Vec<Vec<u8>> {
    server.ask(cmd("HGETALL").arg(user.key()))
}

/// The refresh that met the failure is repeated until the store answers, and is good for exactly one rotation.
async fn is_good_for_one_rotation(user: &User<'_>, session: &Session) {
    let rotation = eventually("the store works again", async || user.try_rotate(&presented(session)).await.ok()).await;
    let (Rotation::Rotated(successor) | Rotation::Replayed(successor)) = rotation else { panic!("{rotation:?}") };
    assert_eq!(successor.generation, 1);
    assert_eq!(user.list().await[0].generation, 1);
}

#[tokio::test]
async fn a_server_that_is_stopped_is_found_again_when_it_is_back() {
    let server = Server::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    with_session(&server, async |user, session| {
        server.kill();
        for step in user.every_step(session).await {
            assert!(matches!(step, Err(StoreError::Unconnected(_) | StoreError::Lost(_))), "{step:?}");
        }
        assert!(user.store.check().await.is_err());
        server.start_again();
        is_good_for_one_rotation(user, session).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_restarted_meanwhile_costs_nobody_an_error() {
    let server = Server::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    with_session(&server, async |user, session| {
        server.restart();
        // The end of the connection is there; it only has to be noticed.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(user.rotate(&presented(session)).await, Rotation::Rotated(_)));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_and_works_when_it_goes_on() {
    let server = Server::start();
    with_session(&server, async |user, session| {
        let frozen = server.freeze();
        for step in user.every_step(session).await {
            assert!(matches!(step, Err(StoreError::TimedOut | StoreError::Unconnected(_))), "{step:?}");
        }
        let check = tokio::time::timeout(Duration::from_secs(1), user.store.check()).await;
        assert!(check.expect("readiness waits no longer").is_err());
        drop(frozen);
        is_good_for_one_rotation(user, session).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_pauses_its_clients_is_given_up_in_time_and_works_when_the_pause_is_over() {
    let server = Server::start();
    with_session(&server, async |user, session| {
        server.ask::<()>(cmd("CLIENT").arg("PAUSE").arg(3_000).arg("ALL"));
        let step = user.try_rotate(&presented(session)).await;
        assert!(matches!(step, Err(StoreError::TimedOut)), "{step:?}");
        is_good_for_one_rotation(user, session).await;
    })
    .await;
}

#[tokio::test]
async fn a_read_only_replica_is_never_believed() {
    let server = Server::start();
    with_session(&server, async |user, session| {
        server.ask::<()>(cmd("REPLICAOF").arg("127.0.0.1").arg(1));
        for step in user.every_step(session).await {
            assert!(matches!(step, Err(StoreError::Unconnected(_) | StoreError::Refused(_))), "{step:?}");
        }
        assert!(user.store.check().await.is_err());
        server.ask::<()>(cmd("REPLICAOF").arg("NO").arg("ONE"));
        is_good_for_one_rotation(user, session).await;
    })
    .await;
}

#[tokio::test]
async fn a_master_that_may_not_write_for_want_of_replicas_is_never_believed() {
    let server = Server::start();
    with_session(&server, async |user, session| {
        server.ask::<()>(cmd("CONFIG").arg("SET").arg("min-replicas-to-write").arg(1));
        for step in user.every_step(session).await {
            assert!(matches!(&step, Err(StoreError::Refused(why)) if why.contains("NOREPLICAS")), "{step:?}");
        }
        server.ask::<()>(cmd("CONFIG").arg("SET").arg("min-replicas-to-write").arg(0));
        is_good_for_one_rotation(user, session).await;
    })
    .await;
}

#[tokio::test]
async fn out_of_memory_nothing_new_is_kept_and_nothing_is_half_written() {
    let server = Server::start_with(&[("maxmemory-policy", "noeviction")]);
    with_session(&server, async |user, session| {
        let other = user.start().await;
        let before = stored(&server, user);
        server.ask::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg(1));
        for step in [user.try_start().await.map(drop), user.try_rotate(&presented(session)).await.map(drop)] {
            assert!(matches!(&step, Err(StoreError::Refused(why)) if why.starts_with("OOM")), "{step:?}");
        }
        let check = user.store.check().await;
        assert!(matches!(&check, Err(StoreError::Refused(why)) if why.starts_with("OOM")), "{check:?}");
        assert_eq!(stored(&server, user), before);
        assert_eq!(user.list().await.len(), 2);
        server.ask::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg(0));
        is_good_for_one_rotation(user, session).await;
        assert!(user.list().await.iter().any(|live| live.id == other.id));
    })
    .await;
}

#[tokio::test]
async fn out_of_memory_a_session_can_still_be_ended_and_its_reason_is_kept() {
    let server = Server::start_with(&[("maxmemory-policy", "noeviction")]);
    with_session(&server, async |user, session| {
        server.ask::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg(1));
        user.try_end_all().await.unwrap();
        assert_eq!(user.rotate(&presented(session)).await, Rotation::Ended(Some(EndReason::Admin)));
    })
    .await;
}

#[tokio::test]
async fn flushed_scripts_are_loaded_again_without_anybody_noticing() {
    let server = Server::start();
    with_session(&server, async |user, session| {
        server.ask::<()>(cmd("SCRIPT").arg("FLUSH"));
        assert!(matches!(user.rotate(&presented(session)).await, Rotation::Rotated(_)));
        server.ask::<()>(cmd("SCRIPT").arg("FLUSH"));
        for step in user.every_step(session).await {
            step.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn too_many_clients_is_no_answer_and_passes() {
    let server = Server::start();
    with_session(&server, async |user, session| {
        server.ask::<()>(cmd("CONFIG").arg("SET").arg("maxclients").arg(1));
        let late_comer = open(&settings(server.url()));
        let late = User { store: &late_comer, id: user.id };
        for step in late.every_step(session).await {
            assert!(matches!(step, Err(StoreError::Unconnected(_))), "{step:?}");
        }
        // Whoever has a connection keeps it.
        assert_eq!(user.list().await.len(), 1);
        server.ask::<()>(cmd("CONFIG").arg("SET").arg("maxclients").arg(1_000));
        is_good_for_one_rotation(&late, session).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_came_back_empty_knows_no_session_and_takes_new_ones() {
    let server = Server::start();
    with_session(&server, async |user, session| {
        server.restart();
        let rotation = eventually("it is back", async || user.try_rotate(&presented(session)).await.ok()).await;
        assert_eq!(rotation, Rotation::Ended(None));
        let fresh = user.start().await;
        assert_eq!(user.list().await, [fresh]);
    })
    .await;
}

#[tokio::test]
async fn a_store_that_comes_up_later_is_used_as_soon_as_it_is_there() {
    let server = Server::start();
    server.kill();
    let store: RedisSessions = open(&settings(server.url()));
    let user = User::new(&store);
    assert!(matches!(user.try_start().await, Err(StoreError::Unconnected(_))));
    server.start_again();
    eventually("the store works", async || user.try_start().await.ok()).await;
}
