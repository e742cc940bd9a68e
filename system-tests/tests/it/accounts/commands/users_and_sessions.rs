//! What each command does and prints.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::json;
use shared_claims::{Clock, SystemClock};
use system_tests::client::Tokens;
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};

use super::{DONE, NEW_PASSWORD, NOT_FOUND, PASSWORD, Scene, WRONG_USAGE, keys};

#[rstest]
#[tokio::test]
async fn a_user_is_added_and_listed(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let new = Person::invent();
    let (upper, input) = (new.username.to_uppercase(), format!("{PASSWORD}\n"));
    let added = scene.json(&["users", "add", &upper, &new.email, "--json"], &input).await;
    assert_eq!(keys(&added), BTreeSet::from(["createdAt", "disabled", "email", "id", "username"]));
    assert_eq!((&added["username"], &added["email"]), (&json!(new.username), &json!(new.email)));
    assert_eq!(scene.login(&new, PASSWORD).await, 200);
    let listed = scene.json(&["users", "list", "--json"], "").await;
    assert_eq!(listed, json!([added]));

    let other = Person::invent();
    let said = scene.run(DONE, &["users", "add", &other.username, &other.email], &input).await.stdout;
    assert!(said.contains(&other.username), "{said}");
    let listed = scene.run(DONE, &["users", "list"], "").await.stdout;
    for person in [&new, &other] {
        let line = listed.lines().find(|line| line.contains(&person.username)).expect("a line a user");
        assert!(line.contains(&person.email) && line.contains("enabled"), "{line}");
    }
    assert_eq!(listed.lines().count(), 2);
}

#[rstest]
#[tokio::test]
async fn a_password_is_one_line_of_standard_input_and_nothing_else(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    for (input, password) in [
        (PASSWORD.to_owned(), PASSWORD),
        (format!("{PASSWORD}\n"), PASSWORD),
        (format!("{PASSWORD}\r\n"), PASSWORD),
        (format!("{PASSWORD}\nand a line that nobody reads\n"), PASSWORD),
        ("  blanks at both ends  \n".to_owned(), "  blanks at both ends  "),
        ("zażółć gęślą jaźń 🦊\n".to_owned(), "zażółć gęślą jaźń 🦊"),
    ] {
        let new = Person::invent();
        scene.run(DONE, &["users", "add", &new.username, &new.email], &input).await;
        assert_eq!(scene.login(&new, password).await, 200, "{input:?}");
    }

    let new = Person::invent();
    let (name, email) = (new.username.as_str(), new.email.as_str());
    for arguments in [
        &["users", "add", name, email, "a password as an argument"][..],
        &["users", "add", name, email, "--password", "a password as an argument"],
        &["users", "add", name, email, "--password=a password as an argument"],
        &["users", "add", name, email, "-p", "a password as an argument"],
        &["users", "set-password", name, "a password as an argument"],
        &["users", "set-password", name, "--password", "a password as an argument"],
    ] {
        scene.run(WRONG_USAGE, arguments, &format!("{PASSWORD}\n")).await;
    }
    assert_eq!(scene.login(&new, "a password as an argument").await, 401);
    assert_eq!(scene.login(&new, PASSWORD).await, 401);
}

#[rstest]
#[tokio::test]
async fn a_user_is_disabled_enabled_given_a_password_and_deleted_by_any_name(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let scene = Scene::open(storage).await;
    let (client, person) = (scene.client(), scene.add().await);
    let (id, upper, lower) = (person.id.to_string(), person.username.to_uppercase(), person.email.to_lowercase());
    let disabled = async || {
        let listed = scene.json(&["users", "list", "--json"], "").await;
        listed[0]["disabled"].as_bool().expect("a switch")
    };

    let tokens = client.login(&person).await;
    scene.run(DONE, &["users", "disable", &upper], "").await;
    assert!(disabled().await);
    assert_eq!(scene.login(&person, PASSWORD).await, 401);
    client.current_user(&tokens.access_token).await.assert_problem(401, "access_token_revoked");
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("user_disabled"));
    // Once more is no error.
    scene.run(DONE, &["users", "disable", &id], "").await;
    scene.run(DONE, &["users", "enable", &lower], "").await;
    assert!(!disabled().await);

    let tokens = client.login(&person).await;
    scene.run(DONE, &["users", "set-password", &id], &format!("{NEW_PASSWORD}\n")).await;
    client.refresh(&tokens.refresh_token).await.assert_session_ended(Some("password_changed"));
    assert_eq!((scene.login(&person, PASSWORD).await, scene.login(&person, NEW_PASSWORD).await), (401, 200));

    scene.run(DONE, &["users", "delete", &lower], "").await;
    assert_eq!(scene.login(&person, NEW_PASSWORD).await, 401);
    assert_eq!(scene.json(&["users", "list", "--json"], "").await, json!([]));
    // The name is free again, for somebody else.
    let input = format!("{PASSWORD}\n");
    let added = scene.json(&["users", "add", &person.username, &person.email, "--json"], &input).await;
    assert_ne!(added["id"], json!(id));
}

#[rstest]
#[tokio::test]
async fn to_enable_somebody_who_is_enabled_ends_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let (client, person) = (scene.client(), scene.add().await);
    let tokens = client.login(&person).await;
    scene.run(DONE, &["users", "enable", &person.username], "").await;
    assert_eq!(client.current_user(&tokens.access_token).await.status, 200);
    assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn sessions_are_listed_and_ended_by_an_operator(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let (client, person) = (scene.client(), scene.site.person(SystemClock.now()).await);
    let [phone, laptop, tablet] = [
        client.login_on(&person, "phone").await,
        client.login_on(&person, "laptop").await,
        client.login_on(&person, "tablet").await,
    ]
    .map(|signed_in| signed_in.tokens);
    let name = person.username.as_str();
    let listed = scene.json(&["sessions", "list", name, "--json"], "").await;
    let listed = listed.as_array().expect("an array");
    assert_eq!(listed.iter().map(|line| &line["deviceName"]).collect::<Vec<_>>(), ["tablet", "laptop", "phone"]);
    for (line, tokens) in listed.iter().zip([&tablet, &laptop, &phone]) {
        let told = BTreeSet::from(["createdAt", "deviceName", "expiresAt", "id", "ipAddress", "lastUsedAt"]);
        assert_eq!((keys(line), &line["id"]), (told, &json!(tokens.session_id)));
    }
    let lines = scene.run(DONE, &["sessions", "list", &person.email], "").await.stdout;
    assert!(lines.lines().count() == 3 && lines.contains("phone") && lines.contains("127.0.0.1"), "{lines}");

    let (of_phone, of_laptop) = (phone.session_id.to_string(), laptop.session_id.to_string());
    let said = scene.run(DONE, &["sessions", "end", name, &of_phone], "").await.stdout;
    assert!(said.contains(&of_phone) && !said.contains(&of_laptop), "{said}");
    client.refresh(&phone.refresh_token).await.assert_session_ended(Some("admin"));
    scene.run(NOT_FOUND, &["sessions", "end", name, &of_phone], "").await;
    assert_eq!(client.refresh(&laptop.refresh_token).await.status, 200);

    let said = scene.run(DONE, &["sessions", "end", &person.id.to_string(), "--all"], "").await.stdout;
    assert!(said.contains(&of_laptop) && said.contains(&tablet.session_id.to_string()), "{said}");
    client.refresh(&tablet.refresh_token).await.assert_session_ended(Some("admin"));
    assert_eq!(scene.json(&["sessions", "list", name, "--json"], "").await, json!([]));
    // There is none left, which is what was asked for.
    scene.run(DONE, &["sessions", "end", name, "--all"], "").await;
}

#[rstest]
#[tokio::test]
async fn each_change_is_told_as_json_where_that_is_asked_for(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let (client, person) = (scene.client(), scene.add().await);
    let (name, input) = (person.username.as_str(), format!("{NEW_PASSWORD}\n"));
    let mut user = scene.json(&["users", "list", "--json"], "").await[0].clone();
    for (command, disabled) in [("disable", true), ("disable", true), ("enable", false), ("set-password", false)] {
        let told = scene.json(&["users", command, name, "--json"], &input).await;
        user["disabled"] = json!(disabled);
        assert_eq!(told, user, "{command}");
    }

    let person = Person { password: NEW_PASSWORD.to_owned(), ..person.clone() };
    let [phone, laptop] =
        [client.login_on(&person, "phone").await, client.login_on(&person, "laptop").await].map(|login| login.tokens);
    let ended = |tokens: &Tokens, name: &str| json!([{ "id": tokens.session_id, "deviceName": name }]);
    let id = phone.session_id.to_string();
    assert_eq!(scene.json(&["sessions", "end", name, &id, "--json"], "").await, ended(&phone, "phone"));
    assert_eq!(scene.json(&["sessions", "end", name, "--all", "--json"], "").await, ended(&laptop, "laptop"));
    assert_eq!(scene.json(&["sessions", "end", name, "--all", "--json"], "").await, json!([]));
    scene.run(NOT_FOUND, &["sessions", "end", name, &id, "--json"], "").await;

    assert_eq!(scene.json(&["users", "delete", name, "--json"], "").await, user);
    assert_eq!(scene.json(&["users", "list", "--json"], "").await, json!([]));
}
