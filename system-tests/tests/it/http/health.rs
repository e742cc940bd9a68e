//! `/health/live` and `/health/ready` of both services. What they answer when a part is down is told with the faults of each part.

use rstest::rstest;
use serde_json::{Value, json};
use system_tests::client::{Answered, Client};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

async fn assert_lives(client: &Client) {
    assert_eq!(client.get("/health/live").answer().await.read::<Value>(200), json!({ "status": "live" }));
}

/// Asserts that the service is ready, and that it checks these parts and no other.
async fn assert_ready(client: &Client, parts: &[&str]) {
    let readiness: Value = client.readiness().await.read(200);
    assert_eq!(readiness["status"], "ready");
    let checks = readiness["checks"].as_object().expect("checks by their name");
    assert_eq!(checks.keys().collect::<Vec<_>>(), parts);
    for check in checks.values() {
        assert_eq!(check["status"], "up");
        assert!(check["latencyMs"].as_f64().is_some_and(|latency| (0.0..1_000.0).contains(&latency)), "{readiness}");
    }
}

#[rstest]
#[tokio::test]
async fn auth_service_is_ready_when_its_token_store_and_its_database_are(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    assert_lives(&stack.client()).await;
    assert_ready(&stack.client(), &["database", "tokenStore"]).await;
}

#[rstest]
#[tokio::test]
async fn jobs_service_is_ready_when_its_database_is(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    assert_lives(&jobs.client()).await;
    assert_ready(&jobs.client(), &["database"]).await;
}
