//! What is on every response: a request id, `nosniff`, `no-store`, and an answer even where a handler panics.

use uuid::Uuid;

use crate::support::{Answer, answer, start};

#[track_caller]
fn assert_stamped(answer: &Answer, id: &str) {
    assert_eq!(answer.header("x-request-id"), Some(id), "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
}

#[tokio::test]
async fn every_answer_carries_the_callers_id_and_is_neither_guessed_at_nor_kept() {
    let service = start();
    for (method, path, status) in [
        ("GET", "/echo", 200),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 200),
        ("GET", "/nothing", 404),
        ("GET", "/api/kit/nothing", 404),
        ("DELETE", "/echo", 405),
        ("POST", "/echo", 415),
        ("GET", "/search?limit=x", 400),
        ("GET", "/failing", 503),
        ("GET", "/panic", 503),
    ] {
        let answered = answer(service.request(method, path).header("x-request-id", "a.B_9-z")).await;
        assert_eq!(answered.status, status, "{method} {path}");
        assert_stamped(&answered, "a.B_9-z");
    }
    let too_large = service.request("POST", "/echo").header("content-type", "application/json");
    let too_large = answer(too_large.header("x-request-id", "large").body(" ".repeat(17 * 1024))).await;
    too_large.assert_problem(413, "payload_too_large");
    assert_stamped(&too_large, "large");
}

#[tokio::test]
async fn an_id_that_is_not_sane_is_replaced() {
    let service = start();
    let longest = "a".repeat(64);
    assert_stamped(&answer(service.get("/echo").header("x-request-id", &longest)).await, &longest);
    for id in ["", "a b", "a\tb", "é", "a/b", "{}", &"a".repeat(65)] {
        let answered = answer(service.get("/echo").header("x-request-id", id)).await;
        let new = answered.header("x-request-id").expect("an id");
        assert!(Uuid::parse_str(new).is_ok(), "{id:?} became {new:?}");
    }
}

#[tokio::test]
async fn each_request_without_an_id_gets_its_own() {
    let service = start();
    let (one, other) = (answer(service.get("/echo")).await, answer(service.get("/echo")).await);
    let id = |answer: &Answer| Uuid::parse_str(answer.header("x-request-id").expect("an id")).expect("a UUID");
    assert_ne!(id(&one), id(&other));
}

#[tokio::test]
async fn a_panic_is_answered_as_unavailable_and_the_service_lives_on() {
    let service = start();
    for _ in 0..8 {
        let answered = answer(service.get("/panic")).await;
        answered.assert_problem(503, "unavailable");
        assert_eq!(answered.header("retry-after"), Some("1"));
        assert!(!answered.body.contains("own text"));
    }
    assert_eq!(answer(service.get("/echo")).await.status, 200);
}

#[tokio::test]
async fn retry_after_is_never_less_than_a_second() {
    let service = start();
    let answered = answer(service.get("/failing")).await;
    answered.assert_problem(503, "unavailable");
    assert_eq!(answered.header("retry-after"), Some("1"));
}
