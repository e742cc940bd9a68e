//! No error tells a secret: each is sent in every place where it does not belong, and looked for in what comes back.

use reqwest::{Method, RequestBuilder};
use rstest::rstest;
use serde_json::json;
use system_tests::client::{Answer, Answered, Client};
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

/// Words that only the inside of a service has.
const INSIDES: [&str; 14] = [
    "SELECT",
    "INSERT",
    "UPDATE users",
    "sqlite",
    "SQLite",
    "postgres",
    "redis",
    "latchkey:{",
    "src/",
    ".rs",
    "panicked",
    "/tmp",
    "argon2",
    "serde",
];

fn assert_tells_nothing(answer: &Answer, secrets: &[String]) {
    let all = format!("{:?} {}", answer.headers, answer.body);
    assert!(answer.status >= 400, "{answer:?}");
    for secret in secrets.iter().map(String::as_str).chain(INSIDES) {
        assert!(!all.contains(secret), "{secret} is told: {answer:?}");
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"))
}

/// Requests to one path with a secret in every wrong place.
fn misplaced(client: &Client, path: &str, secret: &str) -> Vec<RequestBuilder> {
    let post = || client.request(Method::POST, path).header("content-type", "application/json");
    let encoded = percent_encoded(secret);
    let quoted = json!(secret).to_string();
    vec![
        post().body(format!("{{\"password\":{quoted}")),
        post().body(format!("{{\"password\":{quoted},}}")),
        post().body(secret.to_owned()),
        post().body(quoted.clone()),
        post().body(format!("[{quoted}]")),
        post().body(format!("{{{quoted}:1}}")),
        post().body(format!("{{\"username\":[{quoted}],\"refreshToken\":[{quoted}],\"password\":[{quoted}]}}")),
        post().body(format!("{{\"username\":\"a\",\"password\":{{\"x\":{quoted}}},\"refreshToken\":{{\"x\":{quoted}}}}}")),
        post().body(format!("{{\"username\":\"a\",\"password\":\"b\",\"refreshToken\":\"c\",\"fingerprint\":[{quoted}],\"refreshToken\":{quoted}}}")),
        client.request(Method::POST, path).header("content-type", "text/plain").body(secret.to_owned()),
        client.request(Method::POST, path).header("content-type", encoded.clone()).body("{}"),
        client.get(&format!("{path}?password={encoded}&refreshToken={encoded}")),
        client.get(&format!("{path}/{encoded}")),
        client.get(&format!("/{encoded}")),
        client.request(Method::PUT, path).json(&json!({ "password": secret })),
        client.post(path, &json!({ "username": 7 })).header("Idempotency-Key", &encoded),
        client.post(path, &json!({ "username": secret, "password": 7, "refreshToken": 7 })),
    ]
}

async fn secrets_of(stack: &Stack, person: &Person) -> Vec<String> {
    let tokens = stack.client().login(person).await;
    vec![person.password.clone(), tokens.refresh_token, tokens.access_token, "a fingerprint of this device".to_owned()]
}

#[rstest]
#[tokio::test]
async fn no_error_tells_a_secret_that_was_sent_to_the_wrong_place(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let secrets = secrets_of(&stack, &person).await;
    for path in ["/login", "/refresh-token", "/logout", "/current-user", "/nowhere"] {
        for secret in &secrets {
            for request in misplaced(&stack.client(), path, secret) {
                assert_tells_nothing(&request.answer().await, &secrets);
            }
        }
    }
}

#[rstest]
#[tokio::test]
async fn no_refusal_repeats_the_credentials_that_it_refuses(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let secrets = secrets_of(&stack, &person).await;
    let (refresh_token, access_token) = (&secrets[1], &secrets[2]);
    let client = stack.client();
    client.refresh(refresh_token).await.tokens();
    let wrong = json!({ "username": person.username, "password": person.password.to_uppercase() });
    let long =
        json!({ "username": person.username, "password": person.password, "fingerprint": secrets[3].repeat(40) });
    for answer in [
        client.try_login(&wrong).await,
        client.try_login(&long).await,
        client.refresh(refresh_token).await,
        client.refresh(refresh_token).await,
        client.refresh(&format!("{refresh_token}x")).await,
        client.refresh(access_token).await,
        client.current_user(&format!("{access_token}x")).await,
        client.current_user(refresh_token).await,
        client.get("/current-user").basic_auth(&person.username, Some(&person.password)).answer().await,
    ] {
        assert_tells_nothing(&answer, &secrets);
        assert!(!answer.body.contains(&person.password.to_uppercase()), "{answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn no_answer_of_jobs_service_tells_a_secret(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let jobs_client = jobs.client();
    let person = stack.person().await;
    let secrets = secrets_of(&stack, &person).await;
    let access_token = &secrets[2];
    for secret in &secrets {
        for path in ["/jobs", "/job-list", "/nowhere"] {
            for request in misplaced(&jobs_client, path, secret) {
                assert_tells_nothing(&request.answer().await, &secrets);
            }
        }
        for body in [json!({ "title": [secret] }), json!({ secret: secret }), json!({ "title": "x", "status": secret })]
        {
            let answer = jobs_client.post("/jobs", &body).bearer_auth(access_token).answer().await;
            assert_tells_nothing(&answer, &secrets);
        }
        let encoded = percent_encoded(secret);
        for query in
            [format!("/job-list?limit={encoded}"), format!("/job-list?after={encoded}"), format!("/jobs/{encoded}")]
        {
            assert_tells_nothing(&jobs_client.get(&query).bearer_auth(access_token).answer().await, &secrets);
        }
    }
}
