//! A network that fails between a service and its Redis, or between clients and the service: everybody has an answer in time, nobody
//! is signed out, all works again soon after it has healed, and nothing is left behind in the service.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fastrand::Rng;
use shared_claims::{Clock, SystemClock};
use tokio::time::timeout;

use super::crowd::{Crowd, DEVICES, metric, value};
use super::linearizable::{self, Found};
use super::seed::choices;
use super::tally::Tally;
use super::workload::Load;
use crate::client::{Answered, Client};
use crate::device::Device;
use crate::postgres;
use crate::program::{Program, Service};
use crate::proxy::{Proxy, Weather};
use crate::redis::{self, Server};
use crate::site::{Site, Storage};
use crate::stack::Stack;
use crate::waiting::{PATIENCE, eventually};

/// A service answers within this time, whatever becomes of its store.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// A network that has healed is made use of within this time.
const RECOVERED_WITHIN: Duration = Duration::from_secs(2);
/// Users with four devices each.
const USERS: usize = 2;
/// What each weather is held for: so many refreshes that were granted, or that failed.
const ENOUGH: u64 = 16;

/// What comes over a network, each with the name that it is counted by.
const WEATHERS: [(&str, Weather); 5] = [
    ("network slow", Weather::Slow(Duration::from_millis(40))),
    ("network throttled", Weather::Throttled(100)),
    ("answers cut in the middle", Weather::CutAnswers),
    ("network stalled", Weather::Stalled),
    ("connections refused", Weather::Refused),
];

/// Between a service and its Redis.
///
/// # Panics
///
/// Where an answer or the recovery takes too long, or something is left behind.
pub async fn between_service_and_store(tally: &Tally) {
    let redis = Server::start();
    let proxy = Proxy::before(redis.address().parse().expect("host and port")).await;
    let site = Site::over(&format!("redis://{}", proxy.address), postgres::shared().database(), &[]).await;
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    // What clients keep open is theirs to choose, and would be counted here as the service's.
    let client = Client::that_keeps(0, service.address);
    let mut crowd = Crowd::gather(&site, &client, USERS, tally).await;
    let storm =
        Storm { proxy: &proxy, client: &client, direct: &client, service: &service, directory: site.directory() };
    storm.blow(&mut crowd, tally).await;
    let slowest = tally.counts().slowest_answer;
    assert!(slowest < ANSWERED_WITHIN, "an answer took {slowest:?}");
    tally.assert_kept();
    crowd.present_spent_tokens(&client).await;
}

/// Between clients and a service.
///
/// # Panics
///
/// Where the recovery takes too long, or something is left behind.
pub async fn between_clients_and_service(storage: Storage, tally: &Tally) {
    let site = Site::open(storage, &[]).await;
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let proxy = Proxy::before(service.address).await;
    // One for each device, so that each meets its own when they are dead. One more would be met later, and cost its client the time after
    // which it hangs up.
    let (client, direct) = (Client::that_keeps(USERS * DEVICES, proxy.address), service.client());
    let mut crowd = Crowd::gather(&site, &client, USERS, tally).await;
    let storm =
        Storm { proxy: &proxy, client: &client, direct: &direct, service: &service, directory: site.directory() };
    storm.blow(&mut crowd, tally).await;
    tally.assert_kept();
    crowd.present_spent_tokens(&direct).await;
}

struct Storm<'a> {
    proxy: &'a Proxy,
    client: &'a Client,
    direct: &'a Client,
    service: &'a Service,
    directory: &'a Path,
}

impl Storm<'_> {
    /// Every weather in turn, and connections that die without a word.
    async fn blow(&self, crowd: &mut Crowd<'_>, tally: &Tally) {
        self.hold(crowd, tally).await;
        let before = self.footprint().await;
        for (name, weather) in WEATHERS {
            self.proxy.set(weather);
            self.hold(crowd, tally).await;
            tally.fault(name);
            self.proxy.heal();
            Self::assert_recovered(name, crowd.goes_on(self.client).await);
        }
        // A connection may be closed a moment after its client has gone.
        let seen = std::cell::Cell::new(before);
        let few = async || {
            seen.set(self.footprint().await);
            seen.get().iter().zip(&before).all(|(now, before)| now <= before).then_some(())
        };
        let what = "open files, threads and connections are as few as before";
        let are_few = timeout(PATIENCE / 2, eventually(what, few)).await.is_ok();
        assert!(are_few, "{before:?} before and {:?} after: {what}", seen.get());
        // These are kept by whoever waits at their other end: by the service for the 75 seconds of an idle connection.
        self.proxy.let_connections_die();
        tally.fault("connections dead without a word");
        self.hold(crowd, tally).await;
        Self::assert_recovered("dead connections", crowd.goes_on(self.client).await);
    }

    async fn hold(&self, crowd: &mut Crowd<'_>, tally: &Tally) {
        let failed = || tally.counts().unavailable + tally.counts().lost;
        let before = failed();
        crowd
            .refresh_until(self.client, async |granted| {
                let is_enough = async || {
                    let granted = granted.load(Ordering::Relaxed);
                    (granted >= ENOUGH || failed() - before >= ENOUGH).then_some(())
                };
                eventually("the weather has been felt", is_enough).await;
            })
            .await;
    }

    #[track_caller]
    fn assert_recovered(from: &str, took: Duration) {
        assert!(took < RECOVERED_WITHIN, "{from}: it took {took:?} to recover");
    }

    /// Open files and threads of the service, and connections through the proxy. Files of databases and connections to PostgreSQL are
    /// opened as they are needed and kept, so they are left out.
    async fn footprint(&self) -> [u64; 3] {
        let text = self.direct.get("/metrics").answer().await.body;
        let count = |series| value(&text, series).unwrap_or_else(|| panic!("there is no {series} in {text}"));
        let to_database = value(&text, "latchkey_database_connections").unwrap_or(0);
        let files = self.service.open_files_outside(self.directory) - to_database;
        [files, count("process_threads"), self.proxy.open_connections() as u64]
    }
}

/// A refresh that arrives when its client has given it up. As long as its successor has not been used it is a repetition; after that
/// it is the use of a spent token, which nobody can tell from a thief's.
///
/// # Panics
///
/// Where it is anything else.
pub async fn delayed_duplicate(storage: Storage, is_too_late: bool) {
    let site = Site::open(storage, &[]).await;
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let proxy = Proxy::before(service.address).await;
    let (far, near) = (Client::new(proxy.address), service.client());
    let person = site.person(SystemClock.now()).await;
    let mut device = Device::login(&near, &person).await;
    proxy.set(Weather::Stalled);
    {
        let mut lost = device.clone();
        let arrives = async || (proxy.open_connections() == 1).then_some(());
        tokio::select! {
            answer = lost.refresh(&far) => panic!("nothing passes: {answer:?}"),
            () = eventually("the request is on its way", arrives) => {}
        }
    }
    for _ in 0..=usize::from(is_too_late) {
        assert_eq!(device.refresh(&near).await.expect("an answer").status, 200);
    }
    proxy.heal_and_deliver();
    let outcome = if is_too_late { "refresh_token_reused" } else { "replayed" };
    let series = format!(r#"latchkey_refreshes_total{{outcome="{outcome}",reason=""}}"#);
    eventually("the duplicate has arrived", async || (metric(&near, &series).await == 1).then_some(())).await;
    let answer = device.refresh(&near).await.expect("an answer");
    if is_too_late {
        answer.assert_session_ended(Some("reuse_detected"));
    } else {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// Clients do anything at any time at two instances whose ways to Redis fail, each by itself: what they were answered still has an order.
pub async fn histories(load: Load, seeds: &[u64], tally: &Tally) -> Result<(), Found> {
    let stack = Stack::start(Storage::Distributed).await;
    let server = redis::shared().address().parse().expect("host and port");
    let proxies = [Proxy::before(server).await, Proxy::before(server).await];
    let urls = proxies.each_ref().map(|proxy| format!("redis://{}", proxy.address));
    let one = stack.instance_with(&[("TOKEN_STORE__URL", &urls[0])]).await;
    let other = stack.instance_with(&[("TOKEN_STORE__URL", &urls[1])]).await;
    let instances = [one.client(), other.client()];
    let mut rng = choices(seeds.first().copied().unwrap_or_default(), u64::from(u16::MAX));
    tokio::select! {
        found = linearizable::search(&stack, &instances, load, seeds.iter().copied(), tally) => found,
        () = change_for_ever(&proxies, &mut rng, tally) => Ok(()),
    }
}

async fn change_for_ever(proxies: &[Proxy], rng: &mut Rng, tally: &Tally) {
    loop {
        let proxy = rng.choice(proxies).expect("there are some");
        let (name, weather) = *rng.choice(&WEATHERS).expect("there are some");
        if rng.u8(..4) == 0 {
            proxy.let_connections_die();
            tally.fault("connections dead without a word");
        } else {
            proxy.set(weather);
            tally.fault(name);
        }
        tokio::time::sleep(Duration::from_millis(rng.u64(20..150))).await;
        proxy.heal();
        tokio::time::sleep(Duration::from_millis(rng.u64(20..150))).await;
    }
}
