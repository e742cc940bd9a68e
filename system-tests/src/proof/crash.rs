//! `kill -9` of a service or of its Redis in the middle of refreshes, again and again, each time at a moment that the seed chooses.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared_claims::{Clock, SystemClock};
use tokio::time::Instant;

use super::crowd::{Crowd, HEALED, metric};
use super::seed::choices;
use super::share::Share;
use super::tally::Tally;
use crate::client::Client;
use crate::device::Device;
use crate::postgres;
use crate::program::{Program, Service};
use crate::redis::Server;
use crate::site::{Site, Storage};
use crate::waiting::eventually;

/// A service listens within this time of its start.
const STARTED_WITHIN: Duration = Duration::from_secs(5);
/// Users with four devices each.
const USERS: usize = 4;

/// Waits until so many more refreshes were granted.
async fn after_so_many(granted: &AtomicU64, count: u64) {
    let enough = async || (granted.load(Ordering::Relaxed) >= count).then_some(());
    eventually("refreshes go on", enough).await;
}

/// No client is ahead of its session. A refresh would heal it, and hide it from whoever looks at answers alone.
async fn assert_nothing_was_lost(client: &Client) {
    assert_eq!(metric(client, HEALED).await, 0, "nothing that was answered was lost");
}

async fn started(program: &Program, tally: &Tally) -> Service {
    let began = Instant::now();
    let service = program.serve().await;
    let took = began.elapsed();
    assert!(took < STARTED_WITHIN, "it took {took:?} to start");
    tally.note(|counts| counts.slowest_start = counts.slowest_start.max(took));
    service
}

/// Kills the service so often, and holds its clients' sessions to go on after each start.
pub async fn of_the_service(storage: Storage, kills: Share, seed: u64, tally: &Tally) {
    let mut rng = choices(seed, 0);
    let site = Site::open(storage, &[]).await;
    let program = Program::new("auth-service", site.directory(), site.environment(&[]));
    let mut service = started(&program, tally).await;
    let mut crowd = Crowd::gather(&site, &service.client(), USERS, tally).await;
    for _ in kills {
        let client = service.client();
        let moment = rng.u64(1..300);
        crowd
            .refresh_until(&client, async |granted| {
                after_so_many(granted, moment).await;
                service.kill().await;
            })
            .await;
        tally.fault("service killed");
        service = started(&program, tally).await;
        crowd.goes_on(&service.client()).await;
        assert_nothing_was_lost(&service.client()).await;
    }
    crowd.goes_on(&service.client()).await;
    crowd.present_spent_tokens(&service.client()).await;
}

/// Kills a Redis that writes to the disk before it answers, so often.
pub async fn of_redis(kills: Share, seed: u64, tally: &Tally) {
    let mut rng = choices(seed, 0);
    let redis = Server::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let site = Site::over(&redis.url(), postgres::shared().database(), &[]).await;
    let service = started(&Program::new("auth-service", site.directory(), site.environment(&[])), tally).await;
    let client = service.client();
    let mut crowd = Crowd::gather(&site, &client, USERS, tally).await;
    for _ in kills {
        let moment = rng.u64(1..200);
        crowd
            .refresh_until(&client, async |granted| {
                after_so_many(granted, moment).await;
                redis.kill();
            })
            .await;
        tally.fault("Redis killed");
        redis.start_again();
        crowd.goes_on(&client).await;
        assert_nothing_was_lost(&client).await;
    }
    crowd.goes_on(&client).await;
    crowd.present_spent_tokens(&client).await;
}

/// What a power cut took away.
#[derive(Debug)]
pub struct PowerCut {
    /// Changes that were answered and then lost.
    pub lost: u64,
    /// Rotations among them that the next refresh made good.
    pub healed: u64,
}

/// Cuts off the end of what a Redis with `appendfsync everysec` had written, as a power cut does with what was not yet on the disk:
/// a killed process loses none of that. Clients go on, though rotations are lost; a login is lost, and an ending is undone.
///
/// # Panics
///
/// Where something else is lost, or less than was cut off.
pub async fn power_cut(changes: u64, tally: &Tally) -> PowerCut {
    let redis = Server::start_with(&[("appendonly", "yes"), ("appendfsync", "everysec")]);
    let site = Site::over(&redis.url(), postgres::shared().database(), &[]).await;
    let service = started(&Program::new("auth-service", site.directory(), site.environment(&[])), tally).await;
    let client = service.client();
    let mut crowd = Crowd::gather(&site, &client, USERS, tally).await;
    let person = site.person(SystemClock.now()).await;
    let mut leaving = Device::login(&client, &person).await;
    crowd.refresh_until(&client, async |granted| after_so_many(granted, changes).await).await;

    let log = append_only_file(redis.directory());
    let on_the_disk = file_size(&log);
    let mut lost = 2;
    crowd
        .refresh_until(&client, async |granted| {
            after_so_many(granted, changes).await;
            lost += granted.load(Ordering::Relaxed);
        })
        .await;
    let coming = client.login(&person).await;
    assert_eq!(client.logout(&leaving.tokens.refresh_token).await.status, 204);
    redis.kill();
    assert!(file_size(&log) > on_the_disk, "what was answered had been written");
    let file = std::fs::File::options().write(true).open(&log).expect("the file of a server of ours");
    file.set_len(on_the_disk).expect("the file can be cut off");
    tally.fault("Redis lost its last writes");
    redis.start_again();

    crowd.goes_on(&client).await;
    client.refresh(&coming.refresh_token).await.assert_session_ended(None);
    // The dangerous direction.
    assert_eq!(leaving.refresh(&client).await.expect("an answer").status, 200);
    let healed = metric(&client, HEALED).await;
    tally.note(|counts| counts.healed += healed);
    crowd.goes_on(&client).await;
    crowd.present_spent_tokens(&client).await;
    PowerCut { lost, healed }
}

/// What a Redis of any version appends to.
fn append_only_file(directory: &Path) -> PathBuf {
    let of_seven = directory.join("appendonlydir").join("appendonly.aof.1.incr.aof");
    if of_seven.exists() { of_seven } else { directory.join("appendonly.aof") }
}

fn file_size(path: &Path) -> u64 {
    std::fs::metadata(path).expect("Redis keeps such a file").len()
}
