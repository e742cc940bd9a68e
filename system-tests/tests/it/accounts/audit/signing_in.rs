//! What is told of logins and refreshes.

use rstest::rstest;
use serde_json::json;
use system_tests::client::{SignedIn, Tokens};
use system_tests::people::{PASSWORD, Person};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::tokens::{at_generation, with_claims};

use super::{NEW, Scene, assert_events, event};

const FINGERPRINT: &str = "the fingerprint of this device";

#[rstest]
#[tokio::test]
async fn logins_are_told_with_user_session_and_address(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage, &[("SESSIONS__MAX_PER_USER", "1")]).await;
    let (person, disabled) = (scene.person().await, scene.person().await);
    scene.site.stores.users.set_disabled(disabled.id, true).await.expect("the database works");

    let (answer, events) = scene.watch(scene.client.post("/login", &person.credentials())).await;
    let first = answer.read::<SignedIn>(200).tokens.session_id;
    assert_events(&events, &[event("login", person.id, &json!({ "session_id": first }))]);

    let (answer, events) = scene.watch(scene.client.post("/login", &person.credentials())).await;
    let second = answer.read::<SignedIn>(200).tokens.session_id;
    let made_room = event("session_ended", person.id, &json!({ "session_id": first, "reason": "session_limit" }));
    assert_events(&events, &[event("login", person.id, &json!({ "session_id": second })), made_room]);

    // People type passwords where their name belongs, so a name that nobody has is not told.
    for (body, expected) in [
        (
            json!({ "username": person.username, "password": "wrong" }),
            event("login_failed", person.id, &json!({ "cause": "wrong_credentials" })),
        ),
        (disabled.credentials(), event("login_failed", disabled.id, &json!({ "cause": "user_disabled" }))),
        (
            json!({ "username": PASSWORD, "password": PASSWORD }),
            json!({ "event": "login_failed", "cause": "wrong_credentials" }),
        ),
    ] {
        let (answer, events) = scene.watch(scene.client.post("/login", &body)).await;
        answer.assert_problem(401, "invalid_credentials");
        assert_events(&events, &[expected]);
    }
}

#[rstest]
#[tokio::test]
async fn guesses_that_must_wait_are_told(#[values(Embedded, Distributed)] storage: Storage) {
    let limits = [
        ("RATE_LIMIT__ENABLED", "true"),
        ("RATE_LIMIT__ACCOUNT_ATTEMPTS", "1"),
        ("RATE_LIMIT__FIRST_DELAY", "1h"),
        ("RATE_LIMIT__LONGEST_DELAY", "1h"),
        ("RATE_LIMIT__REFRESHES_PER_MINUTE", "1"),
    ];
    let mut scene = Scene::open(storage, &limits).await;
    let person = scene.person().await;
    let tokens = scene.login(&person).await;
    let change = |current: &str| scene.client.password_change(&tokens.access_token, current, NEW);
    let (wrong, again) = (change("wrong"), change("wrong"));
    let (answer, events) = scene.watch(wrong).await;
    answer.assert_problem(422, "validation_failed");
    assert_events(&events, &[event("login_failed", person.id, &json!({ "cause": "wrong_current_password" }))]);
    for request in [again, scene.client.post("/login", &person.credentials())] {
        let (answer, events) = scene.watch(request).await;
        answer.assert_problem(429, "too_many_attempts");
        assert_events(&events, &[event("login_failed", person.id, &json!({ "cause": "too_many_attempts" }))]);
    }

    let refresh = |token: &str| scene.client.post("/refresh-token", &json!({ "refreshToken": token }));
    let first = refresh(&tokens.refresh_token);
    let (granted, events) = scene.watch(first).await;
    assert_events(&events, &[]);
    let (answer, events) = scene
        .watch(scene.client.post("/refresh-token", &json!({ "refreshToken": granted.tokens().refresh_token })))
        .await;
    answer.assert_problem(429, "too_many_attempts");
    let expected = json!({ "session_id": tokens.session_id, "code": "too_many_attempts" });
    assert_events(&events, &[event("refresh_refused", person.id, &expected)]);
}

#[rstest]
#[tokio::test]
async fn refused_refreshes_are_told_with_their_reason(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage, &[]).await;
    let person = scene.person().await;
    let secret = scene.site.secrets.refresh.clone();
    let tokens = scene.login(&person).await;
    let refused = |tokens: &Tokens, code: &str| {
        event("refresh_refused", person.id, &json!({ "session_id": tokens.session_id, "code": code }))
    };
    let unknown = |code: &str| json!({ "event": "refresh_refused", "code": code });

    // What is not ours is nobody's.
    for (token, code) in [
        ("", "refresh_token_missing"),
        ("garbage", "refresh_token_invalid"),
        (&tokens.access_token, "refresh_token_invalid"),
    ] {
        assert_events(&scene.refresh(token, code).await, &[unknown(code)]);
    }
    let expired = with_claims(&secret, &tokens.refresh_token, &json!({ "iat": 1_000, "exp": 2_000 }));
    assert_events(
        &scene.refresh(&expired, "refresh_token_expired").await,
        &[refused(&tokens, "refresh_token_expired")],
    );
    let forged = with_claims(&secret, &tokens.refresh_token, &json!({ "jti": "AAAAAAAAAAAAAAAAAAAAAA.0" }));
    assert_events(&scene.refresh(&forged, "refresh_token_invalid").await, &[refused(&tokens, "refresh_token_invalid")]);

    let body = json!({ "username": person.username, "password": person.password, "fingerprint": FINGERPRINT });
    let (answer, _) = scene.watch(scene.client.post("/login", &body)).await;
    let bound = answer.read::<SignedIn>(200).tokens;
    let events = scene.refresh(&bound.refresh_token, "fingerprint_mismatch").await;
    assert_events(&events, &[refused(&bound, "fingerprint_mismatch")]);

    let (answer, _) = scene.watch(scene.client.post("/logout", &json!({ "refreshToken": bound.refresh_token }))).await;
    assert_eq!(answer.status, 204);
    let events = scene.refresh(&bound.refresh_token, "session_ended").await;
    let mut ended = refused(&bound, "session_ended");
    ended["reason"] = json!("signed_out");
    assert_events(&events, &[ended]);
}

#[rstest]
#[tokio::test]
async fn reuse_is_a_warning_and_the_end_of_the_session(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage, &[]).await;
    let person = scene.person().await;
    let tokens = scene.login(&person).await;
    let ahead = at_generation(&scene.site.secrets.refresh, &tokens.refresh_token, 3);
    let (answer, events) = scene.watch(scene.client.post("/refresh-token", &json!({ "refreshToken": ahead }))).await;
    assert_eq!(answer.status, 200);
    assert_events(&events, &[]);

    let events = scene.refresh(&tokens.refresh_token, "refresh_token_reused").await;
    let session = json!({ "session_id": tokens.session_id });
    let ended = json!({ "session_id": tokens.session_id, "reason": "reuse_detected" });
    let refused = json!({ "session_id": tokens.session_id, "code": "refresh_token_reused" });
    let expected = [
        event("reuse", person.id, &session),
        event("session_ended", person.id, &ended),
        event("refresh_refused", person.id, &refused),
    ];
    assert_events(&events, &expected);
    assert_eq!(events[0]["level"], "WARN");
}

#[rstest]
#[tokio::test]
async fn a_session_that_its_refresh_ends_is_told_once(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage, &[]).await;
    let person = scene.person().await;
    let tokens = scene.login(&person).await;
    // A token that was minted under this rule would have expired with its session.
    scene.restart_with(&[("SESSIONS__MAX_LIFETIME", "1ms")]).await;
    assert_end_is_told(&mut scene, &person, &tokens, "expired").await;
}

#[rstest]
#[tokio::test]
async fn a_session_that_ends_for_its_user_is_told_at_the_refresh_that_finds_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let mut scene = Scene::open(storage, &[]).await;
    // The user changes behind the service's back, as where the store of sessions is down for an operator's command.
    let users = scene.site.stores.users.clone();
    let [changed, disabled, deleted] = [scene.person().await, scene.person().await, scene.person().await];
    let of_changed = scene.login(&changed).await;
    let user = users.find(changed.id).await.expect("the database works").expect("the user is there");
    users.set_password(&user, &user.password_hash).await.expect("the database works").expect("it is changed");
    assert_end_is_told(&mut scene, &changed, &of_changed, "password_changed").await;

    let of_disabled = scene.login(&disabled).await;
    assert!(users.set_disabled(disabled.id, true).await.expect("the database works"));
    assert_end_is_told(&mut scene, &disabled, &of_disabled, "user_disabled").await;

    let of_deleted = scene.login(&deleted).await;
    assert!(users.delete(deleted.id).await.expect("the database works"));
    assert_end_is_told(&mut scene, &deleted, &of_deleted, "user_disabled").await;
}

/// Asserts that the first refresh tells the end of the session, and the next only that it was refused.
async fn assert_end_is_told(scene: &mut Scene, person: &Person, tokens: &Tokens, reason: &str) {
    let ended = event("session_ended", person.id, &json!({ "session_id": tokens.session_id, "reason": reason }));
    let refused = json!({ "session_id": tokens.session_id, "code": "session_ended", "reason": reason });
    let refused = event("refresh_refused", person.id, &refused);
    let events = scene.refresh(&tokens.refresh_token, "session_ended").await;
    assert_events(&events, &[ended, refused.clone()]);
    let events = scene.refresh(&tokens.refresh_token, "session_ended").await;
    assert_events(&events, &[refused]);
}
