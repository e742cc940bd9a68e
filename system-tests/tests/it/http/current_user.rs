//! `GET /current-user`: who the access token is about, as the database knows them now.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use system_tests::client::{Answer, Answered};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

#[rstest]
#[tokio::test]
async fn the_caller_is_told_who_they_are(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let tokens = stack.client().login(&person).await;
    let answer: Value = stack.client().current_user(&tokens.access_token).await.read(200);
    let user = json!({
        "id": person.id,
        "email": person.email,
        "username": person.username,
        "createdAt": "2030-03-17T17:46:40.250Z",
    });
    assert_eq!(answer, user);
}

#[rstest]
#[tokio::test]
async fn a_caller_who_is_disabled_or_gone_is_revoked_at_once(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (disabled, deleted) = (stack.person().await, stack.person().await);
    let client = stack.client();
    let [of_disabled, of_deleted] = [&disabled, &deleted].map(|person| client.login(person));
    let (of_disabled, of_deleted) = (of_disabled.await, of_deleted.await);
    stack.site.stores.users.set_disabled(disabled.id, true).await.expect("the database works");
    stack.site.stores.users.delete(deleted.id).await.expect("the database works");

    for tokens in [&of_disabled, &of_deleted] {
        assert_revoked(&client.current_user(&tokens.access_token).await);
    }
    stack.site.stores.users.set_disabled(disabled.id, false).await.expect("the database works");
    assert_eq!(client.current_user(&of_disabled.access_token).await.status, 200);
}

fn assert_revoked(answer: &Answer) {
    answer.assert_problem(401, "access_token_revoked");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.starts_with(r#"Bearer realm="latchkey", error="invalid_token", error_description=""#),
        "{challenge}"
    );
}

#[rstest]
#[tokio::test]
async fn an_access_token_is_good_for_its_time_and_no_longer(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    // Minted a quarter past the second, and tokens count in whole ones.
    stack.advance(TimeDelta::milliseconds(899_749));
    assert_eq!(client.current_user(&tokens.access_token).await.status, 200);
    stack.advance(TimeDelta::milliseconds(1));
    let expired = client.current_user(&tokens.access_token).await;
    expired.assert_problem(401, "access_token_expired");
    let description = r#"Bearer realm="latchkey", error="invalid_token", error_description="the token has expired""#;
    assert_eq!(expired.header("www-authenticate"), Some(description));
}

#[rstest]
#[tokio::test]
async fn the_leeway_lets_a_token_live_a_little_longer_where_it_is_set(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start_with(storage, &[("TOKENS__LEEWAY", "30s")]).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    stack.advance(TimeDelta::seconds(929));
    assert_eq!(client.current_user(&tokens.access_token).await.status, 200);
    stack.advance(TimeDelta::seconds(1));
    client.current_user(&tokens.access_token).await.assert_problem(401, "access_token_expired");
}

#[rstest]
#[tokio::test]
async fn a_caller_without_a_token_is_challenged(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let token = client.login(&stack.person().await).await.access_token;
    let elsewhere = json!({ "accessToken": token, "access_token": token });
    for request in [
        client.get("/current-user"),
        client.get(&format!("/current-user?access_token={token}&accessToken={token}")),
        client.get("/current-user").json(&elsewhere),
        client.get("/current-user").header("cookie", format!("access_token={token}; Authorization=Bearer {token}")),
        client.get("/current-user").header("x-access-token", &token),
        client.get("/current-user").basic_auth("ada", Some(&token)),
        client.get("/current-user").header("authorization", "Bearer"),
        client.get("/current-user").header("authorization", &token),
    ] {
        let answer = request.answer().await;
        answer.assert_problem(401, "access_token_missing");
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="latchkey""#));
    }
}

#[rstest]
#[tokio::test]
async fn the_scheme_is_read_in_any_case(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let token = client.login(&stack.person().await).await.access_token;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let request = client.get("/current-user").header("authorization", format!("{scheme} {token}"));
        assert_eq!(request.answer().await.status, 200, "{scheme}");
    }
}
