//! Each container is stopped and started while people come, go and stay. A session is never lost and a refresh never refused: what
//! fails meanwhile is told as 503 or by a broken connection, and the same request once more goes well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use system_tests::client::{Answer, Answered};
use system_tests::device::Device;
use system_tests::people::Person;
use system_tests::waiting::eventually;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::stack::{add_job, all_ready, auth, compose, inspect, jobs, person};

const DEVICES: usize = 6;
/// Between two requests of one device.
const PAUSE: Duration = Duration::from_millis(20);

/// Devices that refresh and list jobs without end, and somebody who logs in and out.
struct Load {
    is_over: Arc<AtomicBool>,
    devices: Vec<(Arc<Progress>, JoinHandle<Device>)>,
    visitor: (Arc<Progress>, JoinHandle<()>),
}

/// How often one of them got all the way.
#[derive(Default)]
struct Progress {
    rounds: AtomicU64,
    failures: AtomicU64,
}

impl Progress {
    fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Takes an answer that is as it should be, or waits a little where there is none. Anything else ends the test.
    async fn succeeded(&self, answer: Result<Answer, reqwest::Error>, good: u16) -> Option<Answer> {
        match answer {
            Ok(answer) if answer.status == good => return Some(answer),
            Ok(answer) => answer.assert_unavailable(),
            Err(_) => {}
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
        None
    }
}

impl Load {
    async fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut devices = Vec::new();
        for _ in 0..DEVICES {
            let (device, progress) = (Device::login(&auth(), &person().await).await, Arc::new(Progress::default()));
            devices.push((progress.clone(), tokio::spawn(stay(device, is_over.clone(), progress))));
        }
        let progress = Arc::new(Progress::default());
        let visitor = tokio::spawn(come_and_go(person().await, is_over.clone(), progress.clone()));
        Self { is_over, devices, visitor: (progress, visitor) }
    }

    /// Waits until every one of them has got all the way twice more: once begun before, once from here on.
    async fn goes_on(&self) {
        let all = self.devices.iter().map(|(progress, _)| progress).chain([&self.visitor.0]);
        for progress in all {
            let target = progress.rounds() + 2;
            eventually("everybody goes on", async || (progress.rounds() >= target || self.has_failed()).then_some(()))
                .await;
        }
        assert!(!self.has_failed(), "see the panic above");
    }

    fn has_failed(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
            && (self.visitor.1.is_finished() || self.devices.iter().any(|(_, task)| task.is_finished()))
    }

    async fn end(self) -> Vec<Device> {
        self.is_over.store(true, Ordering::Relaxed);
        self.visitor.1.await.expect("the visitor was well served");
        let mut devices = Vec::new();
        for (progress, task) in self.devices {
            devices.push(task.await.expect("the device was well served"));
            println!("{} rounds, {} failures", progress.rounds(), progress.failures.load(Ordering::Relaxed));
        }
        devices
    }
}

/// Refreshes and lists jobs, and repeats what failed.
async fn stay(mut device: Device, is_over: Arc<AtomicBool>, progress: Arc<Progress>) -> Device {
    let (auth, jobs) = (auth(), jobs());
    while !is_over.load(Ordering::Relaxed) {
        if progress.succeeded(device.refresh(&auth).await, 200).await.is_none() {
            continue;
        }
        let listed = jobs.get("/job-list").bearer_auth(&device.tokens.access_token).try_answer().await;
        if progress.succeeded(listed, 200).await.is_some() {
            progress.rounds.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(PAUSE).await;
    }
    device
}

/// Logs in and out again. A login whose answer was lost leaves a session behind, which is nobody's loss.
async fn come_and_go(person: Person, is_over: Arc<AtomicBool>, progress: Arc<Progress>) {
    let auth = auth();
    while !is_over.load(Ordering::Relaxed) {
        let answer = auth.post("/login", &person.credentials()).try_answer().await;
        let Some(answer) = progress.succeeded(answer, 200).await else { continue };
        let body = serde_json::json!({ "refreshToken": answer.tokens().refresh_token });
        while progress.succeeded(auth.post("/logout", &body).try_answer().await, 204).await.is_none() {}
        progress.rounds.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_container_that_stops_and_starts_costs_a_session_or_a_refresh() {
    let load = Load::start().await;
    for service in ["jobs-service", "auth-service", "gateway", "redis", "postgres"] {
        load.goes_on().await;
        // Compose itself takes its time; the service has ten seconds.
        stop_and_start(service, Duration::from_secs(12)).await;
    }
    load.goes_on().await;
    for mut device in load.end().await {
        let session = device.session_id();
        let answer = device.refresh(&auth()).await.expect("an answer");
        assert_eq!((answer.status, device.session_id()), (200, session), "{answer:?}");
    }
}

#[tokio::test]
async fn a_service_that_nobody_asks_stops_at_once() {
    for service in ["auth-service", "jobs-service"] {
        stop_and_start(service, Duration::from_secs(5)).await;
    }
}

async fn stop_and_start(service: &str, within: Duration) {
    let began = Instant::now();
    compose(&["stop", service]).await;
    let took = began.elapsed();
    assert!(took < within, "{service} took {took:?} to stop");
    let ended = inspect(service).await;
    assert_eq!(ended["State"]["ExitCode"], 0, "{service}");
    compose(&["start", service]).await;
    all_ready().await;
    println!("{service} stopped within {took:?}");
}

#[tokio::test]
async fn what_was_kept_is_there_after_down_and_up() {
    let mut device = Device::login(&auth(), &person().await).await;
    add_job(&device.tokens.access_token, "Still here").await;
    compose(&["down"]).await;
    compose(&["up", "--detach"]).await;
    all_ready().await;
    let answer = device.refresh(&auth()).await.expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    let listed = jobs().job_list(&device.tokens.access_token).await.read::<Vec<Value>>(200);
    assert_eq!(listed[0]["title"], "Still here");
}
