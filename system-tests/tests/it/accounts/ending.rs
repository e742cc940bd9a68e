//! `DELETE /sessions…`: signing devices out.

use rstest::rstest;
use serde_json::json;
use system_tests::client::{Answer, Answered, Client, Tokens};
use system_tests::people::Person;
use system_tests::tokens::with_claims;

use super::assert_revoked;
use super::ground::Ground;
use system_tests::site::Storage::{self, Distributed, Embedded};

/// A user on three devices, and another user on one.
struct Scene {
    ground: Ground,
    client: Client,
    person: Person,
    here: Tokens,
    phone: Tokens,
    laptop: Tokens,
    stranger: Tokens,
}

impl Scene {
    async fn open(storage: Storage) -> Self {
        let ground = Ground::start(storage).await;
        let (client, person) = (ground.client(), ground.person().await);
        let stranger = client.login(&ground.person().await).await;
        let [here, phone, laptop] =
            [client.login(&person).await, client.login(&person).await, client.login(&person).await];
        Self { ground, client, person, here, phone, laptop, stranger }
    }

    async fn assert_live(&self, sessions: &[&Tokens]) {
        for tokens in sessions {
            assert_eq!(self.client.refresh(&tokens.refresh_token).await.status, 200);
        }
    }

    async fn assert_ended(&self, sessions: &[&Tokens], reason: &str) {
        for tokens in sessions {
            self.client.refresh(&tokens.refresh_token).await.assert_session_ended(Some(reason));
        }
    }
}

fn assert_done(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn a_device_is_signed_out_from_another(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { client, here, phone, laptop, stranger, .. } = &scene;
    assert_done(&client.end_session(&here.access_token, phone.session_id).await);
    scene.assert_ended(&[phone], "signed_out_elsewhere").await;
    scene.assert_live(&[here, laptop, stranger]).await;
    assert_revoked(&client.sessions(&phone.access_token).await);
}

#[rstest]
#[tokio::test]
async fn a_device_signs_itself_out(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { client, here, phone, laptop, .. } = &scene;
    assert_done(&client.end_session(&here.access_token, here.session_id).await);
    scene.assert_ended(&[here], "signed_out").await;
    scene.assert_live(&[phone, laptop]).await;
    assert_revoked(&client.end_session(&here.access_token, here.session_id).await);
}

#[rstest]
#[tokio::test]
async fn what_is_not_the_callers_is_not_found(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { client, here, phone, laptop, stranger, .. } = &scene;
    client.end_session(&here.access_token, phone.session_id).await;
    let (strangers, ended, unknown) =
        (stranger.session_id.to_string(), phone.session_id.to_string(), Person::invent().id.to_string());
    let mut bodies = Vec::new();
    for id in [&strangers, &ended, &unknown, "none", "%00", "'%20OR%201=1", "10000000-0000-4000-8000-00000000000g"] {
        let answer = client.end_session(&here.access_token, id).await;
        answer.assert_problem(404, "not_found");
        bodies.push(answer.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "one is told from another: {bodies:?}");
    // The first reason stays.
    scene.assert_ended(&[phone], "signed_out_elsewhere").await;
    scene.assert_live(&[here, laptop, stranger]).await;
}

#[rstest]
#[tokio::test]
async fn all_devices_are_signed_out_at_once(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values("", "?others=false", "?unknown=1")] query: &str,
) {
    let scene = Scene::open(storage).await;
    let Scene { client, here, phone, laptop, stranger, .. } = &scene;
    assert_done(&client.end_sessions(&here.access_token, query).await);
    scene.assert_ended(&[here, phone, laptop], "signed_out_elsewhere").await;
    scene.assert_live(&[stranger]).await;
    assert_revoked(&client.end_sessions(&here.access_token, query).await);
    assert_eq!(client.try_login(&scene.person.credentials()).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn all_other_devices_are_signed_out_and_this_one_stays(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { client, here, phone, laptop, stranger, .. } = &scene;
    assert_done(&client.end_sessions(&here.access_token, "?others=true").await);
    scene.assert_ended(&[phone, laptop], "signed_out_elsewhere").await;
    // Where there is no other any more, that is no error.
    assert_done(&client.end_sessions(&here.access_token, "?others=true").await);
    scene.assert_live(&[here, stranger]).await;
}

#[rstest]
#[tokio::test]
async fn a_query_that_cannot_be_read_ends_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { client, here, phone, laptop, .. } = &scene;
    for query in ["?others=perhaps", "?others=", "?others", "?others=1", "?others=true&others=true", "?others=True"] {
        let answer = client.end_sessions(&here.access_token, query).await;
        let detail = answer.assert_problem(400, "bad_request");
        assert!(detail.contains("query"), "{query}: {detail}");
    }
    scene.assert_live(&[here, phone, laptop]).await;
}

#[rstest]
#[tokio::test]
async fn the_access_token_of_an_ended_session_ends_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { ground, client, here, phone, laptop, stranger, .. } = &scene;
    client.logout(&phone.refresh_token).await;
    let secret = &ground.stack.site.secrets.access;
    let forged = |sid| with_claims(secret, &here.access_token, &json!({ "sid": sid }));
    let of_another = with_claims(secret, &stranger.access_token, &json!({ "sid": here.session_id }));
    for token in [
        phone.access_token.clone(),
        forged(json!(phone.session_id)),
        forged(json!(stranger.session_id)),
        forged(json!(Person::invent().id)),
        of_another,
    ] {
        assert_revoked(&client.end_session(&token, laptop.session_id).await);
        assert_revoked(&client.end_session(&token, here.session_id).await);
        assert_revoked(&client.end_sessions(&token, "").await);
        assert_revoked(&client.end_sessions(&token, "?others=true").await);
        assert_revoked(&client.sessions(&token).await);
    }
    scene.assert_live(&[here, laptop, stranger]).await;
}

#[rstest]
#[tokio::test]
async fn nobody_ends_sessions_without_an_access_token(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { client, here, phone, laptop, .. } = &scene;
    for path in ["/sessions".to_owned(), "/sessions?others=true".to_owned(), format!("/sessions/{}", here.session_id)] {
        let answer = client.request(reqwest::Method::DELETE, &path).answer().await;
        answer.assert_problem(401, "access_token_missing");
        let answer = client.request(reqwest::Method::DELETE, &path).bearer_auth(&here.refresh_token).answer().await;
        answer.assert_problem(401, "access_token_invalid");
    }
    scene.assert_live(&[here, phone, laptop]).await;
}

#[rstest]
#[tokio::test]
async fn a_user_who_is_disabled_or_gone_is_revoked_everywhere(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let Scene { ground, client, person, here, phone, laptop, .. } = &scene;
    let users = &ground.stack.site.stores.users;
    let assert_revoked_everywhere = async || {
        let token = &here.access_token;
        assert_revoked(&client.current_user(token).await);
        assert_revoked(&client.change_password(token, &person.password, "an entirely new password").await);
        assert_revoked(&client.sessions(token).await);
        assert_revoked(&client.end_session(token, phone.session_id).await);
        assert_revoked(&client.end_session(token, here.session_id).await);
        assert_revoked(&client.end_sessions(token, "").await);
        assert_revoked(&client.end_sessions(token, "?others=true").await);
        client.try_login(&person.credentials()).await.assert_problem(401, "invalid_credentials");
    };
    users.set_disabled(person.id, true).await.expect("the database works");
    assert_revoked_everywhere().await;
    scene.assert_ended(&[phone], "user_disabled").await;

    // Enabled again, a session of before is none any more.
    users.set_disabled(person.id, false).await.expect("the database works");
    assert_revoked(&client.sessions(&here.access_token).await);
    scene.assert_ended(&[here], "password_changed").await;
    users.delete(person.id).await.expect("the database works");
    assert_revoked_everywhere().await;
    scene.assert_ended(&[laptop], "user_disabled").await;
}
