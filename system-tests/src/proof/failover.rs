//! The master of a Redis fails, or its keys move, while everybody refreshes. What the new one never heard of must sign nobody out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::cmd;
use shared_claims::{Clock, SystemClock};
use tokio::time::timeout;

use super::crowd::{Crowd, HEALED, metric};
use super::tally::Tally;
use crate::device::Device;
use crate::postgres;
use crate::program::Program;
use crate::redis::{Cluster, HOST, Sentinels, Server};
use crate::site::Site;
use crate::tokens::parts;
use crate::waiting::eventually;

/// Users with four devices each.
const USERS: usize = 2;
/// Refreshes before something happens.
const SOME: u64 = 32;
/// Within this time there is an answer, whatever is down.
const IN_TIME: Duration = Duration::from_secs(2);

const UNCONFIRMED: &str = "latchkey_token_store_unconfirmed_endings_total";

async fn so_many_more(granted: &AtomicU64, count: u64) {
    let before = granted.load(Ordering::Relaxed);
    let enough = async || (granted.load(Ordering::Relaxed) >= before + count).then_some(());
    eventually("refreshes go on", enough).await;
}

/// Replicas fall behind, the master goes on and then dies, and Sentinels put one of those replicas in its place.
///
/// # Panics
///
/// Where a promise is broken.
pub async fn to_a_replica_that_fell_behind(tally: &Tally) {
    let all = Sentinels::start();
    let site = Site::over(&all.url(), postgres::shared().database(), &[]).await;
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let client = service.client();
    let mut crowd = Crowd::gather(&site, &client, USERS, tally).await;
    let person = site.person(SystemClock.now()).await;
    let (confirmed, mut unconfirmed) = (Device::login(&client, &person).await, Device::login(&client, &person).await);
    crowd.refresh_until(&client, async |granted| so_many_more(granted, SOME).await).await;
    assert_eq!(client.logout(&confirmed.tokens.refresh_token).await.status, 204);
    assert_eq!(metric(&client, UNCONFIRMED).await, 0, "a replica has heard of it");

    cut_off_replicas(&all).await;
    crowd.refresh_until(&client, async |granted| so_many_more(granted, SOME).await).await;
    let logout = timeout(IN_TIME, client.logout(&unconfirmed.tokens.refresh_token)).await;
    assert_eq!(logout.expect("an answer in time").status, 204);
    let not_confirmed = metric(&client, UNCONFIRMED).await;
    assert_eq!(not_confirmed, 1, "no replica has heard of it, and that is counted");
    tally.note(|counts| counts.unconfirmed_endings += not_confirmed);
    let told = "the replication of ended sessions fails";
    assert_eq!(service.log().matches(told).count(), 1, "{}", service.log());

    let former = &all.servers[0];
    tally.fault("master killed, replicas behind");
    crowd
        .refresh_until(&client, async |_| {
            former.kill();
            eventually("there is another master", async || all.successor_of(former).map(drop)).await;
        })
        .await;
    crowd.goes_on(&client).await;
    let healed = metric(&client, HEALED).await;
    assert!(healed > 0, "rotations were lost");
    tally.note(|counts| counts.healed += healed);
    tally.assert_kept();
    client.refresh(&confirmed.tokens.refresh_token).await.assert_session_ended(Some("signed_out"));
    // What was counted as unconfirmed was lost indeed.
    assert_eq!(unconfirmed.refresh(&client).await.expect("an answer").status, 200);
    crowd.goes_on(&client).await;
    crowd.present_spent_tokens(&client).await;
}

/// They hear nothing of the master any more, and answer everybody else.
async fn cut_off_replicas(all: &Sentinels) {
    let [master, replicas @ ..] = all.servers.as_slice() else { panic!("there are replicas") };
    for replica in replicas {
        replica.ask::<()>(cmd("CONFIG").arg("SET").arg("masteruser").arg("nobody").arg("masterauth").arg("nothing"));
    }
    master.ask::<u64>(cmd("CLIENT").arg("KILL").arg("TYPE").arg("replica"));
    eventually("no replica follows", async || (master.info("connected_slaves") == 0).then_some(())).await;
}

/// The sessions of every user move to another master of the cluster, step by step, while they are refreshed.
///
/// # Panics
///
/// Where a promise is broken.
pub async fn to_another_master_of_a_cluster(tally: &Tally) {
    let cluster = Cluster::start();
    let site = Site::over(&cluster.url(), postgres::shared().database(), &[]).await;
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let client = service.client();
    let mut crowd = Crowd::gather(&site, &client, USERS, tally).await;
    let mut users: Vec<_> =
        crowd.devices().iter().map(|device| parts(&device.tokens.access_token).1["sub"].to_string()).collect();
    users.dedup();
    for user in users {
        let key = format!("latchkey:{{{}}}:sessions", user.trim_matches('"'));
        tally.fault("keys moved to another master");
        crowd.refresh_until(&client, async |granted| move_key(&cluster, &key, granted).await).await;
        crowd.goes_on(&client).await;
    }
    assert_eq!(metric(&client, HEALED).await, 0, "nothing was lost");
    tally.assert_kept();
    crowd.present_spent_tokens(&client).await;
}

async fn move_key(cluster: &Cluster, key: &str, granted: &AtomicU64) {
    let owner = cluster.owner(key);
    let (from, to) = (&cluster.masters[owner], &cluster.masters[(owner + 1) % 3]);
    let slot: u64 = from.ask(cmd("CLUSTER").arg("KEYSLOT").arg(key));
    let id = |server: &Server| server.ask::<String>(cmd("CLUSTER").arg("MYID"));
    let set = |server: &Server, words: &[&str]| {
        server.ask::<()>(cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(words));
    };
    so_many_more(granted, SOME).await;
    set(to, &["IMPORTING", &id(from)]);
    set(from, &["MIGRATING", &id(to)]);
    so_many_more(granted, SOME).await;
    from.ask::<()>(cmd("MIGRATE").arg(HOST).arg(to.port()).arg(key).arg(0).arg(5_000));
    so_many_more(granted, SOME).await;
    for server in [to, from, &cluster.masters[(owner + 2) % 3]] {
        set(server, &["NODE", &id(to)]);
    }
    so_many_more(granted, SOME).await;
}
