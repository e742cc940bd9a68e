//! A password hash with older parameters is made anew at the next login, while the password is at hand.

use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};

use super::ground::Ground;

/// Argon2id with 19 MiB, two passes, one lane.
const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

async fn stored_hash(ground: &Ground, person: &Person) -> SecretString {
    let user = ground.stack.site.stores.users.find(person.id).await.expect("the database works");
    user.expect("the user is there").password_hash
}

#[rstest]
#[tokio::test]
async fn a_hash_with_older_parameters_is_renewed_at_the_next_login(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let old = stored_hash(&ground, &person).await;
    assert!(old.expose_secret().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "the tests' own hashes are cheap");

    let wrong = json!({ "username": person.username, "password": "not the password of anybody" });
    client.try_login(&wrong).await.assert_problem(401, "invalid_credentials");
    assert_eq!(stored_hash(&ground, &person).await.expose_secret(), old.expose_secret());

    let before = client.login(&person).await;
    let renewed = stored_hash(&ground, &person).await;
    assert!(renewed.expose_secret().starts_with(CURRENT), "{}", renewed.expose_secret());
    // Once is enough, and neither the password nor any session is another.
    let after = client.login(&person).await;
    assert_eq!(stored_hash(&ground, &person).await.expose_secret(), renewed.expose_secret());
    for tokens in [&before, &after] {
        assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
    }
    client.try_login(&wrong).await.assert_problem(401, "invalid_credentials");
}

#[rstest]
#[tokio::test]
async fn a_new_password_is_hashed_with_the_parameters_of_today(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[("REGISTRATION__ENABLED", "true")]).await;
    let (client, mut person) = (ground.client(), Person::invent());
    let answer = client.register(&person.username, &person.email, &person.password).await;
    let user: serde_json::Value = answer.read(201);
    person.id = user["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let registered = stored_hash(&ground, &person).await;
    let tokens = client.login(&person).await;
    client.change_password(&tokens.access_token, &person.password, "an entirely new password").await;
    let changed = stored_hash(&ground, &person).await;
    for hash in [&registered, &changed] {
        assert!(hash.expose_secret().starts_with(CURRENT), "{}", hash.expose_secret());
    }
    assert_ne!(registered.expose_secret(), changed.expose_secret());
}
