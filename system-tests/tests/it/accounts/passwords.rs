//! `PUT /current-user/password`: another password, and an end to every session that was made with the old one.

use rstest::rstest;
use serde_json::json;
use system_tests::client::{Answer, Answered, Client};
use system_tests::people::Person;

use super::ground::Ground;
use super::{acceptable_passwords, assert_revoked, fields, too_easy_passwords};
use system_tests::site::Storage::{self, Distributed, Embedded};

const NEW: &str = "an entirely new password";

async fn login(client: &Client, person: &Person, password: &str) -> Answer {
    client.try_login(&json!({ "username": person.username, "password": password })).await
}

#[rstest]
#[tokio::test]
async fn another_password_ends_every_other_session_and_this_one_lives_on(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let (here, phone, laptop) = (client.login(&person).await, client.login(&person).await, client.login(&person).await);
    let stranger = ground.person().await;
    let strangers = client.login(&stranger).await;

    let changed = client.change_password(&here.access_token, &person.password, NEW).await;
    assert_eq!((changed.status, changed.body.as_str()), (204, ""), "{changed:?}");
    for other in [&phone, &laptop] {
        assert_revoked(&client.sessions(&other.access_token).await);
        client.refresh(&other.refresh_token).await.assert_session_ended(Some("password_changed"));
    }
    assert_eq!(client.sessions(&here.access_token).await.json().as_array().map(Vec::len), Some(1));
    let next = client.refresh(&here.refresh_token).await.tokens();
    assert_eq!(client.refresh(&next.refresh_token).await.status, 200);
    assert_eq!(client.refresh(&strangers.refresh_token).await.status, 200);

    login(&client, &person, &person.password).await.assert_problem(401, "invalid_credentials");
    assert_eq!(login(&client, &person, NEW).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_wrong_current_password_changes_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let (here, other) = (client.login(&person).await, client.login(&person).await);
    for wrong in ["", "not the one it is", &person.password.to_uppercase(), &format!("{} ", person.password)] {
        let answer = client.change_password(&here.access_token, wrong, NEW).await;
        answer.assert_problem(422, "validation_failed");
        assert_eq!(fields(&answer), ["currentPassword"], "{wrong:?}");
        assert!(!answer.body.contains(NEW) && (wrong.is_empty() || !answer.body.contains(wrong)), "{answer:?}");
    }
    login(&client, &person, NEW).await.assert_problem(401, "invalid_credentials");
    assert_eq!(login(&client, &person, &person.password).await.status, 200);
    for tokens in [&here, &other] {
        assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
    }
}

#[rstest]
#[tokio::test]
async fn a_new_password_that_is_not_acceptable_changes_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let (here, other) = (client.login(&person).await, client.login(&person).await);
    for (password, reason) in too_easy_passwords(&person) {
        let answer = client.change_password(&here.access_token, &person.password, &password).await;
        answer.assert_problem(422, "validation_failed");
        assert_eq!(fields(&answer), ["newPassword"], "{password:?}");
        let why = answer.json()["errors"]["newPassword"][0].as_str().expect("a reason").to_owned();
        assert!(why.starts_with(reason), "{password:?}: {why}");
    }
    assert_eq!(login(&client, &person, &person.password).await.status, 200);
    assert_eq!(client.refresh(&other.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn the_new_password_is_taken_as_it_is(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let tokens = client.login(&person).await;
    let mut current = person.password.clone();
    for (password, other) in acceptable_passwords() {
        assert_eq!(client.change_password(&tokens.access_token, &current, &password).await.status, 204, "{password:?}");
        login(&client, &person, &other).await.assert_problem(401, "invalid_credentials");
        current = password;
    }
    assert_eq!(login(&client, &person, &current).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn only_a_live_session_changes_the_password(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let (signed_out, expired, disabled, deleted) =
        (client.login(&person).await, ground.person().await, ground.person().await, ground.person().await);
    let [of_expired, of_disabled, of_deleted] =
        [client.login(&expired).await, client.login(&disabled).await, client.login(&deleted).await];
    client.logout(&signed_out.refresh_token).await;
    client.logout(&of_expired.refresh_token).await;
    let users = &ground.stack.site.stores.users;
    users.set_disabled(disabled.id, true).await.expect("the database works");
    users.delete(deleted.id).await.expect("the database works");

    for tokens in [&signed_out, &of_expired, &of_disabled, &of_deleted] {
        assert_revoked(&client.change_password(&tokens.access_token, &person.password, NEW).await);
        // Nor is anything told of the current password.
        assert_revoked(&client.change_password(&tokens.access_token, "not the one it is", NEW).await);
        // Nor of the new one.
        assert_revoked(&client.change_password(&tokens.access_token, &person.password, "short").await);
    }
    users.set_disabled(disabled.id, false).await.expect("the database works");
    for person in [&person, &expired, &disabled] {
        assert_eq!(login(&client, person, &person.password).await.status, 200);
        login(&client, person, NEW).await.assert_problem(401, "invalid_credentials");
    }
}

#[rstest]
#[tokio::test]
async fn nobody_changes_a_password_without_an_access_token(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let tokens = client.login(&person).await;
    let body = json!({ "currentPassword": person.password, "newPassword": NEW });
    let bare = client.request(reqwest::Method::PUT, "/current-user/password").json(&body).answer().await;
    bare.assert_problem(401, "access_token_missing");
    assert_eq!(bare.header("www-authenticate"), Some(r#"Bearer realm="latchkey""#));
    let refresh_token = client.change_password(&tokens.refresh_token, &person.password, NEW).await;
    refresh_token.assert_problem(401, "access_token_invalid");
    assert_eq!(login(&client, &person, &person.password).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_body_that_is_no_change_of_password_is_a_bad_request(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let tokens = client.login(&person).await;
    for body in [
        json!({}),
        json!({ "currentPassword": person.password }),
        json!({ "newPassword": NEW }),
        json!({ "currentPassword": person.password, "newPassword": null }),
        json!({ "currentPassword": person.password, "newPassword": [NEW] }),
        json!({ "currentPassword": 12_345_678, "newPassword": NEW }),
    ] {
        let request = client.request(reqwest::Method::PUT, "/current-user/password").json(&body);
        let answer = request.bearer_auth(&tokens.access_token).answer().await;
        answer.assert_problem(400, "bad_request");
        assert!(!answer.body.contains(NEW) && !answer.body.contains(&person.password), "{answer:?}");
    }
    assert_eq!(login(&client, &person, &person.password).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn of_two_changes_at_once_one_stands(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let second = ground.stack.second_instance().await;
    let (one, other, person) = (ground.client(), second.client(), ground.person().await);
    let [of_one, of_other] = [one.login(&person).await, other.login(&person).await];
    let passwords = ["the password of one device", "the password of the other"];
    let (first, last) = tokio::join!(
        one.change_password(&of_one.access_token, &person.password, passwords[0]),
        other.change_password(&of_other.access_token, &person.password, passwords[1]),
    );
    let winner = usize::from(last.status == 204);
    let answers = [first, last];
    assert_eq!(answers[winner].status, 204, "{answers:?}");
    // The loser met the end of its session, before its own change or in it.
    assert_revoked(&answers[1 - winner]);

    let tokens = [of_one, of_other];
    assert_eq!(one.refresh(&tokens[winner].refresh_token).await.status, 200);
    one.refresh(&tokens[1 - winner].refresh_token).await.assert_session_ended(Some("password_changed"));
    assert_eq!(login(&one, &person, passwords[winner]).await.status, 200);
    login(&one, &person, passwords[1 - winner]).await.assert_problem(401, "invalid_credentials");
    login(&one, &person, &person.password).await.assert_problem(401, "invalid_credentials");
}
