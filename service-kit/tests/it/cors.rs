//! Pages of other origins.

use service_kit::health::Health;

use crate::support::{Answer, Service, answer, config, start, start_with};

const ORIGIN: &str = "https://app.example.test";

fn start_for_origin() -> Service {
    let mut config = config();
    config.allowed_origins = vec![ORIGIN.to_owned(), "http://localhost:4200".to_owned()];
    start_with(&config, Health::new("kit"))
}

async fn preflight(service: &Service, origin: &str, method: &str, headers: &str) -> Answer {
    let ask = service.request("OPTIONS", "/echo").header("origin", origin);
    answer(ask.header("access-control-request-method", method).header("access-control-request-headers", headers)).await
}

/// The items of a header that is a list, in lower case and in order of the alphabet.
fn items(answer: &Answer, name: &str) -> Vec<String> {
    let list = answer.header(name).unwrap_or_default().to_lowercase();
    let mut items: Vec<_> = list.split(',').map(|item| item.trim().to_owned()).collect();
    items.sort();
    items
}

#[tokio::test]
async fn without_origins_there_are_no_cors_headers() {
    let service = start();
    let got = answer(service.get("/echo").header("origin", ORIGIN)).await;
    let asked = preflight(&service, ORIGIN, "POST", "authorization").await;
    asked.assert_problem(405, "method_not_allowed");
    for answer in [got, asked] {
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{answer:?}");
        assert_eq!(answer.header("vary"), None);
    }
}

#[tokio::test]
async fn a_preflight_of_an_allowed_origin_is_told_methods_and_headers() {
    let service = start_for_origin();
    for method in ["GET", "POST", "PUT", "DELETE"] {
        let asked = preflight(&service, ORIGIN, method, "authorization, content-type, idempotency-key").await;
        assert_eq!(asked.status, 200, "{asked:?}");
        assert_eq!(asked.header("access-control-allow-origin"), Some(ORIGIN));
        assert_eq!(items(&asked, "access-control-allow-methods"), ["delete", "get", "head", "post", "put"]);
        let headers = ["authorization", "content-type", "idempotency-key"];
        assert_eq!(items(&asked, "access-control-allow-headers"), headers);
        assert_eq!(asked.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn an_answer_exposes_what_a_page_needs() {
    let service = start_for_origin();
    for path in ["/echo", "/nothing", "/failing", "/panic"] {
        let got = answer(service.get(path).header("origin", "http://localhost:4200")).await;
        assert_eq!(got.header("access-control-allow-origin"), Some("http://localhost:4200"), "{path}");
        assert_eq!(items(&got, "access-control-expose-headers"), ["link", "retry-after", "x-request-id"], "{path}");
        assert!(items(&got, "vary").contains(&"origin".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn another_origin_is_answered_without_leave_to_read() {
    let service = start_for_origin();
    for origin in ["https://evil.example.test", "https://app.example.test.evil", "null", "http://localhost:4201"] {
        let got = answer(service.get("/echo").header("origin", origin)).await;
        assert_eq!((got.status, got.header("access-control-allow-origin")), (200, None), "{origin}");
    }
}

#[tokio::test]
async fn a_preflight_that_is_refused_is_a_problem() {
    let service = start_for_origin();
    for (origin, method, headers) in [
        ("https://evil.example.test", "POST", "content-type"),
        (ORIGIN, "PATCH", "content-type"),
        (ORIGIN, "POST", "x-other"),
    ] {
        let refused = preflight(&service, origin, method, headers).await;
        refused.assert_problem(400, "bad_request");
        assert_eq!(refused.header("access-control-allow-origin"), None, "{origin} {method} {headers}");
        assert!(refused.header("x-request-id").is_some());
    }
}
