//! A change of password that races logins, or that the store of sessions cannot follow: no session made with the old password
//! outlives a change, and no change is left half done.

use auth_service::domain::session::{EndReason, Ending, SessionRules, Which};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rstest::rstest;
use serde_json::json;
use shared_claims::Clock;
use system_tests::client::{Answer, Client, Tokens};
use system_tests::people::{Person, cheap_hash};

use super::ground::Ground;
use system_tests::site::Storage::{self, Distributed, Embedded};

const NEW: &str = "an entirely new password";
/// Fewer than the endings that are remembered, so that each tells its reason.
const LOGINS: usize = 8;
/// So that no session ends for another reason than the one that is looked for.
const ROOM: (&str, &str) = ("SESSIONS__MAX_PER_USER", "1000");

async fn login(client: &Client, person: &Person, password: &str) -> Answer {
    client.try_login(&json!({ "username": person.username, "password": password })).await
}

#[rstest]
#[tokio::test]
async fn no_session_made_with_the_old_password_outlives_a_change_of_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start_with(storage, &[ROOM]).await;
    let second = ground.stack.second_instance().await;
    let (clients, person) = ([ground.client(), second.client()], ground.person().await);
    // The first login renews the hash. From then on a login costs what it costs today, and the others wait meanwhile.
    clients[0].login(&person).await;
    let racing = (0..LOGINS).map(|number| login(&clients[number % 2], &person, &person.password));
    let mut racing: FuturesUnordered<_> = racing.collect();
    // When one is through, the others have seen the old password, and do not look again.
    let mut logins = vec![racing.next().await.expect("there are some")];
    change_as_an_operator(&ground, &person).await;
    logins.extend(racing.collect::<Vec<_>>().await);

    let stores = &ground.stack.site.stores;
    let left = stores.sessions.list(person.id, &rules(&ground), ground.stack.clock.now()).await;
    assert!(!left.expect("the store works").is_empty(), "no login was granted after the change");
    for login in logins.iter().filter(|login| login.status == 200) {
        clients[0].refresh(&login.tokens().refresh_token).await.assert_session_ended(Some("password_changed"));
    }
    // On a machine with much else to do some wait for too long.
    for login in logins.iter().filter(|login| ![200, 503].contains(&login.status)) {
        login.assert_problem(401, "invalid_credentials");
    }
}

/// What `users set-password` does, but for the hashing.
async fn change_as_an_operator(ground: &Ground, person: &Person) {
    let stores = &ground.stack.site.stores;
    let user = stores.users.find(person.id).await.expect("the database works").expect("the user is there");
    stores.users.set_password(&user, &cheap_hash(NEW)).await.expect("the database works").expect("it is changed");
    let (reason, now) = (EndReason::PasswordChanged, ground.stack.clock.now());
    let ending = stores.sessions.end(user.id, Which::All, None, reason, &rules(ground), now).await;
    assert!(matches!(ending, Ok(Ending::Ended(_))), "{ending:?}");
}

fn rules(ground: &Ground) -> SessionRules {
    auth_service::Config::load(None, ground.stack.site.environment(&[])).expect("a configuration that holds").rules()
}

#[rstest]
#[tokio::test]
async fn a_login_that_was_let_in_before_a_change_may_look_at_nothing_after_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let before = client.login(&person).await;
    // What a login finds that was let in by the old password and comes to its session only after the change.
    let users = &ground.stack.site.stores.users;
    let user = users.find(person.id).await.expect("the database works").expect("the user is there");
    users.set_password(&user, &user.password_hash).await.expect("the database works").expect("it is changed");

    super::assert_revoked(&client.sessions(&before.access_token).await);
    super::assert_revoked(&client.end_sessions(&before.access_token, "").await);
    super::assert_revoked(&client.change_password(&before.access_token, &person.password, NEW).await);
    client.refresh(&before.refresh_token).await.assert_session_ended(Some("password_changed"));
}

/// Two devices of one user.
async fn devices(ground: &Ground) -> (Person, Tokens, Tokens) {
    let (client, person) = (ground.client(), ground.person().await);
    let (here, phone) = (client.login(&person).await, client.login(&person).await);
    (person, here, phone)
}

/// The old password is good, the new one is not, and both devices are signed in and may do all they might before.
async fn assert_nothing_has_changed(ground: &Ground, person: &Person, here: &Tokens, phone: &Tokens) {
    let client = ground.client();
    login(&client, person, NEW).await.assert_problem(401, "invalid_credentials");
    assert_eq!(login(&client, person, &person.password).await.status, 200);
    for tokens in [here, phone] {
        assert_eq!(client.sessions(&tokens.access_token).await.status, 200);
        assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
    }
    assert_eq!(client.change_password(&here.access_token, &person.password, NEW).await.status, 204);
    assert_eq!(login(&client, person, NEW).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn while_the_store_is_down_a_change_is_refused_and_nothing_has_changed(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start_with(storage, &[ROOM]).await;
    let (person, here, phone) = devices(&ground).await;
    ground.take_store_away().await;
    ground.client().change_password(&here.access_token, &person.password, NEW).await.assert_unavailable();
    ground.give_store_back().await;
    assert_nothing_has_changed(&ground, &person, &here, &phone).await;
}

#[rstest]
#[tokio::test]
async fn a_change_that_the_sessions_cannot_follow_is_taken_back(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ROOM]).await;
    let (person, here, phone) = devices(&ground).await;
    // The session that asks is seen to live, the password is changed, and then the sessions cannot be ended.
    ground.close_sessions_of(&person).await;
    ground.client().change_password(&here.access_token, &person.password, NEW).await.assert_unavailable();
    ground.open_sessions_of(&person).await;
    assert_nothing_has_changed(&ground, &person, &here, &phone).await;
}

#[rstest]
#[tokio::test]
async fn sessions_are_neither_listed_nor_ended_while_the_store_is_down(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start_with(storage, &[ROOM]).await;
    let (_, here, phone) = devices(&ground).await;
    let client = ground.client();
    ground.take_store_away().await;
    client.sessions(&here.access_token).await.assert_unavailable();
    client.end_session(&here.access_token, phone.session_id).await.assert_unavailable();
    client.end_sessions(&here.access_token, "?others=true").await.assert_unavailable();
    ground.give_store_back().await;
    assert_eq!(client.refresh(&phone.refresh_token).await.status, 200);
    assert_eq!(client.sessions(&here.access_token).await.status, 200);
}
