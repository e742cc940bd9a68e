//! More logins at once than the machine can check passwords for: those beyond the queue are told when to come again, at once, and
//! nobody who is signed in has to wait for them. And a machine that has no time to spare for logins.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, available_parallelism};

use futures_util::future::join_all;
use system_tests::client::Client;
use system_tests::device::Device;
use system_tests::people::Person;
use system_tests::site::Storage::Embedded;
use system_tests::stack::Stack;

/// More than one service lets wait, with a permit for each core but one.
fn too_many() -> usize {
    available_parallelism().map_or(1, usize::from) * 65 + 35
}

async fn refresh_until(device: &mut Device, client: &Client, is_over: impl Future) -> usize {
    let mut refreshes = 0;
    let refreshing = async {
        loop {
            let answer = device.refresh(client).await.expect("an answer");
            assert_eq!(answer.status, 200, "{answer:?}");
            refreshes += 1;
        }
    };
    tokio::select! {
        () = refreshing => {}
        _ = is_over => {}
    }
    refreshes
}

#[tokio::test]
async fn logins_beyond_the_queue_are_told_when_to_come_again_and_refreshes_go_on() {
    let stack = Stack::start(Embedded).await;
    let client = stack.client();
    let mut device = Device::login(&client, &stack.person().await).await;
    let strangers: Vec<_> = (0..too_many()).map(|_| Person::invent().credentials()).collect();
    let mut answers = Vec::new();
    let logins = async { answers = join_all(strangers.iter().map(|login| client.try_login(login))).await };
    let refreshes = refresh_until(&mut device, &client, logins).await;

    let (refused, checked): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 503);
    assert!(!refused.is_empty() && !checked.is_empty(), "{} and {}", refused.len(), checked.len());
    for answer in refused {
        answer.assert_unavailable();
    }
    for answer in checked {
        answer.assert_problem(401, "invalid_credentials");
    }
    assert!(refreshes >= 10, "{refreshes} refreshes meanwhile");
    assert_eq!(client.try_login(&strangers[0]).await.status, 401, "the queue is empty again");
}

/// A thread for each core that takes all it can get, until this is dropped.
struct EveryCore {
    is_over: Arc<AtomicBool>,
}

impl EveryCore {
    fn busy() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            let is_over = is_over.clone();
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
        }
        Self { is_over }
    }
}

impl Drop for EveryCore {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn where_no_core_has_idle_time_passwords_are_checked_all_the_same() {
    let stack = Stack::start(Embedded).await;
    let (client, person) = (stack.client(), stack.person().await);
    let _busy = EveryCore::busy();
    for _ in 0..5 {
        client.login(&person).await;
    }
    client.try_login(&Person::invent().credentials()).await.assert_problem(401, "invalid_credentials");
}
