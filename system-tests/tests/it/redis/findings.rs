//! What is found about a Redis that ought to be set up otherwise, and that nothing is found about one that is as it should be.

use std::sync::Arc;

use auth_service::stores::{Finding, RedisSessions, SessionStore, Severity};
use chrono::TimeDelta;
use redis::cmd;
use rstest::rstest;
use shared_claims::{Clock, ManualClock, SystemClock};
use system_tests::redis::{Cluster, Server};
use system_tests::waiting::eventually;

use super::{User, open, settings};

const SOUND: [(&str, &str); 2] = [("appendonly", "yes"), ("hash-max-listpack-value", "512")];

async fn found_by(store: &RedisSessions) -> Vec<Finding> {
    store.inspect(&SystemClock).await.expect("the store works")
}

async fn found(server: &Server) -> Vec<Finding> {
    found_by(&open(&settings(server.url()))).await
}

/// A server that is as it should be, but for one thing.
fn but_for(name: &'static str, value: &'static str) -> Server {
    Server::start_with(&[&SOUND[..], &[(name, value)]].concat())
}

#[track_caller]
fn is_one(found: &[Finding], severity: Severity, what: &str, advice: &str) {
    let [one] = found else { panic!("not one finding: {found:?}") };
    assert_eq!(one.severity, severity);
    assert!(one.what.contains(what), "{}", one.what);
    assert!(one.advice.contains(advice), "{}", one.advice);
}

#[tokio::test]
async fn nothing_is_found_about_a_server_that_is_as_it_should_be() {
    assert_eq!(found(&Server::start_with(&SOUND)).await, []);
}

#[rstest]
#[case("maxmemory-policy", "allkeys-lru", Severity::Problem, "maxmemory-policy is allkeys-lru", "noeviction")]
#[case("appendonly", "no", Severity::Problem, "nothing is written to disk", "appendonly")]
#[case("hash-max-listpack-value", "64", Severity::Warning, "hash-max-listpack-value is 64", "512")]
#[case("hash-max-listpack-entries", "8", Severity::Warning, "hash-max-listpack-entries is 8", "hash-max-listpack")]
#[tokio::test]
async fn a_setting_that_loses_sessions_or_wastes_memory_is_found(
    #[case] name: &'static str,
    #[case] value: &'static str,
    #[case] severity: Severity,
    #[case] what: &str,
    #[case] advice: &str,
) {
    is_one(&found(&but_for(name, value)).await, severity, what, advice);
}

#[tokio::test]
async fn snapshots_alone_are_better_than_nothing() {
    let server = but_for("appendonly", "no");
    server.ask::<()>(cmd("CONFIG").arg("SET").arg("save").arg("3600 1"));
    is_one(&found(&server).await, Severity::Warning, "append-only file is off", "appendonly");
}

#[tokio::test]
async fn evicted_keys_are_found() {
    let server = Server::start_with(&SOUND);
    let set = |name: &str, value: &str| server.ask::<()>(cmd("CONFIG").arg("SET").arg(name).arg(value));
    server.ask::<()>(cmd("SET").arg("some-key").arg("x".repeat(1_000)));
    set("maxmemory-policy", "allkeys-random");
    set("maxmemory", "1");
    eventually("a key is evicted", async || {
        drop(server.try_ask::<()>(cmd("SET").arg("another").arg(1)));
        (server.info("evicted_keys") > 0).then_some(())
    })
    .await;
    set("maxmemory", "0");
    set("maxmemory-policy", "noeviction");
    is_one(&found(&server).await, Severity::Problem, "keys were evicted", "more memory");
}

#[rstest]
#[case(TimeDelta::milliseconds(2_500))]
#[case(TimeDelta::milliseconds(-2_500))]
#[tokio::test]
async fn a_clock_that_is_off_by_more_than_two_seconds_is_found(#[case] by: TimeDelta) {
    let server = Server::start_with(&SOUND);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(SystemClock.now() + by));
    let found = open(&settings(server.url())).inspect(&*clock).await.unwrap();
    is_one(&found, Severity::Warning, "clock", "NTP");
}

#[rstest]
#[case(TimeDelta::milliseconds(1_500))]
#[case(TimeDelta::milliseconds(-1_500))]
#[tokio::test]
async fn a_clock_that_is_off_by_less_is_not(#[case] by: TimeDelta) {
    let server = Server::start_with(&SOUND);
    let store = open(&settings(server.url()));
    store.check().await.unwrap();
    let clock = ManualClock::new(SystemClock.now() + by);
    assert_eq!(store.inspect(&clock).await.unwrap(), []);
}

#[tokio::test]
async fn a_replica_that_lags_is_found() {
    let master = Server::start_with(&SOUND);
    let port = master.port().to_string();
    let replica = Server::start_with(&[("replicaof", &format!("127.0.0.1 {port}"))]);
    eventually("the replica follows", async || {
        master.ask::<String>(cmd("INFO").arg("replication")).contains("state=online").then_some(())
    })
    .await;
    assert_eq!(found(&master).await, []);
    let _hangs = replica.freeze();
    master.ask::<()>(cmd("SET").arg("much").arg(vec![b'x'; 3 << 20]));
    is_one(&found(&master).await, Severity::Warning, "a replica lags", "replica");
}

#[tokio::test]
async fn where_settings_may_not_be_read_the_sessions_themselves_tell_how_they_are_stored() {
    let server = but_for("hash-max-listpack-value", "64");
    let mut acl = cmd("ACL");
    server.ask::<()>(acl.arg(&["SETUSER", "latchkey", "on", ">secret", "~*", "+@all", "-config"]));
    let store = open(&settings(format!("redis://latchkey:secret@{}", server.address())));
    assert_eq!(found_by(&store).await, []);
    User::new(&store).start().await;
    is_one(&found_by(&store).await, Severity::Warning, "not stored compactly", "hash-max-listpack-value");
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_and_costs_no_other_finding() {
    let server = but_for("maxmemory-policy", "allkeys-lru");
    let by_a_user_without = async |command: &str| {
        let mut acl = cmd("ACL");
        let rights = ["SETUSER", "latchkey", "reset", "on", ">secret", "~*", "+@all", &format!("-{command}")];
        server.ask::<()>(acl.arg(&rights));
        found_by(&open(&settings(format!("redis://latchkey:secret@{}", server.address())))).await
    };
    is_one(&by_a_user_without("info").await, Severity::Warning, "may not use INFO", "+info");
    let found = by_a_user_without("time").await;
    is_one(&found[..1], Severity::Problem, "maxmemory-policy is allkeys-lru", "noeviction");
    is_one(&found[1..], Severity::Warning, "may not use TIME", "+time");
}

#[tokio::test]
async fn each_server_of_a_cluster_is_looked_at_and_so_is_the_cluster() {
    let cluster = Cluster::start();
    for master in &cluster.masters {
        for (name, value) in SOUND {
            master.ask::<()>(cmd("CONFIG").arg("SET").arg(name).arg(value));
        }
        master.ask::<()>(cmd("CONFIG").arg("SET").arg("cluster-require-full-coverage").arg("no"));
    }
    let store = open(&settings(cluster.url()));
    assert_eq!(found_by(&store).await, []);
    let odd = &cluster.masters[1];
    odd.ask::<()>(cmd("CONFIG").arg("SET").arg("hash-max-listpack-value").arg(64));
    is_one(&found_by(&store).await, Severity::Warning, &odd.address(), "512");
    odd.ask::<()>(cmd("CONFIG").arg("SET").arg("hash-max-listpack-value").arg(512));
    odd.ask::<()>(cmd("CLUSTER").arg("DELSLOTS").arg(6_000));
    let found = found_by(&store).await;
    assert!(found.iter().any(|finding| finding.what.contains("serves 16383 of 16384 slots")), "{found:?}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_an_error_and_not_a_clean_bill() {
    let server = Server::start();
    server.kill();
    assert!(open(&settings(server.url())).inspect(&SystemClock).await.is_err());
}
