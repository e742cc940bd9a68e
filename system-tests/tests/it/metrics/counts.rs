//! What auth-service counts of logins, refreshes, sessions and limits. Over the same traffic it is the same in every storage.

use chrono::TimeDelta;
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use shared_claims::random;
use system_tests::client::{Answered, Client, Tokens};
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::{at_generation, with_claims};

use super::Scrape;

const KEY: &str = "one-key-for-one-refresh";

async fn login_with_fingerprint(client: &Client, person: &Person) -> Tokens {
    let body = json!({ "username": person.username, "password": person.password, "fingerprint": "a device" });
    client.try_login(&body).await.read(200)
}

/// `DELETE` on behalf of a session.
async fn delete(client: &Client, path: &str, tokens: &Tokens) {
    let answer = client.request(Method::DELETE, path).bearer_auth(&tokens.access_token).answer().await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn everything_is_there_from_the_start_and_at_0(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let scrape = Scrape::of(&stack.client()).await;
    for series in [
        r#"latchkey_logins_total{outcome="signed_in"}"#,
        r#"latchkey_refreshes_total{outcome="healed"}"#,
        r#"latchkey_refreshes_total{outcome="session_ended",reason="admin"}"#,
        "latchkey_sessions_started_total",
        r#"latchkey_sessions_ended_total{reason="reuse_detected"}"#,
        r#"latchkey_limits_hit_total{limit="account"}"#,
        r#"latchkey_token_store_failures_total{operation="rotate"}"#,
        r#"latchkey_database_failures_total{operation="write"}"#,
        r#"latchkey_token_verifications_total{kid="unknown",outcome="refused",token="refresh"}"#,
        "latchkey_password_hash_refused_total",
        "latchkey_password_hash_running",
        "latchkey_password_hash_waiting",
    ] {
        assert_eq!(scrape.value(series), 0.0, "{series}");
    }
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        scrape.value(&format!(r#"latchkey_build_info{{service="auth-service",version="{version}"}}"#)),
        1.0,
        "all crates are of one version"
    );
}

#[rstest]
#[tokio::test]
async fn logins_are_counted_by_how_they_end(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (client, person, disabled) = (stack.client(), stack.person().await, stack.person().await);
    stack.site.stores.users.set_disabled(disabled.id, true).await.expect("the database works");
    let before = Scrape::of(&client).await;
    for _ in 0..3 {
        client.login(&person).await;
    }
    let wrong = json!({ "username": person.username, "password": "not the password" });
    for body in [wrong, Person::invent().credentials(), disabled.credentials()] {
        client.try_login(&body).await.assert_problem(401, "invalid_credentials");
    }
    client.try_login(&json!({})).await.assert_problem(400, "bad_request");
    let after = Scrape::of(&client).await;
    after.assert_changes(
        &before,
        "latchkey_logins_total",
        &[("outcome=signed_in", 3), ("outcome=wrong_credentials", 3)],
    );
    after.assert_changes(&before, "latchkey_sessions_started_total", &[("", 3)]);
    after.assert_changes(&before, "latchkey_sessions_ended_total", &[]);
    // An unknown user's password is worked on as well, and each of the cheap hashes is renewed at its first login.
    after.assert_changes(&before, "latchkey_password_hash_duration_seconds_count", &[("", 7)]);
    after.assert_changes(&before, "latchkey_password_hash_wait_seconds_count", &[("", 7)]);
}

#[rstest]
#[tokio::test]
async fn refreshes_are_counted_by_how_they_end(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (client, person) = (stack.client(), stack.person().await);
    let secret = &stack.site.secrets.refresh;
    let (first, ahead) = (client.login(&person).await, client.login(&person).await);
    let bound = login_with_fingerprint(&client, &person).await;
    let before = Scrape::of(&client).await;

    let second = client.refresh_keyed(&first.refresh_token, KEY).await.tokens();
    for _ in 0..2 {
        client.refresh_keyed(&first.refresh_token, KEY).await.tokens();
    }
    client.refresh(&second.refresh_token).await.tokens();
    client.refresh(&at_generation(secret, &ahead.refresh_token, 7)).await.tokens();
    client.refresh(&first.refresh_token).await.assert_problem(403, "refresh_token_reused");
    for _ in 0..2 {
        client.refresh(&second.refresh_token).await.assert_session_ended(Some("reuse_detected"));
    }
    let nobodys = with_claims(secret, &first.refresh_token, &json!({ "sid": random::uuid() }));
    client.refresh(&nobodys).await.assert_session_ended(None);
    client.refresh_from(&bound.refresh_token, "another device").await.assert_problem(403, "fingerprint_mismatch");
    client.refresh("").await.assert_problem(403, "refresh_token_missing");
    client.refresh(&first.access_token).await.assert_problem(403, "refresh_token_invalid");
    let forged = with_claims(secret, &bound.refresh_token, &json!({ "jti": "AAAAAAAAAAAAAAAAAAAAAA.0" }));
    client.refresh_from(&forged, "a device").await.assert_problem(403, "refresh_token_invalid");
    stack.advance(TimeDelta::days(31));
    client.refresh(&bound.refresh_token).await.assert_problem(403, "refresh_token_expired");

    let after = Scrape::of(&client).await;
    after.assert_changes(
        &before,
        "latchkey_refreshes_total",
        &[
            ("outcome=rotated", 2),
            ("outcome=replayed", 2),
            ("outcome=healed", 1),
            ("outcome=refresh_token_reused", 1),
            ("outcome=session_ended,reason=reuse_detected", 2),
            ("outcome=session_ended", 1),
            ("outcome=fingerprint_mismatch", 1),
            ("outcome=refresh_token_missing", 1),
            ("outcome=refresh_token_invalid", 2),
            ("outcome=refresh_token_expired", 1),
        ],
    );
    after.assert_changes(&before, "latchkey_sessions_ended_total", &[("reason=reuse_detected", 1)]);
}

#[rstest]
#[tokio::test]
async fn sessions_are_counted_by_what_ended_them(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (client, person) = (stack.client(), stack.person().await);
    let before = Scrape::of(&client).await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(client.login(&person).await);
    }
    client.logout(&sessions[0].refresh_token).await;
    client.logout(&sessions[0].refresh_token).await;
    client.logout("not-a-token").await;
    delete(&client, &format!("/sessions/{}", sessions[1].session_id), &sessions[2]).await;
    delete(&client, &format!("/sessions/{}", sessions[2].session_id), &sessions[2]).await;
    delete(&client, "/sessions?others=true", &sessions[3]).await;
    for _ in 0..5 {
        sessions.push(client.login(&person).await);
    }
    sessions.push(client.login(&person).await);
    let change = json!({ "currentPassword": person.password, "newPassword": "another long passphrase" });
    let change = client.request(Method::PUT, "/current-user/password").json(&change);
    let changed = change.bearer_auth(&sessions[10].access_token).answer().await;
    assert_eq!(changed.status, 204, "{changed:?}");

    let after = Scrape::of(&client).await;
    after.assert_changes(&before, "latchkey_sessions_started_total", &[("", 11)]);
    after.assert_changes(
        &before,
        "latchkey_sessions_ended_total",
        &[
            ("reason=signed_out", 2),
            ("reason=signed_out_elsewhere", 2),
            ("reason=session_limit", 5),
            ("reason=password_changed", 1),
        ],
    );
}

#[rstest]
#[tokio::test]
async fn a_session_that_a_refresh_finds_outdated_is_counted_once(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (client, person) = (stack.client(), stack.person().await);
    let token = client.login(&person).await.refresh_token;
    assert!(stack.site.stores.users.set_disabled(person.id, true).await.expect("the database works"));
    let before = Scrape::of(&client).await;
    for _ in 0..2 {
        client.refresh(&token).await.assert_session_ended(Some("user_disabled"));
    }
    let after = Scrape::of(&client).await;
    after.assert_changes(&before, "latchkey_sessions_ended_total", &[("reason=user_disabled", 1)]);
}

#[rstest]
#[tokio::test]
async fn limits_are_counted_by_what_has_to_wait(#[values(Embedded, Distributed)] storage: Storage) {
    let settings = [
        ("RATE_LIMIT__ENABLED", "true"),
        ("RATE_LIMIT__ACCOUNT_ATTEMPTS", "2"),
        ("RATE_LIMIT__ADDRESS_ATTEMPTS", "10000"),
        ("RATE_LIMIT__REFRESHES_PER_MINUTE", "1"),
        ("SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let stack = Stack::start_with(storage, &settings).await;
    let (client, person) = (stack.client(), stack.person().await);
    let token = client.login(&person).await.refresh_token;
    let before = Scrape::of(&client).await;
    let wrong = json!({ "username": person.username, "password": "not the password" });
    let attempt =
        async |address: &str| client.post("/login", &wrong).header("x-forwarded-for", address).answer().await.status;
    let elsewhere = [attempt("2001:db8::1").await, attempt("2001:db8::1").await, attempt("2001:db8::1").await];
    let known = [attempt("127.0.0.1").await, attempt("127.0.0.1").await, attempt("127.0.0.1").await];
    let next = client.refresh(&token).await.tokens();
    client.refresh(&next.refresh_token).await.assert_problem(429, "too_many_attempts");
    let after = Scrape::of(&client).await;

    let refused =
        |statuses: &[u16]| u32::try_from(statuses.iter().filter(|status| **status == 429).count()).expect("few");
    let (account, known_address) = (refused(&elsewhere), refused(&known));
    assert!(account > 0 && known_address > 0, "{elsewhere:?} {known:?}");
    after.assert_changes(
        &before,
        "latchkey_limits_hit_total",
        &[("limit=account", account), ("limit=known_address", known_address), ("limit=session", 1)],
    );
    after.assert_changes(
        &before,
        "latchkey_logins_total",
        &[
            ("outcome=too_many_attempts", account + known_address),
            ("outcome=wrong_credentials", 6 - account - known_address),
        ],
    );
    after.assert_changes(
        &before,
        "latchkey_refreshes_total",
        &[("outcome=rotated", 1), ("outcome=too_many_attempts", 1)],
    );
}

#[rstest]
#[tokio::test]
async fn an_address_that_tries_every_account_is_a_limit_of_its_own(#[values(Embedded, Distributed)] storage: Storage) {
    let settings = [
        ("RATE_LIMIT__ENABLED", "true"),
        ("RATE_LIMIT__ADDRESS_ATTEMPTS", "1"),
        ("SERVER__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let stack = Stack::start_with(storage, &settings).await;
    let client = stack.client();
    // No other test comes from there: where Redis is shared, so are the counts of addresses.
    let [high, low] = random::bytes::<2>();
    let address = format!("2001:db8:{high:02x}{low:02x}::1");
    let before = Scrape::of(&client).await;
    let mut refused = 0;
    for _ in 0..4 {
        let login = client.post("/login", &Person::invent().credentials()).header("x-forwarded-for", &address);
        refused += u32::from(login.answer().await.status == 429);
    }
    assert!(refused > 0);
    Scrape::of(&client).await.assert_changes(&before, "latchkey_limits_hit_total", &[("limit=address", refused)]);
}
