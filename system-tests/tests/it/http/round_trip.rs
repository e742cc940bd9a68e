//! The main job, across both services: log in, read the jobs, refresh, read them again, and see a spent token refused.

use chrono::TimeDelta;
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use system_tests::client::{Answered, SignedIn};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

#[rstest]
#[tokio::test]
async fn a_demo_user_logs_in_reads_their_jobs_and_stays_signed_in(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start_with(storage, &[("DEMO", "true")]).await;
    let (client, jobs) = (stack.client(), stack.jobs_service().await);
    let body = json!({ "username": "ada", "password": "latchkey-demo-ada" });
    let first: SignedIn = client.try_login(&body).await.read(200);
    let listed: Value = jobs.client().job_list(&first.tokens.access_token).await.read(200);
    assert!(listed.as_array().is_some_and(|jobs| jobs.len() >= 3), "{listed}");

    stack.advance(TimeDelta::minutes(15));
    jobs.client().job_list(&first.tokens.access_token).await.assert_problem(401, "access_token_expired");
    let second = client.refresh(&first.tokens.refresh_token).await.tokens();
    assert_eq!(jobs.client().job_list(&second.access_token).await.read::<Value>(200), listed);

    client.refresh(&first.tokens.refresh_token).await.assert_problem(403, "refresh_token_reused");
    client.refresh(&second.refresh_token).await.assert_session_ended(Some("reuse_detected"));
    let until_it_expires = jobs.client().job_list(&second.access_token).await;
    assert_eq!(until_it_expires.status, 200, "access tokens are verified statelessly");
}

#[rstest]
#[tokio::test]
async fn jobs_are_their_users_own(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let (one, other) = (stack.person().await, stack.person().await);
    let (one, other) = (stack.client().login(&one).await, stack.client().login(&other).await);
    let create = jobs.client().post("/jobs", &json!({ "title": "mine", "owner": "somebody else" }));
    let created: Value = create.bearer_auth(&one.access_token).answer().await.read(201);
    let path = format!("/jobs/{}", created["id"].as_str().expect("an id"));

    for method in [Method::GET, Method::DELETE] {
        let foreign = jobs.client().request(method, &path).bearer_auth(&other.access_token).answer().await;
        foreign.assert_problem(404, "not_found");
    }
    assert_eq!(jobs.client().job_list(&other.access_token).await.read::<Value>(200), json!([]));
    assert_eq!(jobs.client().job_list(&one.access_token).await.read::<Value>(200), json!([created]));
}

#[rstest]
#[tokio::test]
async fn jobs_service_answers_while_auth_service_is_gone(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let token = stack.client().login(&stack.person().await).await.access_token;
    let site = stack.stop().await;
    assert_eq!(jobs.client().job_list(&token).await.read::<Value>(200), json!([]));
    assert_eq!(jobs.client().readiness().await.status, 200);
    drop(site);
}
