//! Two instances of auth-service over one storage behave as one, whichever of them a request meets.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::Value;
use system_tests::client::Client;
use system_tests::device::Device;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

#[rstest]
#[tokio::test]
async fn what_one_instance_did_the_other_knows(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let second = stack.second_instance().await;
    let (one, other) = (stack.client(), second.client());
    let person = stack.person().await;
    let tokens = one.login(&person).await;
    assert_eq!(other.current_user(&tokens.access_token).await.read::<Value>(200)["username"], person.username);
    let next = other.refresh(&tokens.refresh_token).await.tokens();
    one.refresh(&tokens.refresh_token).await.assert_problem(403, "refresh_token_reused");
    other.refresh(&next.refresh_token).await.assert_session_ended(Some("reuse_detected"));

    let tokens = other.login(&person).await;
    assert_eq!(one.logout(&tokens.refresh_token).await.status, 204);
    other.refresh(&tokens.refresh_token).await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn five_sessions_are_five_wherever_they_began(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let second = stack.second_instance().await;
    let clients = [stack.client(), second.client()];
    let person = stack.person().await;
    for client in clients.iter().cycle().take(5) {
        assert_eq!(client.login_on(&person, "one of five").await.ended_sessions, []);
    }
    assert_eq!(clients[1].login_on(&person, "the sixth").await.ended_sessions.len(), 5);
}

/// Refreshes so often, at each instance in turn.
async fn refresh_in_turn(device: &mut Device, clients: &[Client; 2], times: usize) {
    for client in clients.iter().cycle().take(times) {
        let answer = device.refresh(client).await.expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn sixteen_devices_that_change_instances_at_every_refresh_are_all_served(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let second = stack.second_instance().await;
    let clients = [stack.client(), second.client()];
    let mut devices = Vec::new();
    for _ in 0..4 {
        let person = stack.person().await;
        for client in clients.iter().cycle().take(4) {
            devices.push(Device::login(client, &person).await);
        }
    }
    join_all(devices.iter_mut().map(|device| refresh_in_turn(device, &clients, 64))).await;
}
