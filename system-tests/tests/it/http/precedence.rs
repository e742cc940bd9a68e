//! `POST /refresh-token`: which step comes before which, where a request is wrong in two ways.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use system_tests::client::{Answer, Answered, Client, Tokens};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

const BAD_KEY: &str = "too short";
const FINGERPRINT: &str = "a fingerprint of this device";

async fn refresh(client: &Client, token: &str, fingerprint: Option<&str>, key: Option<&str>) -> Answer {
    let mut body = json!({ "refreshToken": token });
    if let Some(fingerprint) = fingerprint {
        body["fingerprint"] = json!(fingerprint);
    }
    let request = client.post("/refresh-token", &body);
    match key {
        Some(key) => request.header("Idempotency-Key", key).answer().await,
        None => request.answer().await,
    }
}

async fn login(stack: &Stack) -> Tokens {
    let person = stack.person().await;
    let body = json!({ "username": person.username, "password": person.password, "fingerprint": FINGERPRINT });
    stack.client().try_login(&body).await.read(200)
}

#[rstest]
#[tokio::test]
async fn the_token_is_looked_at_before_the_key(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = login(&stack).await;
    refresh(&client, "", None, Some(BAD_KEY)).await.assert_problem(403, "refresh_token_missing");
    refresh(&client, "nonsense", None, Some(BAD_KEY)).await.assert_problem(403, "refresh_token_invalid");
    refresh(&client, &tokens.access_token, None, Some(BAD_KEY)).await.assert_problem(403, "refresh_token_invalid");
    refresh(&client, &tokens.refresh_token, None, Some(BAD_KEY)).await.assert_problem(400, "bad_request");
    stack.advance(TimeDelta::days(31));
    refresh(&client, &tokens.refresh_token, None, Some(BAD_KEY)).await.assert_problem(403, "refresh_token_expired");
}

#[rstest]
#[tokio::test]
async fn the_key_is_looked_at_before_the_session(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let spent = login(&stack).await;
    let live = client.refresh_from(&spent.refresh_token, FINGERPRINT).await.tokens();
    refresh(&client, &spent.refresh_token, Some(FINGERPRINT), Some(BAD_KEY)).await.assert_problem(400, "bad_request");
    refresh(&client, &live.refresh_token, Some("wrong"), Some(BAD_KEY)).await.assert_problem(400, "bad_request");
    assert_eq!(client.refresh_from(&live.refresh_token, FINGERPRINT).await.status, 200);
    client.logout(&live.refresh_token).await;
    refresh(&client, &live.refresh_token, Some(FINGERPRINT), Some(BAD_KEY)).await.assert_problem(400, "bad_request");
}

#[rstest]
#[tokio::test]
async fn the_token_is_looked_at_before_the_length_of_the_fingerprint(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = login(&stack).await;
    let long = "x".repeat(513);
    refresh(&client, "nonsense", Some(&long), None).await.assert_problem(403, "refresh_token_invalid");
    let answer = refresh(&client, &tokens.refresh_token, Some(&long), None).await;
    answer.assert_problem(422, "validation_failed");
    assert!(answer.json()["errors"]["fingerprint"][0].is_string(), "{answer:?}");
    assert_eq!(client.refresh_from(&tokens.refresh_token, FINGERPRINT).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_session_that_has_ended_is_told_before_a_wrong_fingerprint(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = login(&stack).await;
    client.logout(&tokens.refresh_token).await;
    client.refresh_from(&tokens.refresh_token, "wrong").await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn a_user_who_is_disabled_is_told_before_a_wrong_fingerprint(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let person = stack.person().await;
    let tokens = client.login(&person).await;
    stack.site.stores.users.set_disabled(person.id, true).await.expect("the database works");
    client.refresh_from(&tokens.refresh_token, "wrong").await.assert_session_ended(Some("user_disabled"));
}

#[rstest]
#[tokio::test]
async fn a_spent_token_from_another_device_is_a_mismatch_and_the_session_stays(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let spent = login(&stack).await;
    let live = client.refresh_from(&spent.refresh_token, FINGERPRINT).await.tokens();
    client.refresh_from(&spent.refresh_token, "wrong").await.assert_problem(403, "fingerprint_mismatch");
    client.refresh(&spent.refresh_token).await.assert_problem(403, "fingerprint_mismatch");
    assert_eq!(client.refresh_from(&live.refresh_token, FINGERPRINT).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_before_anything_else(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = login(&stack).await;
    let body = json!({ "refreshToken": tokens.refresh_token, "fingerprint": 7 });
    let answer = client.post("/refresh-token", &body).header("Idempotency-Key", BAD_KEY).answer().await;
    assert!(answer.assert_problem(400, "bad_request").contains("`fingerprint`"));
    let body = json!({ "refreshToken": "nonsense", "fingerprint": 7 });
    client.post("/refresh-token", &body).answer().await.assert_problem(400, "bad_request");
}
