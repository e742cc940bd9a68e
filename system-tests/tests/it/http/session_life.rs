//! What ends a session beside logout, reuse and the limit: its age, and what becomes of its user.

use chrono::TimeDelta;
use rstest::rstest;
use system_tests::client::Tokens;
use system_tests::people::{Person, cheap_hash};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

async fn login(stack: &Stack) -> (Person, Tokens) {
    let person = stack.person().await;
    let tokens = stack.client().login(&person).await;
    (person, tokens)
}

#[rstest]
#[tokio::test]
async fn a_disabled_user_is_refused_and_enabling_them_brings_no_session_back(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let (person, tokens) = login(&stack).await;
    stack.site.stores.users.set_disabled(person.id, true).await.expect("the database works");
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("user_disabled"));
    client.try_login(&person.credentials()).await.assert_problem(401, "invalid_credentials");

    stack.site.stores.users.set_disabled(person.id, false).await.expect("the database works");
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("user_disabled"));
    let anew = client.login(&person).await;
    assert_eq!(client.refresh(&anew.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_deleted_user_is_refused(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let (person, tokens) = login(&stack).await;
    assert!(stack.site.stores.users.delete(person.id).await.expect("the database works"));
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("user_disabled"));
    client.try_login(&person.credentials()).await.assert_problem(401, "invalid_credentials");
}

#[rstest]
#[tokio::test]
async fn a_session_of_the_old_password_ends_at_its_next_refresh(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let (mut person, tokens) = login(&stack).await;
    let users = &stack.site.stores.users;
    let user = users.find(person.id).await.expect("the database works").expect("the user is there");
    users.set_password(&user, &cheap_hash("another password")).await.expect("the database works").expect("it changes");

    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("password_changed"));
    client.try_login(&person.credentials()).await.assert_problem(401, "invalid_credentials");
    "another password".clone_into(&mut person.password);
    let anew = client.login(&person).await;
    assert_eq!(client.refresh(&anew.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_session_ends_when_it_has_lived_as_long_as_any_may_however_often_it_rotates(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start_with(storage, &[("SESSIONS__MAX_LIFETIME", "40d")]).await;
    let client = stack.client();
    let (_, mut tokens) = login(&stack).await;
    assert_eq!(tokens.refresh_expires_in, 30 * 86_400);
    for left in [30, 20, 10] {
        stack.advance(TimeDelta::days(10));
        tokens = client.refresh(&tokens.refresh_token).await.tokens();
        assert_eq!(tokens.refresh_expires_in, left * 86_400);
    }
    stack.advance(TimeDelta::days(10) - TimeDelta::milliseconds(1));
    tokens = client.refresh(&tokens.refresh_token).await.tokens();
    assert_eq!(tokens.refresh_expires_in, 0);
    stack.advance(TimeDelta::milliseconds(1));
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("expired"));
}

#[rstest]
#[tokio::test]
async fn the_first_reason_stays(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let (person, tokens) = login(&stack).await;
    client.refresh(&tokens.refresh_token).await.tokens();
    client.refresh(&tokens.refresh_token).await.assert_problem(403, "refresh_token_reused");
    client.logout(&tokens.refresh_token).await;
    stack.site.stores.users.delete(person.id).await.expect("the database works");
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("reuse_detected"));
}

#[rstest]
#[tokio::test]
async fn a_reason_is_told_until_the_token_would_have_expired(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let (_, tokens) = login(&stack).await;
    client.logout(&tokens.refresh_token).await;
    stack.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("signed_out"));
    stack.advance(TimeDelta::seconds(1));
    client.refresh(&tokens.refresh_token).await.assert_problem(403, "refresh_token_expired");
}
