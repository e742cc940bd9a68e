//! Requests, by the route as it is declared, the method and the status; of each service its own alone.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use system_tests::client::Answered;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

use super::Scrape;

const REQUESTS: &str = "latchkey_http_requests_total";

#[rstest]
#[tokio::test]
async fn requests_are_counted_with_the_service_that_answers_them(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (auth, jobs) = (stack.client(), stack.jobs_service().await);
    let jobs = jobs.client();
    let person = stack.person().await;
    let before = (Scrape::of(&auth).await, Scrape::of(&jobs).await);

    let tokens = auth.login(&person).await;
    auth.try_login(&json!({})).await;
    for _ in 0..3 {
        auth.current_user(&tokens.access_token).await;
    }
    auth.current_user("not-a-token").await;
    auth.request(Method::HEAD, "/current-user").bearer_auth(&tokens.access_token).answer().await;
    auth.get("/login").answer().await;
    auth.request(Method::OPTIONS, "/login").answer().await;
    auth.get("/no/such/path").answer().await;
    auth.readiness().await;
    let added = jobs.post("/jobs", &json!({ "title": "Count" })).bearer_auth(&tokens.access_token).answer().await;
    let id = added.json()["id"].as_str().expect("an id").to_owned();
    for id in [id.as_str(), "10000000-0000-4000-8000-000000000001", "not-an-id"] {
        jobs.get(&format!("/jobs/{id}")).bearer_auth(&tokens.access_token).answer().await;
    }
    jobs.job_list(&tokens.access_token).await;

    let after = (Scrape::of(&auth).await, Scrape::of(&jobs).await);
    after.0.assert_changes(
        &before.0,
        REQUESTS,
        &[
            ("method=POST,route=/login,status=200", 1),
            ("method=POST,route=/login,status=400", 1),
            ("method=GET,route=/login,status=405", 1),
            ("method=OPTIONS,route=/login,status=405", 1),
            ("method=GET,route=/current-user,status=200", 3),
            ("method=GET,route=/current-user,status=401", 1),
            ("method=HEAD,route=/current-user,status=200", 1),
            ("method=GET,route=none,status=404", 1),
            ("method=GET,route=/health/ready,status=200", 1),
            ("method=GET,route=/metrics,status=200", 1),
        ],
    );
    after.1.assert_changes(
        &before.1,
        REQUESTS,
        &[
            ("method=POST,route=/jobs,status=201", 1),
            ("method=GET,route=/jobs/{id},status=200", 1),
            ("method=GET,route=/jobs/{id},status=404", 2),
            ("method=GET,route=/job-list,status=200", 1),
            ("method=GET,route=/metrics,status=200", 1),
        ],
    );
    after.0.assert_changes(
        &before.0,
        "latchkey_http_request_duration_seconds_count",
        &[
            ("class=2xx,method=POST,route=/login", 1),
            ("class=4xx,method=POST,route=/login", 1),
            ("class=4xx,method=GET,route=/login", 1),
            ("class=4xx,method=OPTIONS,route=/login", 1),
            ("class=2xx,method=GET,route=/current-user", 3),
            ("class=4xx,method=GET,route=/current-user", 1),
            ("class=2xx,method=HEAD,route=/current-user", 1),
            ("class=4xx,method=GET,route=none", 1),
            ("class=2xx,method=GET,route=/health/ready", 1),
            ("class=2xx,method=GET,route=/metrics", 1),
        ],
    );
    assert_eq!(after.0.value("latchkey_http_requests_in_flight"), 1.0, "the scrape itself");
}

#[tokio::test]
async fn what_the_process_needs_is_shown() {
    let stack = Stack::start(Embedded).await;
    let scrape = Scrape::of(&stack.client()).await;
    for series in ["process_resident_memory_bytes", "process_open_fds", "process_threads", "process_start_time_seconds"]
    {
        assert!(scrape.value(series) > 0.0, "{series}");
    }
}
