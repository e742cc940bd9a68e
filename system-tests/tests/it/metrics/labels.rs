//! No label tells of a user, and none grows with users: whatever is sent, a scrape holds nothing of it and no series more.

use std::collections::BTreeSet;

use reqwest::Method;
use rstest::rstest;
use secrecy::ExposeSecret;
use serde_json::json;
use shared_claims::random;
use system_tests::client::Answered;
use system_tests::people::PASSWORD;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::{Running, Stack};

use super::Scrape;

/// Traffic of somebody new, everywhere and with everything that a client can choose. Answers all that they could be known by.
async fn traffic_of_somebody(stack: &Stack, jobs: &Running) -> Vec<String> {
    let (auth, jobs, person) = (stack.client(), jobs.client(), stack.person().await);
    let marks: Vec<_> = (0..8).map(|_| random::uuid().simple().to_string()).collect();
    let login = json!({ "username": person.username, "password": person.password, "deviceName": marks[0], "fingerprint": marks[1] });
    let login = auth.post("/login", &login).header("x-request-id", &marks[2]).header("user-agent", &marks[3]);
    let first = login.answer().await.tokens();
    let body = json!({ "refreshToken": first.refresh_token, "fingerprint": marks[1] });
    let second = auth.post("/refresh-token", &body).header("idempotency-key", &marks[4]).answer().await.tokens();
    auth.post("/refresh-token", &body).answer().await.assert_problem(403, "refresh_token_reused");
    auth.try_login(&json!({ "username": marks[5], "password": marks[6] })).await;
    auth.current_user(&second.access_token).await;
    auth.current_user(&marks[5]).await;
    auth.request(Method::DELETE, &format!("/sessions/{}", first.session_id))
        .bearer_auth(&second.access_token)
        .answer()
        .await;
    let added = jobs.post("/jobs", &json!({ "title": marks[6] })).bearer_auth(&second.access_token).answer().await;
    let job = added.json()["id"].as_str().expect("an id").to_owned();
    for client in [&auth, &jobs] {
        for path in
            [format!("/{}", marks[7]), format!("/jobs/{job}?token={}", marks[7]), format!("/sessions/{}", marks[7])]
        {
            client.get(&path).bearer_auth(&second.access_token).answer().await;
        }
        let method = Method::from_bytes(marks[7].to_uppercase().as_bytes()).expect("a method");
        client.request(method, "/").answer().await;
    }
    let ids = [person.id.to_string(), first.session_id.to_string(), job];
    let tokens = [first.access_token, first.refresh_token, second.access_token, second.refresh_token];
    [marks, ids.into(), tokens.into(), vec![person.username, person.email]].concat()
}

#[rstest]
#[tokio::test]
async fn nothing_of_what_users_are_and_send_is_shown_and_no_series_are_made_of_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let mut known = vec![
        PASSWORD.to_owned(),
        stack.site.secrets.access.expose_secret().to_owned(),
        stack.site.secrets.refresh.expose_secret().to_owned(),
    ];
    let mut rounds = Vec::new();
    for _ in 0..3 {
        known.extend(traffic_of_somebody(&stack, &jobs).await);
        let mut series = BTreeSet::new();
        for client in [stack.client(), jobs.client()] {
            // The first shows itself only afterwards.
            Scrape::of(&client).await;
            series.extend(Scrape::of(&client).await.series().keys().cloned());
        }
        rounds.push(series);
    }
    let all = rounds[2].iter().cloned().collect::<Vec<_>>().join("\n").to_lowercase();
    for known in known {
        assert!(!all.contains(&known.to_lowercase()), "{known} is shown");
    }
    assert_eq!(rounds[0], rounds[2], "more users make more series");
}
