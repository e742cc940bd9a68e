//! Services and stores that go away and come back: calls wait, and nobody is signed out.

use futures_util::future::join_all;
use latchkey_client::{Client, Error};
use rstest::rstest;
use system_tests::postgres;
use system_tests::redis::Server;
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::waiting::eventually;

use super::gateway::Gateway;
use super::{House, builder};

/// Ten calls that need a new token, each in a task of its own.
fn calls(client: &Client) -> impl Future<Output = ()> + use<> {
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.current_user().await.expect("it only has to wait") })
        })
        .collect();
    async {
        for call in join_all(calls).await {
            call.unwrap();
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_service_that_is_restarted_is_waited_for(#[values(Embedded, Distributed)] storage: Storage) {
    let House { mut stack, jobs, person } = House::open(storage).await;
    let gateway = Gateway::to(stack.address()).await;
    let client = builder(gateway.address, jobs.address).build().unwrap();
    let login = latchkey_client::Login::new(&person.username, person.password.as_str().into());
    let session = client.login(&login).await.unwrap().session_id;
    for _ in 0..3 {
        gateway.lead_to(None);
        let site = stack.stop().await;
        let error = client.current_user().await.unwrap_err();
        assert!(matches!(error, Error::NoAnswer(_)) && error.is_temporary(), "{error:?}");

        stack = Stack::on(site).await;
        stack.advance(chrono::TimeDelta::hours(1));
        gateway.lead_to(Some(stack.address()));
        calls(&client).await;
    }
    let devices = client.devices().await.unwrap();
    assert_eq!(devices.iter().map(|device| device.id).collect::<Vec<_>>(), [session]);
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_is_waited_for() {
    let redis = Server::start_with(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let house = House::on(Site::over(&redis.url(), postgres::shared().database(), &[]).await).await;
    let client = house.client("desk").await;
    let before = house.scrape().await;
    house.expire();
    redis.kill();
    let calls = calls(&client);
    eventually("a refresh meets the failure", async || {
        let changes = house.scrape().await.changes_since(&before, "latchkey_refreshes_total");
        changes.contains_key("outcome=unavailable").then_some(())
    })
    .await;
    redis.start_again();
    calls.await;

    let changes = house.scrape().await.changes_since(&before, "latchkey_refreshes_total");
    assert_eq!(changes.get("outcome=rotated"), Some(&1.0), "{changes:?}");
    assert!(changes.keys().all(|outcome| ["outcome=rotated", "outcome=unavailable"].contains(&outcome.as_str())));
}

#[tokio::test]
async fn jobs_go_on_while_nobody_can_be_asked_for_a_new_token() {
    let redis = Server::start();
    let house = House::on(Site::over(&redis.url(), postgres::shared().database(), &[]).await).await;
    let client = house.client("desk").await;
    redis.kill();
    house.jobs_of(&client).list(None).await.unwrap();
    let error = client.devices().await.unwrap_err();
    assert!(error.is_temporary() && error.retry_after().is_some(), "{error:?}");
}
