//! A part fails under the real programs: callers get 503 in time and are never told to log in again, readiness names the part, the
//! log has a line for each change and not for each request, and all works again without a restart.

mod postgres;
mod redis;
mod sqlite;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use shared_claims::{Clock, SystemClock};
use system_tests::client::{Answer, Answered, Client};
use system_tests::device::Device;
use system_tests::people::Person;
use system_tests::program::{Program, Service};
use system_tests::site::Site;
use system_tests::waiting::eventually;
use tokio::task::block_in_place;
use tokio::time::Instant;

/// Within this time there is an answer, whatever is down.
const IN_TIME: Duration = Duration::from_secs(2);

/// Both services, and somebody who is signed in.
struct Ward {
    auth: Service,
    jobs: Service,
    person: Person,
    device: Device,
    site: Site,
}

fn in_time(answer: impl Future<Output = Answer>) -> impl Future<Output = Answer> {
    let answer = Box::pin(answer);
    async { tokio::time::timeout(IN_TIME, answer).await.expect("an answer within two seconds") }
}

/// Repeats a refresh as a good client does, until it is answered with new tokens; it may be told to wait and nothing else.
async fn go_on(device: &mut Device, client: &Client) {
    eventually("the session goes on", async || {
        let answer = device.refresh(client).await.expect("an answer");
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
}

impl Ward {
    async fn open(site: Site) -> Self {
        let auth = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
        let jobs = Program::new("jobs-service", site.directory(), site.jobs_environment()).serve().await;
        let person = site.person(SystemClock.now()).await;
        let device = Device::login(&auth.client(), &person).await;
        Self { auth, jobs, person, device, site }
    }

    /// What needs the part that is down: a refresh that repeats itself as a good client does, again and again, and a login.
    async fn assert_unavailable(&mut self) {
        let (client, credentials) = (self.auth.client(), self.person.credentials());
        for _ in 0..2 {
            let mut tabs = vec![self.device.clone(); 8];
            let refreshes =
                join_all(tabs.iter_mut().map(|tab| in_time(async { tab.refresh(&client).await.expect("an answer") })));
            let (refreshes, login) = tokio::join!(refreshes, in_time(client.try_login(&credentials)));
            for answer in refreshes.iter().chain([&login]) {
                answer.assert_unavailable();
            }
        }
    }

    /// The service lives and is not ready, and these are the parts that are down.
    async fn assert_unready(client: &Client, parts: &[&str]) {
        let readiness = in_time(client.readiness()).await;
        let checks: Value = readiness.read(503);
        let checks = checks["checks"].as_object().expect("checks by their name");
        let down: Vec<_> = checks.iter().filter(|(_, check)| check["status"] == "down").map(|(name, _)| name).collect();
        assert_eq!(down, parts, "{readiness:?}");
        assert_eq!(in_time(client.get("/health/live").answer()).await.status, 200);
    }

    /// Each thread of a service has a connection of its own, and pauses between its tries to get one. As soon as one is served, all are.
    async fn assert_for_nobody_and_then_for_everybody(&self, stop: impl Fn(), start: impl Fn()) {
        let (client, token) = (self.auth.client(), self.device.tokens.access_token.clone());
        let at_once = async move || join_all((0..16).map(|_| in_time(client.sessions(&token)))).await;
        for _ in 0..3 {
            stop();
            let pauses_are_long = Instant::now() + Duration::from_millis(500);
            while Instant::now() < pauses_are_long {
                at_once().await.iter().for_each(Answer::assert_unavailable);
            }
            let asking = tokio::spawn({
                let at_once = at_once.clone();
                async move { while at_once().await.iter().all(|answer| answer.status != 200) {} }
            });
            block_in_place(&start);
            asking.await.expect("somebody is served");
            for answer in at_once().await {
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }
    }

    /// Nothing of jobs-service depends on the part that is down.
    async fn assert_jobs_go_on(&self) {
        let client = self.jobs.client();
        assert_eq!(in_time(client.job_list(&self.device.tokens.access_token)).await.status, 200);
        assert_eq!(in_time(client.readiness()).await.status, 200);
    }

    /// The token that met the failure is good, with its key; the session rotates on from there, and everything else works too.
    async fn assert_recovered(&mut self) {
        let client = self.auth.client();
        go_on(&mut self.device, &client).await;
        assert_eq!(self.device.refresh(&client).await.expect("an answer").status, 200);
        assert_eq!(client.try_login(&self.person.credentials()).await.status, 200);
        for client in [self.auth.client(), self.jobs.client()] {
            eventually("the service is ready", async || (client.readiness().await.status == 200).then_some(())).await;
        }
        assert_eq!(self.jobs.client().job_list(&self.device.tokens.access_token).await.status, 200);
    }

    /// Refreshes until the log says that the part works again, and asserts that there is one line for each change and no other warning
    /// but that of the health check.
    async fn assert_logged_once(&mut self, fails: &str, works_again: &str) {
        let client = self.auth.client();
        eventually("the log says that it works again", async || {
            assert_eq!(self.device.refresh(&client).await.expect("an answer").status, 200);
            self.auth.log().contains(works_again).then_some(())
        })
        .await;
        let log = self.auth.log();
        assert_eq!(log.matches(fails).count(), 1, "{log}");
        assert_eq!(log.matches(works_again).count(), 1, "{log}");
        let is_warning = |line: &&str| line.contains("\"level\":\"WARN\"") || line.contains("\"level\":\"ERROR\"");
        // What is not right with the servers of the tests is told at start.
        let expected = [fails, "a health check fails", "auth_service::stores::finding"];
        let is_other = |line: &&str| !expected.iter().any(|expected| line.contains(expected));
        let others: Vec<_> = log.lines().filter(is_warning).filter(is_other).collect();
        assert!(others.is_empty(), "{others:#?}");
    }
}
