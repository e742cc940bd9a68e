//! A session that ended elsewhere is over here, and the user is told why.

use latchkey_client::{Client, EndReason, Error, MemoryStorage, SessionState};
use rstest::rstest;
use system_tests::site::Storage::{self, Distributed, Embedded};

use super::{House, stolen_from};

/// Asserts that the next call tells this reason, and each after it; nothing is asked of the server any more.
async fn assert_ended(house: &House, client: &Client, expected: EndReason) {
    house.expire();
    for _ in 0..2 {
        let error = house.jobs_of(client).list(None).await.unwrap_err();
        assert!(matches!(&error, Error::SignedOut(Some(reason)) if *reason == expected), "{error:?}");
    }
    let state = client.session().await.unwrap();
    assert_eq!(state, SessionState::SignedOut { because: Some(expected) });
}

#[rstest]
#[tokio::test]
async fn from_the_list_of_devices(#[values(Embedded, Distributed)] storage: Storage) {
    let house = House::open(storage).await;
    let (phone, desk) = (house.client("phone").await, house.client("desk").await);
    let devices = desk.devices().await.unwrap();
    let other = devices.iter().find(|device| !device.current).unwrap();
    assert_eq!(other.device_name.as_deref(), Some("phone"));
    desk.end_session(other.id).await.unwrap();
    assert_ended(&house, &phone, EndReason::SignedOutElsewhere).await;
    desk.current_user().await.unwrap();
}

#[tokio::test]
async fn by_a_change_of_password() {
    let house = House::open(Embedded).await;
    let (phone, desk) = (house.client("phone").await, house.client("desk").await);
    let new = "an entirely new sentence".into();
    desk.change_password(&house.person.password.as_str().into(), &new).await.unwrap();
    assert_ended(&house, &phone, EndReason::PasswordChanged).await;
    desk.current_user().await.unwrap();
}

#[tokio::test]
async fn by_five_more_logins() {
    let house = House::open(Embedded).await;
    let phone = house.client("phone").await;
    for number in 0..5 {
        house.client(&format!("desk {number}")).await;
    }
    assert_ended(&house, &phone, EndReason::SessionLimit).await;
}

#[rstest]
#[tokio::test]
async fn by_a_thief_who_came_too_late(#[values(Embedded, Distributed)] storage: Storage) {
    let house = House::open(storage).await;
    let memory = MemoryStorage::new();
    let client = house.builder().storage(memory.clone()).build().unwrap();
    client.login(&house.login()).await.unwrap();
    let stolen = stolen_from(&memory).await;
    house.expire();
    client.current_user().await.unwrap();
    house.stack.client().refresh(&stolen).await.assert_problem(403, "refresh_token_reused");
    assert!(EndReason::ReuseDetected.is_alarming());
    assert_ended(&house, &client, EndReason::ReuseDetected).await;
}

#[tokio::test]
async fn by_a_thief_who_was_faster() {
    let house = House::open(Embedded).await;
    let memory = MemoryStorage::new();
    let client = house.builder().storage(memory.clone()).build().unwrap();
    client.login(&house.login()).await.unwrap();
    house.stack.client().refresh(&stolen_from(&memory).await).await.tokens();
    assert_ended(&house, &client, EndReason::RefreshTokenReused).await;
}

#[tokio::test]
async fn by_itself_from_this_device() {
    let house = House::open(Embedded).await;
    let desk = house.client("desk").await;
    let here = desk.devices().await.unwrap().remove(0);
    desk.end_session(here.id).await.unwrap();
    assert_ended(&house, &desk, EndReason::SignedOut).await;

    let (phone, desk) = (house.client("phone").await, house.client("desk").await);
    desk.end_all_sessions().await.unwrap();
    assert_ended(&house, &desk, EndReason::SignedOut).await;
    assert_ended(&house, &phone, EndReason::SignedOutElsewhere).await;
}

#[tokio::test]
async fn only_for_whoever_is_meant() {
    let house = House::open(Embedded).await;
    let (phone, desk) = (house.client("phone").await, house.client("desk").await);
    desk.end_other_sessions().await.unwrap();
    assert_ended(&house, &phone, EndReason::SignedOutElsewhere).await;
    desk.current_user().await.unwrap();
    desk.logout().await.unwrap();
    assert_ended(&house, &desk, EndReason::SignedOut).await;
    let laptop = house.client("laptop").await;
    assert_eq!(laptop.devices().await.unwrap().len(), 1, "a logout ends the session at the server");
}
