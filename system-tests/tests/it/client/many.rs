//! Many calls at once, over many expiries: one refresh for each, and nobody notices.

use futures_util::future::join_all;
use latchkey_client::{Client, FileStorage, JobDraft, MemoryStorage};
use rstest::rstest;
use system_tests::site::Storage::{self, Distributed, Embedded};

use super::House;

const EXPIRIES: u32 = 12;

/// Twenty calls at once, of both services, that all succeed.
async fn twenty_calls(house: &House, clients: &[Client]) {
    let calls = clients.iter().cycle().take(10).map(async |client| {
        let jobs = house.jobs_of(client);
        let (user, jobs) = tokio::join!(client.current_user(), jobs.list(None));
        assert_eq!(user.unwrap().username, house.person.username);
        jobs.unwrap();
    });
    join_all(calls).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn twenty_calls_at_once_cause_one_refresh_for_each_expiry(#[values(Embedded, Distributed)] storage: Storage) {
    let house = House::open(storage).await;
    let client = house.client("desk").await;
    let before = house.scrape().await;
    for _ in 0..EXPIRIES {
        house.expire();
        twenty_calls(&house, std::slice::from_ref(&client)).await;
    }
    house.assert_refreshes(&before, &[("outcome=rotated", EXPIRIES)]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_share_a_storage_cause_one_refresh_for_each_expiry(#[values(true, false)] in_a_file: bool) {
    let house = House::open(Embedded).await;
    let (memory, home) = (MemoryStorage::new(), tempfile::tempdir().unwrap());
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let builder = house.builder();
            let file = FileStorage::new(home.path().join("tokens.json"));
            if in_a_file { builder.storage(file) } else { builder.storage(memory.clone()) }.build().unwrap()
        })
        .collect();
    clients[0].login(&house.login()).await.unwrap();
    let before = house.scrape().await;
    for _ in 0..EXPIRIES {
        house.expire();
        twenty_calls(&house, &clients).await;
    }
    house.assert_refreshes(&before, &[("outcome=rotated", EXPIRIES)]).await;
}

#[tokio::test]
async fn a_call_that_changes_something_is_made_once_though_its_token_had_run_out() {
    let house = House::open(Embedded).await;
    let client = house.client("desk").await;
    let jobs = house.jobs_of(&client);
    for _ in 0..5 {
        house.expire();
        jobs.create(&JobDraft::new("Oil the engine")).await.unwrap();
    }
    assert_eq!(jobs.list_all().await.unwrap().len(), 5);
}
