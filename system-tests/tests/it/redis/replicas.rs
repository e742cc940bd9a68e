//! Whoever ends a session waits until a replica has heard of it, for a bounded time; nobody else waits, and where there is no replica
//! nobody does.

use std::time::Duration;

use auth_service::domain::session::Rotation;
use futures_util::future::join_all;
use redis::cmd;
use system_tests::redis::{Cluster, HOST, Sentinels, Server};
use system_tests::waiting::eventually;
use tokio::time::Instant;

use super::{User, open, presented, settings};

/// Who waits for a replica that does not answer is told so after this time.
const BOUND: Duration = Duration::from_millis(500);

/// How often a server was asked to wait.
fn waits(server: &Server) -> u64 {
    let stats: String = server.ask(cmd("INFO").arg("commandstats"));
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_wait:calls=")?.split(',').next());
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}

#[tokio::test]
async fn an_ending_is_followed_by_a_wait_and_a_rotation_is_not() {
    let all = Sentinels::start();
    let store = open(&settings(all.url()));
    let user = User::new(&store);
    let session = user.start().await;
    user.rotate(&presented(&session)).await;
    assert_eq!(waits(&all.servers[0]), 0);
    user.try_end_all().await.expect("the store works");
    assert_eq!(waits(&all.servers[0]), 1);
    assert_eq!(store.0.unconfirmed_endings().get(), 0);
    assert!(!all.servers[0].ask::<bool>(cmd("EXISTS").arg(user.key().replace(":sessions", ":mark"))));
}

#[tokio::test]
async fn reuse_and_a_full_house_are_endings_too() {
    let all = Sentinels::start();
    let store = open(&settings(all.url()));
    let user = User::new(&store);
    for _ in 0..6 {
        user.start().await;
    }
    assert_eq!(waits(&all.servers[0]), 1);
    let session = user.start().await;
    let other_key = super::Presented { idempotency_key: None, ..presented(&session) };
    user.rotate(&presented(&session)).await;
    assert_eq!(user.rotate(&other_key).await, Rotation::Reused);
    assert_eq!(waits(&all.servers[0]), 2);
}

#[tokio::test]
async fn replicas_that_do_not_answer_hold_up_an_ending_for_a_bounded_time_and_nothing_else() {
    let all = Sentinels::start();
    let store = open(&settings(all.url()));
    let (user, other) = (User::new(&store), User::new(&store));
    let leaving: Vec<User<'_>> = (0..50).map(|_| User::new(&store)).collect();
    for user in leaving.iter().chain([&user, &other]) {
        user.start().await;
    }
    user.try_end_all().await.expect("the store works");
    let _frozen = [all.servers[1].freeze(), all.servers[2].freeze()];
    let began = Instant::now();
    let ending = async {
        for ended in join_all(leaving.iter().map(User::try_end_all)).await {
            ended.expect("the ending stands");
        }
        began.elapsed()
    };
    let looking = async {
        let mut looks = 0;
        while began.elapsed() < Duration::from_millis(100) {
            let asked = Instant::now();
            other.list().await;
            assert!(asked.elapsed() < Duration::from_millis(90), "somebody else waits too: {:?}", asked.elapsed());
            looks += 1;
        }
        looks
    };
    let (took, looks) = tokio::join!(ending, looking);
    assert!(took < BOUND, "it took {took:?}");
    assert!(looks > 1, "others go on");
    assert_eq!(store.0.unconfirmed_endings().get(), 50);
}

#[tokio::test]
async fn an_ending_whose_request_is_over_before_a_replica_has_answered_is_counted_all_the_same() {
    let all = Sentinels::start();
    let store = open(&settings(all.url()));
    let user = User::new(&store);
    user.start().await;
    let frozen = [all.servers[1].freeze(), all.servers[2].freeze()];
    let has_ended = async || user.list().await.is_empty().then_some(());
    tokio::select! {
        // Both go over one connection: when the other has its answer, this one has had its own, and waits for a replica.
        biased;
        ended = user.try_end_all() => panic!("a replica that does not answer is not waited for: {ended:?}"),
        () = eventually("the session has ended", has_ended) => {}
    }
    assert_eq!(store.0.unconfirmed_endings().get(), 0, "nobody knows yet");
    let is_counted = async || (store.0.unconfirmed_endings().get() == 1).then_some(());
    eventually("the ending is counted", is_counted).await;
    drop(frozen);
}

#[tokio::test]
async fn where_there_is_no_replica_nobody_waits_until_there_is_one() {
    let server = Server::start();
    let store = open(&settings(server.url()));
    let user = User::new(&store);
    user.start().await;
    user.try_end_all().await.expect("the store works");
    assert_eq!(waits(&server), 0);
    let master = server.port().to_string();
    let replica = Server::start_with(&[("replicaof", &format!("{HOST} {master}"))]);
    let replication = || server.ask::<String>(cmd("INFO").arg("replication"));
    eventually("a replica follows", async || replication().contains("state=online").then_some(())).await;
    // It follows before it can answer, for it has yet to read what it was sent.
    server.ask::<()>(cmd("SET").arg("heard").arg("of"));
    let written = server.info("master_repl_offset");
    let has_heard = async || {
        let told = replication();
        let offset = told.split_once(",offset=")?.1.split_once(',')?.0;
        (offset.parse::<u64>().expect("a number") >= written).then_some(())
    };
    eventually("the replica has heard of a write", has_heard).await;
    user.try_end_all().await.expect("the store works");
    assert_eq!((waits(&server), store.0.unconfirmed_endings().get()), (1, 0));
    replica.kill();
    let is_gone = async || (server.info("connected_slaves") == 0).then_some(());
    eventually("the replica is gone", is_gone).await;
    user.try_end_all().await.expect("the store works");
    assert_eq!(store.0.unconfirmed_endings().get(), 1, "where one was expected, none is a failure");
}

#[tokio::test]
async fn an_ending_is_confirmed_where_memory_is_full() {
    let all = Sentinels::start();
    let store = open(&settings(all.url()));
    let user = User::new(&store);
    user.start().await;
    for (name, value) in [("maxmemory-policy", "noeviction"), ("maxmemory", "1")] {
        all.servers[0].ask::<()>(cmd("CONFIG").arg("SET").arg(name).arg(value));
    }
    user.try_end_all().await.expect("the store works");
    assert_eq!((waits(&all.servers[0]), store.0.unconfirmed_endings().get()), (1, 0));
}

#[tokio::test]
async fn in_a_cluster_the_replicas_of_that_master_are_asked() {
    let cluster = Cluster::start_with_replicas();
    let store = open(&settings(cluster.url()));
    let user = User::new(&store);
    user.start().await;
    user.try_end_all().await.expect("the store works");
    let asked: Vec<u64> = cluster.masters.iter().map(waits).collect();
    assert_eq!((asked[cluster.owner(&user.key())], asked.iter().sum::<u64>()), (1, 1));
    assert_eq!(store.0.unconfirmed_endings().get(), 0);
}
