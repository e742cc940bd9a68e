//! `POST /refresh-token`: the steps of the contract's order, one after the other. Retries (step 6) are told in `replay`, which step
//! comes before which in `precedence`, forged tokens in `refresh_attacks`.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use shared_claims::random;
use system_tests::client::{Answered, Client, Tokens};
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::{at_generation, encode, parts, with_claims};

const FINGERPRINT: &str = "a fingerprint of this device";

async fn login_with_fingerprint(client: &Client, person: &Person) -> Tokens {
    let body = json!({ "username": person.username, "password": person.password, "fingerprint": FINGERPRINT });
    client.try_login(&body).await.read(200)
}

#[rstest]
#[tokio::test]
async fn a_refresh_answers_the_next_pair_of_the_same_session(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let first = client.login(&stack.person().await).await;
    stack.advance(TimeDelta::seconds(60));
    let answer = client.refresh(&first.refresh_token).await;
    let body: Value = answer.read(200);
    let mut names: Vec<_> = body.as_object().expect("an object").keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["accessToken", "expiresIn", "refreshExpiresIn", "refreshToken", "sessionId", "tokenType"]);

    let second = answer.tokens();
    assert_eq!(second.session_id, first.session_id);
    assert_eq!((second.expires_in, second.refresh_expires_in, second.token_type.as_str()), (900, 2_592_000, "Bearer"));
    let ((_, before), (_, after)) = (parts(&first.refresh_token), parts(&second.refresh_token));
    assert_eq!((&before["gen"], &after["gen"]), (&json!(0), &json!(1)));
    assert_eq!(after["iat"].as_i64().zip(before["iat"].as_i64()).map(|(after, before)| after - before), Some(60));
    let random = |claims: &Value| claims["jti"].as_str().and_then(|jti| jti.split('.').next()).map(str::to_owned);
    assert_eq!(random(&before), random(&after));
    assert_eq!(client.current_user(&second.access_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn step_1_a_refresh_without_a_token_is_told_so(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    for body in [json!({}), json!({ "refreshToken": null }), json!({ "refreshToken": "" }), json!({ "token": "x" })] {
        let answer = stack.client().post("/refresh-token", &body).answer().await;
        answer.assert_problem(403, "refresh_token_missing");
    }
    for value in [json!(7), json!(["x"]), json!({}), json!(true)] {
        let answer = stack.client().post("/refresh-token", &json!({ "refreshToken": value })).answer().await;
        answer.assert_problem(400, "bad_request");
    }
}

#[rstest]
#[tokio::test]
async fn a_token_anywhere_but_in_the_body_does_not_count(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let token = client.login(&stack.person().await).await.refresh_token;
    for request in [
        client.post(&format!("/refresh-token?refreshToken={token}"), &json!({})),
        client.post("/refresh-token", &json!({})).bearer_auth(&token),
        client.post("/refresh-token", &json!({})).header("cookie", format!("refreshToken={token}")),
    ] {
        request.answer().await.assert_problem(403, "refresh_token_missing");
    }
    assert_eq!(client.refresh(&token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn step_2_a_refresh_token_is_good_for_its_time_and_no_longer(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let (used, unused) = (client.login(&person).await, client.login(&person).await);
    stack.advance(TimeDelta::milliseconds(2_592_000_000 - 251));
    let next = client.refresh(&used.refresh_token).await.tokens();
    stack.advance(TimeDelta::milliseconds(1));
    client.refresh(&unused.refresh_token).await.assert_problem(403, "refresh_token_expired");

    stack.advance(TimeDelta::days(29));
    assert_eq!(client.refresh(&next.refresh_token).await.tokens().refresh_expires_in, 2_592_000);
}

#[rstest]
#[tokio::test]
async fn step_3_a_session_that_nobody_knows_has_ended_and_no_reason_is_told(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let token = client.login(&stack.person().await).await.refresh_token;
    let elsewhere = with_claims(&stack.site.secrets.refresh, &token, &json!({ "sid": random::uuid() }));
    client.refresh(&elsewhere).await.assert_session_ended(None);
    assert_eq!(client.refresh(&token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn step_4_a_fingerprint_that_differs_or_is_absent_spends_nothing(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = login_with_fingerprint(&client, &stack.person().await).await;
    for wrong in ["another", "A FINGERPRINT OF THIS DEVICE", "a fingerprint of this device ", ""] {
        client.refresh_from(&tokens.refresh_token, wrong).await.assert_problem(403, "fingerprint_mismatch");
    }
    client.refresh(&tokens.refresh_token).await.assert_problem(403, "fingerprint_mismatch");

    let next = client.refresh_from(&tokens.refresh_token, FINGERPRINT).await.tokens();
    client.refresh(&next.refresh_token).await.assert_problem(403, "fingerprint_mismatch");
    assert_eq!(client.refresh_from(&next.refresh_token, FINGERPRINT).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_session_without_a_fingerprint_takes_any_and_keeps_none(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let mut token = client.login(&stack.person().await).await.refresh_token;
    for fingerprint in ["one", "another"] {
        token = client.refresh_from(&token, fingerprint).await.tokens().refresh_token;
    }
    assert_eq!(client.refresh(&token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn step_5_a_session_rotates_as_often_as_it_is_asked(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let mut token = client.login(&stack.person().await).await.refresh_token;
    for generation in 1..=128 {
        token = client.refresh(&token).await.tokens().refresh_token;
        assert_eq!(parts(&token).1["gen"], generation);
    }
}

#[rstest]
#[tokio::test]
async fn step_7_a_token_ahead_of_its_session_moves_it_forward(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    let ahead = at_generation(&stack.site.secrets.refresh, &tokens.refresh_token, 7);
    let next = client.refresh(&ahead).await.tokens();
    assert_eq!(next.session_id, tokens.session_id);
    assert_eq!(parts(&next.refresh_token).1["gen"], 8);
    let after_next = client.refresh(&next.refresh_token).await.tokens();
    assert_eq!(parts(&after_next.refresh_token).1["gen"], 9);

    client.refresh(&tokens.refresh_token).await.assert_problem(403, "refresh_token_reused");
}

#[rstest]
#[tokio::test]
async fn step_7_never_brings_back_a_session_that_has_ended_or_is_missing(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    let secret = &stack.site.secrets.refresh;
    let ahead = at_generation(secret, &tokens.refresh_token, 7);
    client.logout(&tokens.refresh_token).await;
    client.refresh(&ahead).await.assert_session_ended(Some("signed_out"));
    let missing = with_claims(secret, &ahead, &json!({ "sid": random::uuid() }));
    client.refresh(&missing).await.assert_session_ended(None);
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn step_8_a_spent_token_ends_its_session_and_no_other(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let (stolen, other) = (client.login(&person).await, client.login(&person).await);
    let live = client.refresh(&stolen.refresh_token).await.tokens();
    client.refresh(&stolen.refresh_token).await.assert_problem(403, "refresh_token_reused");
    for token in [&live.refresh_token, &stolen.refresh_token] {
        client.refresh(token).await.assert_session_ended(Some("reuse_detected"));
    }
    assert_eq!(client.refresh(&other.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn reuse_is_detected_however_old_the_token_is(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let oldest = client.login(&stack.person().await).await.refresh_token;
    let mut token = oldest.clone();
    for _ in 0..5 {
        stack.advance(TimeDelta::days(5));
        token = client.refresh(&token).await.tokens().refresh_token;
    }
    client.refresh(&oldest).await.assert_problem(403, "refresh_token_reused");
    client.refresh(&token).await.assert_session_ended(Some("reuse_detected"));
}

#[rstest]
#[tokio::test]
async fn a_right_signature_with_a_wrong_random_value_is_invalid_and_ends_nothing(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let mut token = client.login(&stack.person().await).await.refresh_token;
    for generation in [0, 1, 2, 1_000] {
        let jti = format!("{}.{generation}", encode(random::bytes::<16>()));
        let forged = with_claims(&stack.site.secrets.refresh, &token, &json!({ "gen": generation, "jti": jti }));
        client.refresh(&forged).await.assert_problem(403, "refresh_token_invalid");
        client.refresh_keyed(&forged, "0123456789abcdef").await.assert_problem(403, "refresh_token_invalid");
        token = client.refresh(&token).await.tokens().refresh_token;
    }
}
