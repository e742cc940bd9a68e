//! Verifications by key: an operator sees when the last token of a secret has gone.

use chrono::TimeDelta;
use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use shared_claims::{KeyRing, generate_secret};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::with_header;

use super::Scrape;

const VERIFICATIONS: &str = "latchkey_token_verifications_total";

fn kid(secret: &SecretString) -> String {
    KeyRing::new(secret, &[]).expect("a good secret").signing_kid().to_owned()
}

fn labels(kid: &str, outcome: &str, token: &str) -> String {
    format!("kid={kid},outcome={outcome},token={token}")
}

#[rstest]
#[tokio::test]
async fn verifications_are_counted_by_key_and_by_how_they_end(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (client, secrets) = (stack.client(), &stack.site.secrets);
    let tokens = client.login(&stack.person().await).await;
    let before = Scrape::of(&client).await;
    for _ in 0..2 {
        client.current_user(&tokens.access_token).await;
    }
    let made_up = with_header(&secrets.access, &tokens.access_token, &json!({ "kid": "0123456789abcdef" }));
    for token in [made_up.as_str(), "not-a-token", &tokens.refresh_token] {
        client.current_user(token).await.assert_problem(401, "access_token_invalid");
    }
    let refreshed = client.refresh(&tokens.refresh_token).await.tokens();
    client.refresh(&tokens.access_token).await.assert_problem(403, "refresh_token_invalid");
    stack.advance(TimeDelta::minutes(16));
    client.current_user(&tokens.access_token).await.assert_problem(401, "access_token_expired");
    client.logout(&refreshed.refresh_token).await;

    let (access, refresh) = (kid(&secrets.access), kid(&secrets.refresh));
    let expected = [
        (labels(&access, "accepted", "access"), 2),
        (labels(&access, "expired", "access"), 1),
        (labels("unknown", "refused", "access"), 3),
        (labels(&refresh, "accepted", "refresh"), 2),
        (labels("unknown", "refused", "refresh"), 1),
    ];
    let expected: Vec<_> = expected.iter().map(|(labels, count)| (labels.as_str(), *count)).collect();
    Scrape::of(&client).await.assert_changes(&before, VERIFICATIONS, &expected);
}

#[rstest]
#[tokio::test]
async fn a_secret_that_is_being_replaced_is_counted_apart(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (old, new) = (&stack.site.secrets.access, generate_secret());
    let secrets =
        [("TOKENS__ACCESS_SECRET", new.expose_secret()), ("TOKENS__ACCEPTED_ACCESS_SECRETS", old.expose_secret())];
    let running = stack.instance_with(&secrets).await;
    let promoted = running.client();
    let person = stack.person().await;
    let (by_the_old, by_the_new) = (stack.client().login(&person).await, promoted.login(&person).await);
    let before = Scrape::of(&promoted).await;
    for token in [&by_the_old, &by_the_new, &by_the_new] {
        assert_eq!(promoted.current_user(&token.access_token).await.status, 200);
    }
    let (old, new) = (labels(&kid(old), "accepted", "access"), labels(&kid(&new), "accepted", "access"));
    Scrape::of(&promoted).await.assert_changes(&before, VERIFICATIONS, &[(&old, 1), (&new, 2)]);
}

#[rstest]
#[tokio::test]
async fn a_resource_service_counts_its_own(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let running = stack.jobs_service().await;
    let jobs = running.client();
    let token = stack.client().login(&stack.person().await).await.access_token;
    let before = Scrape::of(&jobs).await;
    jobs.job_list(&token).await;
    jobs.job_list("not-a-token").await;
    jobs.get("/job-list").send().await.expect("an answer");
    let accepted = labels(&kid(&stack.site.secrets.access), "accepted", "access");
    let expected = [(accepted.as_str(), 1), ("kid=unknown,outcome=refused,token=access", 1)];
    Scrape::of(&jobs).await.assert_changes(&before, VERIFICATIONS, &expected);
}
