//! Paths and methods: what is not there, and what is there for another method.

use crate::support::{answer, start};

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let service = start();
    for path in ["/", "/nothing", "/echo/", "/items", "/api", "/health", "/health/other"] {
        answer(service.get(path)).await.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn an_unknown_path_below_a_scope_is_a_problem() {
    let service = start();
    for path in ["/api/kit", "/api/kit/", "/api/kit/nothing", "/api/kit/echo"] {
        answer(service.get(path)).await.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn routes_and_their_data_work_below_a_scope() {
    let service = start();
    let found = answer(service.get("/api/kit/data")).await;
    assert_eq!((found.status, found.body.as_str()), (200, "here"));
    let refused = answer(service.request("POST", "/api/kit/data")).await;
    refused.assert_problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let service = start();
    for (method, path, allow) in [
        ("DELETE", "/echo", "GET, HEAD, POST"),
        ("POST", "/items/1", "GET, HEAD, DELETE"),
        ("PROPFIND", "/search", "GET, HEAD"),
        ("OPTIONS", "/search", "GET, HEAD"),
        ("TRACE", "/search", "GET, HEAD"),
        ("POST", "/health/live", "GET, HEAD"),
        ("PUT", "/health/ready", "GET, HEAD"),
    ] {
        let refused = answer(service.request(method, path)).await;
        refused.assert_problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some(allow), "{method} {path}");
    }
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let service = start();
    let got = answer(service.request("HEAD", "/echo")).await;
    assert_eq!((got.status, got.body.as_str()), (200, ""));
    assert_eq!(got.header("content-length"), Some("7"));
}
