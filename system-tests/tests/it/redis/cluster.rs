//! A cluster: keys that move are followed, a part that fails is felt by its own users alone, and a fail-over is followed by itself.

use std::time::Duration;

use auth_service::domain::session::{Presented, Rotation, Session};
use auth_service::stores::{RedisSessions, SessionStore};
use redis::cmd;
use system_tests::redis::{Cluster, HOST, Server};
use system_tests::waiting::eventually;
use tokio::time::Instant;

use super::{User, open, presented, settings};

/// A user whose sessions this master serves.
async fn user_of<'a>(cluster: &Cluster, master: usize, store: &'a RedisSessions) -> User<'a> {
    eventually("a user of this master", async || {
        Some(User::new(store)).filter(|user| cluster.owner(&user.key()) == master)
    })
    .await
}

/// Rotates to the next generation.
async fn refresh(user: &User<'_>, session: &Session, generation: &mut u64) {
    let request = Presented { generation: *generation, ..presented(session) };
    let rotation = user.rotate(&request).await;
    let Rotation::Rotated(next) = rotation else { panic!("{rotation:?}") };
    *generation = next.generation;
}

fn id(server: &Server) -> String {
    server.ask(cmd("CLUSTER").arg("MYID"))
}

fn set_slot(server: &Server, slot: u64, words: &[&str]) {
    server.ask::<()>(cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(words));
}

#[tokio::test]
async fn a_session_is_found_at_every_step_of_its_move_to_another_server() {
    let cluster = Cluster::start();
    let store = open(&settings(cluster.url()));
    let user = user_of(&cluster, 0, &store).await;
    let (session, mut generation) = (user.start().await, 0);
    let (from, to) = (&cluster.masters[0], &cluster.masters[1]);
    let slot: u64 = from.ask(cmd("CLUSTER").arg("KEYSLOT").arg(user.key()));
    set_slot(to, slot, &["IMPORTING", &id(from)]);
    set_slot(from, slot, &["MIGRATING", &id(to)]);
    refresh(&user, &session, &mut generation).await;
    from.ask::<()>(cmd("MIGRATE").arg(HOST).arg(to.port()).arg(user.key()).arg(0).arg(5_000));
    // It is there, and its slot is not yet.
    refresh(&user, &session, &mut generation).await;
    assert_eq!(user.list().await.len(), 1);
    to.ask::<()>(cmd("SCRIPT").arg("FLUSH"));
    refresh(&user, &session, &mut generation).await;
    for server in [to, from, &cluster.masters[2]] {
        set_slot(server, slot, &["NODE", &id(to)]);
    }
    refresh(&user, &session, &mut generation).await;
    refresh(&user, &session, &mut generation).await;
    assert_eq!(generation, 5);
    assert!(to.ask::<bool>(cmd("EXISTS").arg(user.key())));
}

#[tokio::test]
async fn a_server_that_hangs_is_felt_by_its_own_users_alone() {
    let cluster = Cluster::start();
    for master in &cluster.masters {
        master.ask::<()>(cmd("CONFIG").arg("SET").arg("cluster-require-full-coverage").arg("no"));
    }
    let store = open(&settings(cluster.url()));
    let unlucky = user_of(&cluster, 0, &store).await;
    let lucky = user_of(&cluster, 2, &store).await;
    let (session, other) = (unlucky.start().await, lucky.start().await);
    let frozen = cluster.masters[0].freeze();
    let request = presented(&session);
    let (failed, ()) = tokio::join!(unlucky.try_rotate(&request), async {
        let mut generation = 0;
        for _ in 0..100 {
            let began = Instant::now();
            refresh(&lucky, &other, &mut generation).await;
            assert!(began.elapsed() < Duration::from_millis(700), "it waited for {:?}", began.elapsed());
        }
    });
    assert!(failed.is_err());
    let mut generation = 100;
    refresh(&lucky, &other, &mut generation).await;
    store.check().await.expect("it serves whom it can");
    drop(frozen);
    let back = async || unlucky.try_rotate(&request).await.ok();
    let rotation = eventually("the server is back", back).await;
    assert!(matches!(rotation, Rotation::Rotated(_) | Rotation::Replayed(_)), "{rotation:?}");
}

#[tokio::test]
async fn the_failover_of_a_killed_server_is_followed_and_its_sessions_live_on() {
    let cluster = Cluster::start_with_replicas();
    let store = open(&settings(cluster.url()));
    let user = user_of(&cluster, 1, &store).await;
    let session = user.start().await;
    let (master, replica) = (&cluster.masters[1], &cluster.replicas[1]);
    let written = master.info("master_repl_offset");
    eventually("the replica is in step", async || (replica.info("slave_repl_offset") >= written).then_some(())).await;
    master.kill();
    assert!(user.try_rotate(&presented(&session)).await.is_err());
    eventually("the replica has taken over", async || {
        let role: String = replica.ask(cmd("INFO").arg("replication"));
        let state: String = replica.ask(cmd("CLUSTER").arg("INFO"));
        (role.contains("role:master") && state.contains("cluster_state:ok")).then_some(())
    })
    .await;
    let over = Instant::now();
    let rotation = loop {
        match user.try_rotate(&presented(&session)).await {
            Ok(rotation) => break rotation,
            Err(error) => assert!(over.elapsed() < Duration::from_secs(1), "it is not followed in time: {error}"),
        }
    };
    assert!(matches!(rotation, Rotation::Rotated(_)), "{rotation:?}");
}

#[tokio::test]
async fn a_cluster_is_found_by_any_of_its_servers_that_answers() {
    let cluster = Cluster::start();
    let url = format!("redis-cluster://{HOST}:1,{}", cluster.masters[2].address());
    let store = open(&settings(url));
    for master in 0..3 {
        let user = user_of(&cluster, master, &store).await;
        user.start().await;
        assert!(cluster.masters[master].ask::<bool>(cmd("EXISTS").arg(user.key())));
    }
    store.check().await.expect("the store works");
}

#[tokio::test]
async fn a_server_that_is_no_cluster_is_told() {
    let server = Server::start();
    let store = open(&settings(server.url().replace("redis:", "redis-cluster:")));
    let why = User::new(&store).try_start().await.unwrap_err().to_string();
    assert!(why.contains("cluster support disabled"), "{why}");
}
