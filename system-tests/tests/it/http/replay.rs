//! `POST /refresh-token` again: a client that lost the answer repeats its request with its `Idempotency-Key` and goes on; whoever
//! has only the token does not.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use system_tests::client::Answered;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::parts;

const KEY: &str = "9f0b2c7d-5a41-4c0e-8f6e-1d2c3b4a5968";
const ANOTHER_KEY: &str = "9f0b2c7d-5a41-4c0e-8f6e-1d2c3b4a5969";

#[rstest]
#[tokio::test]
async fn a_repeated_request_gets_the_same_refresh_token_and_a_fresh_access_token(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    stack.advance(TimeDelta::milliseconds(1_900));
    let first = client.refresh_keyed(&tokens.refresh_token, KEY).await.tokens();
    for (later, left) in [(TimeDelta::zero(), 2_592_000), (TimeDelta::seconds(100), 2_591_900)] {
        stack.advance(later);
        let again = client.refresh_keyed(&tokens.refresh_token, KEY).await.tokens();
        assert_eq!(again.refresh_token, first.refresh_token);
        assert_eq!((again.session_id, again.refresh_expires_in, again.expires_in), (first.session_id, left, 900));
        assert_ne!(again.access_token, first.access_token);
        assert_eq!(
            parts(&again.access_token).1["exp"],
            parts(&first.access_token).1["exp"].as_i64().unwrap() + later.num_seconds()
        );
    }
    assert_eq!(client.refresh(&first.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn another_instance_answers_a_repeated_request_with_the_same_token(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let other = stack.second_instance().await;
    let tokens = stack.client().login(&stack.person().await).await;
    let first = stack.client().refresh_keyed(&tokens.refresh_token, KEY).await.tokens();
    let again = other.client().refresh_keyed(&tokens.refresh_token, KEY).await.tokens();
    assert_eq!(again.refresh_token, first.refresh_token);
}

#[rstest]
#[tokio::test]
async fn a_request_may_be_repeated_until_its_successor_is_spent_and_not_after(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    let next = client.refresh_keyed(&tokens.refresh_token, KEY).await.tokens();
    stack.advance(TimeDelta::days(20));
    assert_eq!(client.refresh_keyed(&tokens.refresh_token, KEY).await.tokens().refresh_token, next.refresh_token);

    let live = client.refresh_keyed(&next.refresh_token, ANOTHER_KEY).await.tokens();
    client.refresh_keyed(&tokens.refresh_token, KEY).await.assert_problem(403, "refresh_token_reused");
    client.refresh(&live.refresh_token).await.assert_session_ended(Some("reuse_detected"));
}

#[rstest]
#[case::without_the_key(Some(KEY), None)]
#[case::with_another_key(Some(KEY), Some(ANOTHER_KEY))]
#[case::with_a_key_that_differs_in_case(Some(KEY), Some("9F0B2C7D-5A41-4C0E-8F6E-1D2C3B4A5968"))]
#[case::with_a_key_where_none_spent_it(None, Some(KEY))]
#[case::with_no_key_where_none_spent_it(None, None)]
#[tokio::test]
async fn a_spent_token_is_reuse(
    #[case] spent_with: Option<&str>,
    #[case] repeated_with: Option<&str>,
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let token = client.login(&stack.person().await).await.refresh_token;
    let refresh = async |key: Option<&str>| match key {
        Some(key) => client.refresh_keyed(&token, key).await,
        None => client.refresh(&token).await,
    };
    let live = refresh(spent_with).await.tokens();
    refresh(repeated_with).await.assert_problem(403, "refresh_token_reused");
    client.refresh(&live.refresh_token).await.assert_session_ended(Some("reuse_detected"));
}

#[rstest]
#[tokio::test]
async fn a_key_of_another_session_is_worth_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let (one, other) = (client.login(&person).await, client.login(&person).await);
    client.refresh_keyed(&one.refresh_token, KEY).await.tokens();
    client.refresh_keyed(&other.refresh_token, ANOTHER_KEY).await.tokens();
    client.refresh_keyed(&other.refresh_token, KEY).await.assert_problem(403, "refresh_token_reused");
    assert_eq!(client.refresh_keyed(&one.refresh_token, KEY).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn tabs_that_share_a_key_all_go_on(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let mut token = client.login(&stack.person().await).await.refresh_token;
    for round in 0..4 {
        let key = format!("{KEY}.{round}");
        let successors = [
            client.refresh_keyed(&token, &key).await.tokens().refresh_token,
            client.refresh_keyed(&token, &key).await.tokens().refresh_token,
            client.refresh_keyed(&token, &key).await.tokens().refresh_token,
        ];
        assert!(successors.iter().all(|successor| *successor == successors[0]));
        token.clone_from(&successors[0]);
    }
}

#[rstest]
#[tokio::test]
async fn within_the_reuse_leeway_no_key_is_asked_for_and_a_replay_never_extends_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start_with(storage, &[("SESSIONS__REUSE_LEEWAY", "10s")]).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    let next = client.refresh(&tokens.refresh_token).await.tokens();
    for step in [0, 5_000, 4_999] {
        stack.advance(TimeDelta::milliseconds(step));
        assert_eq!(client.refresh(&tokens.refresh_token).await.tokens().refresh_token, next.refresh_token);
    }
    stack.advance(TimeDelta::milliseconds(1));
    client.refresh(&tokens.refresh_token).await.assert_problem(403, "refresh_token_reused");
    client.refresh(&next.refresh_token).await.assert_session_ended(Some("reuse_detected"));
}

#[rstest]
#[tokio::test]
async fn the_reuse_leeway_is_for_the_last_token_alone_and_keys_hold_beyond_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start_with(storage, &[("SESSIONS__REUSE_LEEWAY", "10s")]).await;
    let client = stack.client();
    let first = client.login(&stack.person().await).await;
    let second = client.refresh(&first.refresh_token).await.tokens();
    let third = client.refresh_keyed(&second.refresh_token, KEY).await.tokens();
    assert_eq!(client.refresh(&second.refresh_token).await.tokens().refresh_token, third.refresh_token);
    stack.advance(TimeDelta::seconds(60));
    assert_eq!(client.refresh_keyed(&second.refresh_token, KEY).await.tokens().refresh_token, third.refresh_token);
    client.refresh(&first.refresh_token).await.assert_problem(403, "refresh_token_reused");
}

#[rstest]
#[tokio::test]
async fn a_repeated_request_needs_the_fingerprint_too(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let login = json!({ "username": person.username, "password": person.password, "fingerprint": "of this device" });
    let login: system_tests::client::Tokens = client.try_login(&login).await.read(200);
    let refresh = async |fingerprint: &str| {
        let body = json!({ "refreshToken": login.refresh_token, "fingerprint": fingerprint });
        client.post("/refresh-token", &body).header("Idempotency-Key", KEY).answer().await
    };
    let next = refresh("of this device").await.tokens();
    refresh("of another").await.assert_problem(403, "fingerprint_mismatch");
    assert_eq!(refresh("of this device").await.tokens().refresh_token, next.refresh_token);
}

#[rstest]
#[tokio::test]
async fn a_key_that_is_not_16_to_128_visible_characters_is_a_bad_request_that_spends_nothing(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let mut token = client.login(&stack.person().await).await.refresh_token;
    let refresh = |token: &str| client.post("/refresh-token", &json!({ "refreshToken": token }));
    let long = "k".repeat(129);
    for key in [
        &b""[..],
        b"k",
        b"123456789012345",
        b"1234567890 123456",
        b"1234567\t90123456",
        "1234567890éèêëü".as_bytes(),
        long.as_bytes(),
    ] {
        let answer = refresh(&token).header("Idempotency-Key", key).answer().await;
        let detail = answer.assert_problem(400, "bad_request");
        assert!(detail.contains("Idempotency-Key"), "{detail}");
    }
    let twice = refresh(&token).header("Idempotency-Key", KEY).header("Idempotency-Key", KEY);
    twice.answer().await.assert_problem(400, "bad_request");

    let (shortest, longest, odd) = ("k".repeat(16), "k".repeat(128), "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
    for key in [&shortest, &longest, odd] {
        let next = client.refresh_keyed(&token, key).await.tokens().refresh_token;
        assert_eq!(client.refresh_keyed(&token, key).await.tokens().refresh_token, next);
        token = next;
    }
}
