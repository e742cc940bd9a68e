//! The time that the token store and the databases take: each step of theirs is counted once, where it was asked for.

use rstest::rstest;
use serde_json::json;
use system_tests::client::Answered;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

use super::Scrape;

const STEPS: &str = "latchkey_token_store_duration_seconds_count";
const CALLS: &str = "latchkey_database_duration_seconds_count";

#[rstest]
#[tokio::test]
async fn each_step_in_the_token_store_is_timed(#[values(Embedded, Distributed)] storage: Storage) {
    let settings = [("RATE_LIMIT__ENABLED", "true"), ("RATE_LIMIT__ADDRESS_ATTEMPTS", "10000")];
    let stack = Stack::start_with(storage, &settings).await;
    let (client, person) = (stack.client(), stack.person().await);
    let before = Scrape::of(&client).await;
    let first = client.login(&person).await;
    client.login(&person).await;
    let second = client.refresh(&first.refresh_token).await.tokens();
    client.refresh(&second.refresh_token).await.tokens();
    client.refresh("not-a-token").await.assert_problem(403, "refresh_token_invalid");
    let list = client.get("/sessions").bearer_auth(&second.access_token).answer().await;
    assert_eq!(list.status, 200, "{list:?}");
    client.logout(&second.refresh_token).await;
    let after = Scrape::of(&client).await;
    after.assert_changes(
        &before,
        STEPS,
        &[
            ("operation=start", 2),
            ("operation=rotate", 2),
            ("operation=list", 1),
            ("operation=end", 1),
            // The first login is from an address that is not known yet, which is counted for the account and the address.
            ("operation=attempt_where_known", 2),
            ("operation=attempt", 2),
            ("operation=take_back", 2),
            ("operation=know", 2),
        ],
    );
    after.assert_changes(&before, "latchkey_token_store_failures_total", &[]);
}

#[rstest]
#[tokio::test]
async fn each_call_into_the_database_of_users_is_timed(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (client, person) = (stack.client(), stack.person().await);
    let first = client.login(&person).await;
    let before = Scrape::of(&client).await;
    client.login(&person).await;
    let second = client.refresh(&first.refresh_token).await.tokens();
    client.current_user(&second.access_token).await;
    let change = json!({ "currentPassword": person.password, "newPassword": "another long passphrase" });
    let change = client.request(reqwest::Method::PUT, "/current-user/password").json(&change);
    assert_eq!(change.bearer_auth(&second.access_token).answer().await.status, 204);
    let after = Scrape::of(&client).await;
    after.assert_changes(&before, CALLS, &[("operation=read", 4), ("operation=write", 1)]);
    after.assert_changes(&before, "latchkey_database_failures_total", &[]);
}

#[rstest]
#[tokio::test]
async fn each_call_into_the_database_of_jobs_is_timed(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let running = stack.jobs_service().await;
    let jobs = running.client();
    let token = stack.client().login(&stack.person().await).await.access_token;
    let before = Scrape::of(&jobs).await;
    jobs.job_list(&token).await;
    for title in ["one", "another"] {
        let added = jobs.post("/jobs", &json!({ "title": title })).bearer_auth(&token).answer().await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    jobs.job_list("not-a-token").await;
    let after = Scrape::of(&jobs).await;
    after.assert_changes(&before, CALLS, &[("operation=read", 1), ("operation=write", 2)]);
}

#[tokio::test]
async fn open_connections_are_shown_where_there_are_any() {
    let stack = Stack::start_with(Distributed, &[("DATABASE__MAX_CONNECTIONS", "3")]).await;
    stack.client().login(&stack.person().await).await;
    let scrape = Scrape::of(&stack.client()).await;
    assert!((1.0..=3.0).contains(&scrape.value("latchkey_database_connections")));
    assert_eq!(scrape.value("latchkey_database_connections_max"), 3.0);
    let embedded = Scrape::of(&Stack::start(Embedded).await.client()).await;
    assert!(embedded.series().keys().all(|series| !series.starts_with("latchkey_database_connections")));
}
