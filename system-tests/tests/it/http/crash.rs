//! `kill -9` in the middle of a thousand refreshes, again and again: no session ever has two live tokens, and no client that repeats
//! its request is logged out. What was answered is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use rstest::rstest;
use shared_claims::{Clock, SystemClock};
use system_tests::client::Client;
use system_tests::device::Device;
use system_tests::program::Program;
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::waiting::eventually;

use super::assert_nothing_was_lost;

const ROUNDS: usize = 4;
const REFRESHES_BEFORE_THE_END: usize = 250;

/// Sixteen devices of four users.
async fn devices(site: &Site, client: &Client) -> Vec<Device> {
    let mut devices = Vec::new();
    for _ in 0..4 {
        let person = site.person(SystemClock.now()).await;
        for _ in 0..4 {
            devices.push(Device::login(client, &person).await);
        }
    }
    devices
}

/// Refreshes until the service does not answer any more.
async fn refresh_to_the_end(device: &mut Device, client: &Client, done: &AtomicUsize) {
    while let Ok(answer) = device.refresh(client).await {
        assert_eq!(answer.status, 200, "{answer:?}");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[rstest]
#[tokio::test]
async fn a_kill_in_the_middle_of_a_thousand_refreshes_signs_nobody_out(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let site = Site::open(storage, &[]).await;
    let program = Program::new("auth-service", site.directory(), site.environment(&[]));
    let mut service = program.serve().await;
    let mut devices = devices(&site, &service.client()).await;
    for _ in 0..ROUNDS {
        let (client, done) = (service.client(), Arc::new(AtomicUsize::new(0)));
        let refreshing = join_all(devices.iter_mut().map(|device| refresh_to_the_end(device, &client, &done)));
        let killing = async {
            let enough = async || (done.load(Ordering::Relaxed) >= REFRESHES_BEFORE_THE_END).then_some(());
            eventually("the service is in the middle of it", enough).await;
            service.kill().await;
        };
        tokio::join!(refreshing, killing);

        service = program.serve().await;
        for device in &mut devices {
            let repeated = device.refresh(&service.client()).await.expect("the service is back");
            assert_eq!(repeated.status, 200, "a client that repeated its request: {repeated:?}");
        }
        assert_nothing_was_lost(&service.client()).await;
    }

    let client = service.client();
    for device in &devices {
        let spent = device.spent_token().expect("each device has refreshed");
        client.refresh(spent).await.assert_problem(403, "refresh_token_reused");
        client.refresh(&device.tokens.refresh_token).await.assert_session_ended(Some("reuse_detected"));
    }
}
