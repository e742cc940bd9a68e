//! `POST /logout`: a session ends for whoever shows a refresh token of it, however old; nothing else can be learned or ended.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use shared_claims::generate_secret;
use system_tests::client::Answered;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::{at_generation, encode, parts, with_claims};

#[rstest]
#[tokio::test]
async fn a_logout_ends_its_session_and_no_other(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let (leaving, staying) = (client.login(&person).await, client.login(&person).await);
    let answer = client.logout(&leaving.refresh_token).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    client.refresh(&leaving.refresh_token).await.assert_session_ended(Some("signed_out"));
    assert_eq!(client.refresh(&staying.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_second_logout_answers_as_the_first(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    for _ in 0..2 {
        assert_eq!(client.logout(&tokens.refresh_token).await.status, 204);
    }
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn a_spent_token_still_logs_out(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let spent = client.login(&stack.person().await).await;
    let live = client.refresh(&spent.refresh_token).await.tokens();
    assert_eq!(client.logout(&spent.refresh_token).await.status, 204);
    client.refresh(&live.refresh_token).await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn an_expired_token_still_logs_out(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let old = client.login(&stack.person().await).await;
    stack.advance(TimeDelta::days(29));
    let live = client.refresh(&old.refresh_token).await.tokens();
    stack.advance(TimeDelta::days(2));
    client.refresh(&old.refresh_token).await.assert_problem(403, "refresh_token_expired");
    assert_eq!(client.logout(&old.refresh_token).await.status, 204);
    client.refresh(&live.refresh_token).await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn a_logout_asks_for_no_fingerprint(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let login = json!({ "username": person.username, "password": person.password, "fingerprint": "of this device" });
    let tokens: system_tests::client::Tokens = client.try_login(&login).await.read(200);
    assert_eq!(client.logout(&tokens.refresh_token).await.status, 204);
    client.refresh_from(&tokens.refresh_token, "of this device").await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn any_other_text_is_answered_alike_and_ends_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let tokens = client.login(&person).await;
    let token = &tokens.refresh_token;
    let (_, claims) = parts(token);
    let foreign = with_claims(&generate_secret(), token, &json!({}));
    let random = with_claims(&stack.site.secrets.refresh, token, &json!({ "jti": format!("{}.0", encode([7; 16])) }));
    let stranger = stack.person().await;
    let subject = with_claims(&stack.site.secrets.refresh, token, &json!({ "sub": stranger.id }));
    let sid = claims["sid"].as_str().expect("an id");
    for text in [
        "",
        " ",
        "nonsense",
        sid,
        &tokens.access_token,
        &token[..token.len() - 1],
        &foreign,
        &random,
        &subject,
        "\0",
        "é",
    ] {
        let answer = client.logout(text).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{text}");
    }
    assert_eq!(client.refresh(token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_token_ahead_of_its_session_logs_out_too(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    let ahead = at_generation(&stack.site.secrets.refresh, &tokens.refresh_token, 5);
    assert_eq!(client.logout(&ahead).await.status, 204);
    client.refresh(&ahead).await.assert_session_ended(Some("signed_out"));
}

#[rstest]
#[tokio::test]
async fn a_logout_without_a_token_is_a_bad_request(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    for body in
        [json!({}), json!({ "refreshToken": null }), json!({ "refreshToken": 7 }), json!({ "refresh_token": "x" })]
    {
        client.post("/logout", &body).answer().await.assert_problem(400, "bad_request");
    }
}
