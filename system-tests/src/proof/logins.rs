//! Two hundred logins at once, that are tried again and again, beside clients that refresh and list their jobs: those are all served,
//! in little memory. How much longer they take than alone is measured, the two by turns, for whoever runs it on a quiet machine.

use std::thread::available_parallelism;
use std::time::Duration;

use futures_util::future::{join_all, select};
use shared_claims::{Clock, SystemClock};
use tokio::time::{Instant, sleep};

use super::crowd::metric;
use super::tally::{Beside, Tally};
use crate::client::{Answer, Client};
use crate::device::Device;
use crate::people::Person;
use crate::program::Program;
use crate::site::{Site, Storage};

const AT_ONCE: usize = 200;
/// Clients that go on meanwhile, each with a pause between two requests.
const DEVICES: usize = 4;
const PAUSE: Duration = Duration::from_millis(5);
/// Of each, in each turn: so many that a turn takes seconds, of which the moment when all the logins come at once is a small part.
const STEPS: usize = 300;
/// Who is told to come again does so after the least that anybody is told to wait, or up to twice that: not all in the same moment.
const AGAIN: Duration = Duration::from_secs(1);

/// What a service may take in memory for the logins: 19 MiB for each password that is worked on, of which there are fewer than cores, as
/// much again for those that get no idle time, and the rest for connections.
fn most_memory() -> u64 {
    let cores = available_parallelism().map_or(1, usize::from) as u64;
    (32 + 40 * (cores - 1).max(1)) << 20
}

/// How long requests took, alone and beside logins.
#[derive(Default)]
struct Times {
    refreshes: Vec<Duration>,
    lists: Vec<Duration>,
}

/// Refreshes and lists jobs so many turns alone and as many beside the logins.
///
/// # Panics
///
/// Where a refresh or a list is answered with anything but 200, a login is neither granted nor told to come again, or auth-service
/// takes more memory than it may.
pub async fn beside_clients(storage: Storage, turns: usize, tally: &Tally) {
    let site = Site::open(storage, &[]).await;
    let auth = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let jobs = Program::new("jobs-service", site.directory(), site.jobs_environment()).serve().await;
    let clients = [auth.client(), jobs.client()];
    let now = SystemClock.now();
    let mut devices = Vec::new();
    for _ in 0..DEVICES {
        devices.push(Device::login(&clients[0], &site.person(now).await).await);
    }
    let people = join_all((0..AT_ONCE).map(|_| site.person(now))).await;
    let (mut alone, mut beside) = (Times::default(), Times::default());
    let before = memory(&clients[0]).await;
    for _ in 0..turns {
        go_on(&mut devices, &clients, &mut alone).await;
        let (crowd, good) = (auth.client(), go_on(&mut devices, &clients, &mut beside));
        let logins = join_all(people.iter().map(|person| log_in_for_ever(&crowd, person, tally)));
        drop(select(std::pin::pin!(good), std::pin::pin!(logins)).await);
        let taken = memory(&clients[0]).await.saturating_sub(before);
        assert!(taken < most_memory(), "{AT_ONCE} logins at once take {taken} bytes");
        tally.fault("200 logins at once");
    }
    tally.note(|counts| {
        counts.operations +=
            (alone.lists.len() + alone.refreshes.len() + beside.lists.len() + beside.refreshes.len()) as u64;
        let all = [("a refresh", alone.refreshes, beside.refreshes), ("a job list", alone.lists, beside.lists)];
        for (what, alone, beside) in all {
            let measured = Beside { alone: p99(alone), beside: p99(beside) };
            let worst = counts.beside_logins.entry(what).or_insert(measured);
            if measured.ratio() > worst.ratio() {
                *worst = measured;
            }
        }
    });
}

async fn go_on(devices: &mut [Device], clients: &[Client; 2], times: &mut Times) {
    let [auth, jobs] = clients;
    let all = devices.iter_mut().map(async |device| {
        let mut own = Times::default();
        for _ in 0..STEPS {
            let answer = timed(&mut own.refreshes, device.refresh(auth)).await.expect("an answer");
            assert_served(&answer);
            assert_served(&timed(&mut own.lists, jobs.job_list(&device.tokens.access_token)).await);
            sleep(PAUSE).await;
        }
        own
    });
    for mut own in join_all(all).await {
        times.refreshes.append(&mut own.refreshes);
        times.lists.append(&mut own.lists);
    }
}

#[track_caller]
fn assert_served(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn timed<T>(times: &mut Vec<Duration>, request: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let answer = request.await;
    times.push(began.elapsed());
    answer
}

async fn log_in_for_ever(client: &Client, person: &Person, tally: &Tally) {
    loop {
        let answer = client.try_login(&person.credentials()).await;
        if answer.status == 200 {
            tally.note(|counts| counts.operations += 1);
        } else {
            answer.assert_unavailable();
            tally.note(|counts| counts.unavailable += 1);
            sleep(AGAIN.mul_f64(1.0 + fastrand::f64())).await;
        }
    }
}

async fn memory(client: &Client) -> u64 {
    metric(client, "process_resident_memory_bytes").await
}

/// What 99 of a hundred took at the most.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}
