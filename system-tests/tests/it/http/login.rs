//! `POST /login`: who gets in, and what they get. Which bodies are refused is told in `login_bodies`, how many sessions a user may
//! have in `session_limit`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use shared_claims::{AccessClaims, Clock, KeyHandle, KeyRing, Verifier, VerifierSettings};
use system_tests::client::{Answered, Tokens};
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::parts;

fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[rstest]
#[tokio::test]
async fn a_login_answers_the_user_and_their_first_tokens(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let answer = stack.client().try_login(&person.credentials()).await;
    let body: Value = answer.read(200);
    assert_eq!(
        names(&body),
        BTreeSet::from([
            "user",
            "accessToken",
            "refreshToken",
            "tokenType",
            "expiresIn",
            "refreshExpiresIn",
            "sessionId",
            "endedSessions"
        ])
    );
    assert_eq!(
        body["user"],
        json!({
            "id": person.id,
            "email": person.email,
            "username": person.username,
            "createdAt": "2030-03-17T17:46:40.250Z",
        })
    );
    assert_eq!(body["tokenType"], "Bearer");
    assert_eq!((&body["expiresIn"], &body["refreshExpiresIn"]), (&json!(900), &json!(2_592_000)));
    assert_eq!(body["endedSessions"], json!([]));
}

#[rstest]
#[tokio::test]
async fn the_access_token_says_who_the_user_is_and_nothing_secret(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let tokens = stack.client().login(&person).await;
    let (header, claims) = parts(&tokens.access_token);
    assert_eq!(names(&header), BTreeSet::from(["alg", "typ", "kid"]));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("at+jwt")));
    assert_eq!(names(&claims), BTreeSet::from(["iss", "aud", "sub", "iat", "exp", "jti", "sid", "user"]));
    assert_eq!(claims["aud"], json!(["auth-service", "jobs-service"]));
    assert_eq!(claims["sid"], json!(tokens.session_id));
    assert_eq!(claims["user"], json!({ "id": person.id, "email": person.email, "username": person.username }));
    let now = stack.clock.now().timestamp();
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 900)));
}

#[rstest]
#[tokio::test]
async fn the_refresh_token_begins_a_chain_with_a_random_value_that_no_access_token_has(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let tokens = stack.client().login(&stack.person().await).await;
    let (header, claims) = parts(&tokens.refresh_token);
    assert_eq!(names(&header), BTreeSet::from(["alg", "typ", "kid"]));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("rt+jwt")));
    assert_eq!(names(&claims), BTreeSet::from(["iss", "aud", "sub", "iat", "exp", "jti", "sid", "gen"]));
    assert_eq!((&claims["aud"], &claims["gen"]), (&json!(["auth-service"]), &json!(0)));
    assert_eq!(claims["sid"], json!(tokens.session_id));
    let now = stack.clock.now().timestamp();
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 2_592_000)));

    let (random, generation) = claims["jti"].as_str().and_then(|jti| jti.split_once('.')).expect("RANDOM.GENERATION");
    assert_eq!((random.len(), generation), (22, "0"));
    assert!(!parts(&tokens.access_token).1.to_string().contains(random));
}

#[rstest]
#[tokio::test]
async fn every_service_named_in_the_audience_takes_the_access_token_by_itself(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start_with(storage, &[("TOKENS__AUDIENCE", "auth-service, billing, stock")]).await;
    let person = stack.person().await;
    let tokens = stack.client().login(&person).await;
    for service in ["auth-service", "billing", "stock"] {
        assert_eq!(verify(&stack, service, &tokens).map(|claims| claims.sub), Some(person.id), "{service}");
    }
    assert_eq!(verify(&stack, "jobs-service", &tokens), None);
}

fn verify(stack: &Stack, service: &str, tokens: &Tokens) -> Option<Arc<AccessClaims>> {
    let keys = KeyHandle::new(KeyRing::new(&stack.site.secrets.access, &[]).expect("a good secret"));
    let settings = VerifierSettings { issuer: "latchkey".into(), audience: service.into(), leeway: Duration::ZERO };
    let verifier = Verifier::new(keys, settings, Arc::new(stack.clock.clone())).expect("good settings");
    verifier.verify(&tokens.access_token).ok()
}

#[rstest]
#[tokio::test]
async fn a_user_logs_in_by_name_or_by_address_in_any_case(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    for name in [&person.username, &person.username.to_uppercase(), &person.email, &person.email.to_lowercase()]
        .map(String::as_str)
    {
        let answer = stack.client().try_login(&json!({ "username": name, "password": person.password })).await;
        assert_eq!(answer.read::<Value>(200)["user"]["id"], json!(person.id), "{name}");
    }
}

#[rstest]
#[tokio::test]
async fn an_unknown_user_a_wrong_password_and_a_disabled_user_answer_alike(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let (person, disabled) = (stack.person().await, stack.person().await);
    stack.site.stores.users.set_disabled(disabled.id, true).await.expect("the database works");
    let client = stack.client();
    let wrong = json!({ "username": person.username, "password": "not the password" });

    let first = client.try_login(&Person::invent().credentials()).await;
    first.assert_problem(401, "invalid_credentials");
    for other in [wrong, disabled.credentials()] {
        let other = client.try_login(&other).await;
        assert_eq!((other.status, &other.body), (first.status, &first.body));
        assert!(other.headers.keys().eq(first.headers.keys()), "{other:?} against {first:?}");
    }
    assert_eq!(client.try_login(&person.credentials()).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_password_is_taken_verbatim(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let password = &person.password;
    for near in [
        format!(" {password}"),
        format!("{password} "),
        format!("{password}\n"),
        format!("{password}\0"),
        password.to_uppercase(),
        password.replace(' ', "  "),
        password[..password.len() - 1].to_owned(),
        password.replace('o', "\u{43e}"),
        String::new(),
        "x".repeat(10_000),
    ] {
        let answer = stack.client().try_login(&json!({ "username": person.username, "password": near })).await;
        answer.assert_problem(401, "invalid_credentials");
    }
}

#[rstest]
#[tokio::test]
async fn a_name_that_no_user_can_have_is_like_any_other_wrong_one(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    stack.person().await;
    let long = "x".repeat(10_000);
    for name in ["", " ", "\0", "a\0b", "%", "_", "' OR 1=1 --", "\u{130}\u{fffd}", "*", &long] {
        let answer = stack.client().try_login(&json!({ "username": name, "password": "whatever it is" })).await;
        answer.assert_problem(401, "invalid_credentials");
    }
}

#[rstest]
#[tokio::test]
async fn each_login_is_a_session_of_its_own(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let (first, second) = (client.login(&person).await, client.login(&person).await);
    assert_ne!(first.session_id, second.session_id);
    assert_ne!(first.refresh_token, second.refresh_token);
    for tokens in [first, second] {
        assert_eq!(client.refresh(&tokens.refresh_token).await.tokens().session_id, tokens.session_id);
    }
}

#[rstest]
#[tokio::test]
async fn lifetimes_and_issuer_are_settings(#[values(Embedded, Distributed)] storage: Storage) {
    let settings =
        [("TOKENS__ACCESS_TTL", "90s"), ("TOKENS__REFRESH_TTL", "2h"), ("TOKENS__ISSUER", "https://id.test")];
    let stack = Stack::start_with(storage, &settings).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    assert_eq!((tokens.expires_in, tokens.refresh_expires_in), (90, 7_200));
    for (token, lifetime) in [(&tokens.access_token, 90), (&tokens.refresh_token, 7_200)] {
        let (_, claims) = parts(token);
        assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(lifetime));
        assert_eq!(claims["iss"], "https://id.test");
    }
    assert_eq!(client.current_user(&tokens.access_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn demo_users_log_in_with_their_public_passwords(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start_with(storage, &[("DEMO", "true")]).await;
    for (name, id) in [("ada", 1), ("grace", 2), ("linus", 3)] {
        let body = json!({ "username": name, "password": format!("latchkey-demo-{name}") });
        let answer: Value = stack.client().post("/login", &body).answer().await.read(200);
        assert_eq!(answer["user"]["id"], format!("10000000-0000-4000-8000-00000000000{id}"));
        assert_eq!(answer["user"]["email"], format!("{name}@example.test"));
    }
}
