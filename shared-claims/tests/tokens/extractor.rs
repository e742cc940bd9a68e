//! The `Caller` in a handler's signature: which headers let a request in, and what the others are told.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{StatusCode, header};
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, HttpResponse, ResponseError, web};
use chrono::TimeDelta;
use serde_json::{Value, json};
use shared_claims::{AccessRefused, Caller, InvalidReason};

use crate::support::{House, key_handle, verifier};

async fn who(caller: Caller) -> HttpResponse {
    assert_eq!(caller.claims().user, *caller.user());
    HttpResponse::Ok()
        .json(json!({ "user": caller.user_id(), "session": caller.session_id(), "name": caller.user().username }))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

async fn call(house: &House, request: TestRequest) -> Answer {
    let verifier = verifier(key_handle(&house.access_secret), Duration::ZERO, Arc::new(house.clock.clone()));
    let app = init_service(App::new().app_data(web::Data::new(verifier)).route("/", web::get().to(who))).await;
    let response = call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: read_body_json(response).await }
}

async fn call_with(house: &House, values: &[&[u8]]) -> Answer {
    let mut request = TestRequest::get().uri("/");
    for value in values {
        request = request.append_header((AUTHORIZATION, HeaderValue::from_bytes(value).unwrap()));
    }
    call(house, request).await
}

#[track_caller]
fn assert_refused(answer: &Answer, code: &str, challenge: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header(WWW_AUTHENTICATE), challenge);
    assert_eq!(answer.header(CONTENT_TYPE), "application/problem+json");
    assert_eq!(answer.body["code"], code);
    assert_eq!(answer.body["type"], format!("urn:latchkey:problem:{code}"));
    assert_eq!(answer.body["status"], 401);
    assert!(answer.body["title"].is_string() && answer.body["detail"].is_string());
    assert_eq!(answer.body.as_object().unwrap().len(), 5);
}

#[track_caller]
fn assert_missing(answer: &Answer) {
    assert_refused(answer, "access_token_missing", r#"Bearer realm="latchkey""#);
}

#[track_caller]
fn assert_invalid(answer: &Answer, reason: InvalidReason) {
    let challenge = format!(r#"Bearer realm="latchkey", error="invalid_token", error_description="{reason}""#);
    assert_refused(answer, "access_token_invalid", &challenge);
}

#[actix_web::test]
async fn a_good_token_tells_who_calls() {
    let house = House::new();
    let token = house.access_token();
    let answer = call_with(&house, &[format!("Bearer {token}").as_bytes()]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, json!({ "user": house.user.id, "session": house.session_id, "name": "ada" }));
}

#[actix_web::test]
async fn the_scheme_may_be_in_any_case_and_followed_by_more_than_one_space() {
    let house = House::new();
    let token = house.access_token();
    for before in ["bearer ", "BEARER ", "bEaReR ", "Bearer   "] {
        let answer = call_with(&house, &[format!("{before}{token}").as_bytes()]).await;
        assert_eq!(answer.status, StatusCode::OK, "{before:?}");
    }
}

#[actix_web::test]
async fn no_bearer_token_is_a_missing_one() {
    let house = House::new();
    let token = house.access_token();
    assert_missing(&call_with(&house, &[]).await);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer    ",
        "Basic YWRhOmFkYQ==",
        "Token abc",
        "Bearerabc",
        &token,
        &format!("DPoP {token}"),
    ] {
        assert_missing(&call_with(&house, &[value.as_bytes()]).await);
    }
}

#[actix_web::test]
async fn a_malformed_header_is_an_invalid_token() {
    let house = House::new();
    let good = format!("Bearer {}", house.access_token());
    let good = good.as_bytes();
    let malformed: [&[&[u8]]; 7] = [
        &[good, good],
        &[good, b"Basic YWRhOmFkYQ=="],
        &[b"Basic YWRhOmFkYQ==", good],
        &[b"Bearer a b"],
        &[b"Bearer a.b.c d"],
        &[b"Bearer caf\xc3\xa9"],
        &[b"Bearer a\tb"],
    ];
    for values in malformed {
        assert_invalid(&call_with(&house, values).await, InvalidReason::AuthorizationHeader);
    }
}

#[actix_web::test]
async fn a_token_that_is_no_good_is_told_why_and_not_repeated() {
    let house = House::new();
    let cases = [
        ("abc".to_owned(), InvalidReason::Malformed),
        (house.refresh_token(), InvalidReason::TokenType),
        (house.with_claims(json!({ "aud": ["auth-service"] })), InvalidReason::Audience),
        ("A".repeat(9_000), InvalidReason::TooLarge),
        (format!("{}\"", house.access_token()), InvalidReason::Signature),
        (format!("{0}, Bearer {0}", house.access_token()).replace(' ', ""), InvalidReason::Malformed),
    ];
    for (token, reason) in cases {
        let answer = call_with(&house, &[format!("Bearer {token}").as_bytes()]).await;
        assert_invalid(&answer, reason);
        assert!(!answer.body.to_string().contains(&token));
    }
}

#[actix_web::test]
async fn an_expired_token_is_told_so() {
    let house = House::new();
    let token = house.access_token();
    house.clock.advance(TimeDelta::seconds(900));
    let answer = call_with(&house, &[format!("Bearer {token}").as_bytes()]).await;
    let challenge = r#"Bearer realm="latchkey", error="invalid_token", error_description="the token has expired""#;
    assert_refused(&answer, "access_token_expired", challenge);
}

#[actix_web::test]
async fn a_revoked_token_is_a_401_with_its_own_code() {
    let response = AccessRefused::Revoked.error_response();
    let answer = Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body: serde_json::from_slice(&response.into_body().try_into_bytes().unwrap()).unwrap(),
    };
    let challenge =
        r#"Bearer realm="latchkey", error="invalid_token", error_description="the session of the token has ended""#;
    assert_refused(&answer, "access_token_revoked", challenge);
}

#[actix_web::test]
async fn only_the_authorization_header_counts() {
    let house = House::new();
    let token = house.access_token();
    let elsewhere = TestRequest::get()
        .uri(&format!("/?access_token={token}"))
        .append_header(("Cookie", format!("access_token={token}")))
        .append_header(("X-Access-Token", token.clone()))
        .append_header(("Proxy-Authorization", format!("Bearer {token}")))
        .set_payload(format!("access_token={token}"));
    assert_missing(&call(&house, elsewhere).await);
}

#[actix_web::test]
async fn an_application_without_a_verifier_is_our_failure() {
    let house = House::new();
    let app = init_service(App::new().route("/", web::get().to(who))).await;
    let request = TestRequest::get().append_header((AUTHORIZATION, format!("Bearer {}", house.access_token())));
    let response = call_service(&app, request.to_request()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(RETRY_AFTER));
    assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/problem+json");
    let body: Value = read_body_json(response).await;
    assert_eq!(body["code"], "unavailable");
}

#[actix_web::test]
async fn a_refused_token_is_logged_by_its_reason_alone() {
    let house = House::new();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let token = house.with_claims(json!({ "iss": "other" }));
    // For the whole process, since tracing caches whether anyone listens across threads; the other tests log other reasons.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    assert_invalid(&call_with(&house, &[format!("Bearer {token}").as_bytes()]).await, InvalidReason::Issuer);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains(&InvalidReason::Issuer.to_string()), "{log}");
    assert!(token.split('.').all(|segment| !log.contains(segment)), "{log}");
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// RFC 6750 §3 allows these characters in `error_description` and no others.
#[test]
fn every_reason_can_stand_in_a_challenge() {
    for reason in [
        InvalidReason::AuthorizationHeader,
        InvalidReason::TooLarge,
        InvalidReason::Malformed,
        InvalidReason::Header,
        InvalidReason::Algorithm,
        InvalidReason::TokenType,
        InvalidReason::UnknownKey,
        InvalidReason::Signature,
        InvalidReason::Claims,
        InvalidReason::DuplicateMember,
        InvalidReason::Issuer,
        InvalidReason::Audience,
        InvalidReason::Subject,
        InvalidReason::Lifetime,
        InvalidReason::IssuedInTheFuture,
        InvalidReason::NotYetValid,
    ] {
        let text = reason.to_string();
        assert!(text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{text}");
    }
}
