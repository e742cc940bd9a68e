//! `POST /register`: making an account, where the operator lets anybody do that.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use system_tests::client::{Answer, Answered};
use system_tests::people::{PASSWORD, Person};

use super::ground::Ground;
use super::{acceptable_passwords, fields, too_easy_passwords};
use system_tests::site::Storage::{self, Distributed, Embedded};

const ENABLED: (&str, &str) = ("REGISTRATION__ENABLED", "true");

async fn login(ground: &Ground, username: &str, password: &str) -> Answer {
    ground.client().try_login(&json!({ "username": username, "password": password })).await
}

#[rstest]
#[tokio::test]
async fn accounts_are_the_operators_to_make_unless_registration_is_enabled(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start(storage).await;
    let new = Person::invent();
    let answer = ground.client().register(&new.username, &new.email, &new.password).await;
    answer.assert_problem(403, "registration_disabled");
    assert_eq!(answer.header("www-authenticate"), None);
    // Nor is it told whether a name is taken, or good.
    let taken = ground.person().await;
    for (username, email) in [(taken.username.as_str(), taken.email.as_str()), ("a b", "nowhere")] {
        ground.client().register(username, email, "short").await.assert_problem(403, "registration_disabled");
    }
    ground.client().try_login(&new.credentials()).await.assert_problem(401, "invalid_credentials");
}

#[rstest]
#[tokio::test]
async fn whoever_registers_is_a_user_from_then_on(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    let (client, new) = (ground.client(), Person::invent());
    let answer = client.register(&new.username.to_uppercase(), &new.email, &new.password).await;
    let user: Value = answer.read(201);
    let told: Vec<_> = user.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(told, ["createdAt", "email", "id", "username"]);
    assert_eq!(
        (&user["username"], &user["email"]),
        (&Value::from(new.username.as_str()), &Value::from(new.email.as_str()))
    );
    assert_eq!(user["createdAt"], "2030-03-17T17:46:40.250Z");
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    for name in [&new.username, &new.email, &new.email.to_lowercase()] {
        let signed_in: Value = login(&ground, name, &new.password).await.read(200);
        assert_eq!(signed_in["user"], user);
        let access_token = signed_in["accessToken"].as_str().expect("a token");
        assert_eq!(client.current_user(access_token).await.read::<Value>(200), user);
    }
}

#[rstest]
#[tokio::test]
async fn a_name_or_an_address_that_is_taken_is_named(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    let (there, other, new) = (ground.person().await, ground.person().await, Person::invent());
    let (upper, lower) = (there.username.to_uppercase(), there.email.to_lowercase());
    for (username, email, taken) in [
        (&upper, &new.email, &["username"][..]),
        (&new.username, &lower, &["email"]),
        (&there.username, &there.email, &["email", "username"]),
        (&there.username, &other.email, &["email", "username"]),
    ] {
        let answer = ground.client().register(username, email, PASSWORD).await;
        answer.assert_problem(409, "already_taken");
        assert_eq!(fields(&answer), taken, "{username} {email}");
    }
    // Each kept what they had, and nobody came to be.
    for person in [&there, &other] {
        assert_eq!(login(&ground, &person.username, &person.password).await.status, 200);
    }
    login(&ground, &new.username, PASSWORD).await.assert_problem(401, "invalid_credentials");
    login(&ground, &new.email, PASSWORD).await.assert_problem(401, "invalid_credentials");
}

#[rstest]
#[tokio::test]
async fn of_those_who_want_one_name_at_once_one_gets_it(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    let second = ground.stack.second_instance().await;
    let (wanted, clients) = (Person::invent(), [ground.client(), second.client()]);
    let rivals: Vec<_> = (0..10).map(|_| Person::invent()).collect();
    let answers = join_all(rivals.iter().enumerate().map(|(number, rival)| {
        let client = &clients[number % 2];
        // Half of them want the name, the other half the address.
        let names = if number < 5 { (&wanted.username, &rival.email) } else { (&rival.username, &wanted.email) };
        client.register(names.0, names.1, PASSWORD)
    }))
    .await;
    for (half, field) in [(&answers[..5], "username"), (&answers[5..], "email")] {
        assert_eq!(half.iter().filter(|answer| answer.status == 201).count(), 1, "{field}: {half:?}");
        for refused in half.iter().filter(|answer| answer.status != 201) {
            refused.assert_problem(409, "already_taken");
            assert_eq!(fields(refused), [field]);
        }
    }
}

#[rstest]
#[tokio::test]
async fn all_that_is_unacceptable_is_told_at_once(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    let answer = ground.client().register("a b", "nowhere", "short").await;
    answer.assert_problem(422, "validation_failed");
    let problem = answer.json();
    assert_eq!(
        problem["errors"],
        json!({
            "username": ["may have letters a to z, digits, and . _ - only"],
            "email": ["must be an e-mail address such as name@example.org"],
            "password": ["must be at least 8 characters long"],
        })
    );
}

#[rstest]
#[tokio::test]
async fn each_field_has_its_own_rules(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    let (client, good) = (ground.client(), Person::invent());
    let long = "n".repeat(33);
    for username in ["", "ab", &long, "name@example.test", "a name", " name", "name\n", "ñame", "na\u{0}me", "na/me"] {
        let answer = client.register(username, &good.email, PASSWORD).await;
        answer.assert_problem(422, "validation_failed");
        assert_eq!(fields(&answer), ["username"], "{username:?}");
    }
    let long = format!("{}@example.test", "n".repeat(250));
    for email in ["", "name", "name@", "@example.test", "name@localhost", "na me@example.test", "n@e.test\n", &long] {
        let answer = client.register(&good.username, email, PASSWORD).await;
        answer.assert_problem(422, "validation_failed");
        assert_eq!(fields(&answer), ["email"], "{email:?}");
    }
    for username in ["abc", "a.b_c-9", &"n".repeat(32)] {
        let email = format!("{}@example.test", Person::invent().username);
        assert_eq!(client.register(username, &email, PASSWORD).await.status, 201, "{username}");
    }
}

#[rstest]
#[tokio::test]
async fn a_password_is_taken_as_it_is_and_is_no_other(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    for (password, other) in acceptable_passwords() {
        let new = Person::invent();
        let answer = ground.client().register(&new.username, &new.email, &password).await;
        assert_eq!(answer.status, 201, "{password:?}: {answer:?}");
        assert!(!answer.body.contains(&password));
        assert_eq!(login(&ground, &new.username, &password).await.status, 200, "{password:?}");
        login(&ground, &new.username, &other).await.assert_problem(401, "invalid_credentials");
    }
}

#[rstest]
#[tokio::test]
async fn a_password_that_is_soon_guessed_is_refused_with_the_reason(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    let new = Person::invent();
    for (password, reason) in too_easy_passwords(&new) {
        let answer = ground.client().register(&new.username, &new.email, &password).await;
        answer.assert_problem(422, "validation_failed");
        assert_eq!(fields(&answer), ["password"], "{password:?}");
        let why = answer.json()["errors"]["password"][0].as_str().expect("a reason").to_owned();
        assert!(why.starts_with(reason), "{password:?}: {why}");
        assert!(password.len() < 2 || !answer.body.contains(&password), "{answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_body_that_is_no_registration_is_a_bad_request(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED]).await;
    let new = Person::invent();
    let (username, email) = (&new.username, &new.email);
    for body in [
        json!({}),
        json!({ "username": username, "email": email }),
        json!({ "username": username, "password": PASSWORD }),
        json!({ "email": email, "password": PASSWORD }),
        json!({ "username": username, "email": email, "password": null }),
        json!({ "username": username, "email": [email], "password": PASSWORD }),
        json!({ "username": 7, "email": email, "password": PASSWORD }),
        json!([username, email, PASSWORD]),
    ] {
        let answer = ground.client().post("/register", &body).answer().await;
        answer.assert_problem(400, "bad_request");
        assert!(!answer.body.contains(PASSWORD), "{answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn accounts_made_from_one_address_are_limited(#[values(Embedded, Distributed)] storage: Storage) {
    let limits = [ENABLED, ("RATE_LIMIT__ENABLED", "true"), ("RATE_LIMIT__ADDRESS_ATTEMPTS", "3")];
    let ground = Ground::start_with(storage, &limits).await;
    for _ in 0..3 {
        let new = Person::invent();
        assert_eq!(ground.client().register(&new.username, &new.email, PASSWORD).await.status, 201);
    }
    let new = Person::invent();
    // Whether a password will do takes some work to say, and is not said either.
    for password in [PASSWORD, "password123"] {
        let refused = ground.client().register(&new.username, &new.email, password).await;
        refused.assert_problem(429, "too_many_attempts");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    ground.stack.advance(chrono::TimeDelta::seconds(1));
    assert_eq!(ground.client().register(&new.username, &new.email, PASSWORD).await.status, 201);
}

#[rstest]
#[tokio::test]
async fn no_account_is_made_while_attempts_cannot_be_counted(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[ENABLED, ("RATE_LIMIT__ENABLED", "true")]).await;
    let new = Person::invent();
    ground.take_store_away().await;
    ground.client().register(&new.username, &new.email, PASSWORD).await.assert_unavailable();
    ground.give_store_back().await;
    assert_eq!(ground.client().register(&new.username, &new.email, PASSWORD).await.status, 201);
}
