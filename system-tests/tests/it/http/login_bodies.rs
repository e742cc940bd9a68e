//! `POST /login`: what is refused before anybody's password is looked at, and what is let through.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use system_tests::client::Answered;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

fn merged(mut body: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    body.as_object_mut().expect("an object").extend(changes);
    body
}

#[rstest]
#[tokio::test]
async fn a_field_that_is_missing_or_of_the_wrong_type_is_a_bad_request_that_names_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    for (field, bodies) in [
        ("username", vec![json!({ "password": person.password })]),
        ("password", vec![json!({ "username": person.username })]),
    ] {
        let wrong = [json!(null), json!(7), json!(true), json!(["x"]), json!({ "x": "y" })];
        let wrong = wrong.map(|value| merged(person.credentials(), json!({ field: value })));
        for body in bodies.into_iter().chain(wrong) {
            let detail = stack.client().try_login(&body).await.assert_problem(400, "bad_request");
            assert!(detail.contains(&format!("`{field}`")), "{body}: {detail}");
        }
    }
    for field in ["fingerprint", "deviceName"] {
        for value in [json!(7), json!(["x"]), json!({}), json!(false)] {
            let body = merged(person.credentials(), json!({ field: value }));
            let detail = stack.client().try_login(&body).await.assert_problem(400, "bad_request");
            assert!(detail.contains(&format!("`{field}`")), "{body}: {detail}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn values_that_are_not_acceptable_are_all_named_at_once(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let body = merged(person.credentials(), json!({ "fingerprint": "x".repeat(513), "deviceName": "é".repeat(65) }));
    let answer = stack.client().try_login(&body).await;
    answer.assert_problem(422, "validation_failed");
    for field in ["fingerprint", "deviceName"] {
        let messages = &answer.json()["errors"][field];
        assert!(messages[0].as_str().is_some_and(|message| message.starts_with("must be at most")), "{answer:?}");
    }

    let body = merged(person.credentials(), json!({ "deviceName": "a\nb" }));
    let answer = stack.client().try_login(&body).await;
    answer.assert_problem(422, "validation_failed");
    assert_eq!(answer.json()["errors"].as_object().map(serde_json::Map::len), Some(1), "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn the_longest_fingerprint_and_device_name_are_taken(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let fingerprint = "é".repeat(512);
    let body =
        merged(person.credentials(), json!({ "fingerprint": fingerprint, "deviceName": "\u{1f511}".repeat(64) }));
    let answer: Value = stack.client().try_login(&body).await.read(200);
    let token = answer["refreshToken"].as_str().expect("a token");
    assert_eq!(stack.client().refresh_from(token, &fingerprint).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn an_optional_field_that_is_null_or_empty_is_as_if_it_were_not_there(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    for absent in [json!(null), json!("")] {
        let body = merged(person.credentials(), json!({ "fingerprint": absent, "deviceName": absent }));
        let answer: Value = stack.client().try_login(&body).await.read(200);
        let token = answer["refreshToken"].as_str().expect("a token");
        assert_eq!(stack.client().refresh(token).await.status, 200);
    }
}

#[rstest]
#[tokio::test]
async fn unknown_fields_are_ignored(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let body = merged(person.credentials(), json!({ "admin": true, "id": "x", "userId": null, "gen": 7 }));
    let answer: Value = stack.client().try_login(&body).await.read(200);
    assert_eq!(answer["user"]["id"], json!(person.id));
}

#[rstest]
#[tokio::test]
async fn credentials_anywhere_but_in_the_body_do_not_count(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let query = format!("/login?username={}&password={}", person.username, person.password.replace(' ', "%20"));
    stack.client().post(&query, &json!({})).answer().await.assert_problem(400, "bad_request");
    let basic = stack.client().post("/login", &json!({})).basic_auth(&person.username, Some(&person.password));
    basic.answer().await.assert_problem(400, "bad_request");
    let form =
        stack.client().request(Method::POST, "/login").header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(format!("username={}&password=x", person.username));
    form.answer().await.assert_problem(415, "unsupported_media_type");
}
