//! A span for each request and for each step of its stores, in the caller's trace; and nothing in them that is a secret or an id of a user.

use serde_json::Value;
use shared_claims::random;
use system_tests::client::Answered;
use system_tests::collector::Collector;

use super::{CALLER, sampled, start_with, trace_id};

#[tokio::test]
async fn a_request_and_its_store_steps_are_spans_of_the_callers_trace() {
    let collector = Collector::start();
    let traced = start_with(&collector).await;
    let trace = trace_id();
    let login = traced.service.client().post("/login", &traced.person.credentials());
    assert_eq!(login.header("traceparent", sampled(&trace)).answer().await.status, 200);

    let request = collector.span(&trace, "POST /login").await;
    assert_eq!((request.service.as_str(), request.parent().as_str()), ("auth-service", CALLER));
    assert_eq!(request.span.kind, 2, "a server's");
    for step in ["database read", "token_store start"] {
        assert_eq!(collector.span(&trace, step).await.parent(), request.id(), "{step}");
    }
}

#[tokio::test]
async fn a_request_that_comes_without_a_trace_begins_one() {
    let collector = Collector::start();
    let traced = start_with(&collector).await;
    traced.service.client().login(&traced.person).await;
    let trace = trace_id();
    let next = traced.service.client().get("/current-user").header("traceparent", sampled(&trace));
    assert_eq!(next.answer().await.status, 401);
    collector.span(&trace, "GET /current-user").await;
    let spans = collector.spans();
    let login = spans.iter().find(|traced| traced.span.name == "POST /login").expect("it was sent before");
    assert_eq!((login.parent().as_str(), login.trace_id().len()), ("", 32));
}

#[tokio::test]
async fn a_span_tells_method_route_status_and_request_id_and_nothing_else() {
    let collector = Collector::start();
    let traced = start_with(&collector).await;
    let client = traced.service.client();
    let access_token = client.login(&traced.person).await.access_token;
    let (trace, session) = (trace_id(), random::uuid());
    let request = client.request(reqwest::Method::DELETE, &format!("/sessions/{session}?password=hunter2"));
    let request = request.bearer_auth(&access_token).header("user-agent", "Lynx/2.9").header("x-request-id", "told");
    assert_eq!(request.header("traceparent", sampled(&trace)).answer().await.status, 404);

    let span = collector.span(&trace, "DELETE /sessions/{id}").await;
    let expected = [
        ("http.request.method", "DELETE"),
        ("http.response.status_code", "404"),
        ("http.route", "/sessions/{id}"),
        ("request_id", "told"),
    ];
    assert_eq!(span.attributes(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let step = collector.span(&trace, "token_store end").await;
    let expected = [("operation", "end"), ("store", "token_store")];
    assert_eq!(step.attributes(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let everything = format!("{:?}", collector.spans());
    let person = &traced.person;
    for secret in [&session.to_string(), "hunter2", &access_token, "Lynx", &person.username, &person.id.to_string()] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert!(collector.spans().iter().all(|traced| traced.span.events.is_empty()));
}

#[tokio::test]
async fn the_log_tells_the_trace_beside_the_request() {
    let collector = Collector::start();
    let traced = start_with(&collector).await;
    let trace = trace_id();
    let login = traced.service.client().post("/login", &traced.person.credentials()).header("x-request-id", "logged");
    login.header("traceparent", sampled(&trace)).answer().await;
    collector.span(&trace, "POST /login").await;
    let log = traced.service.log();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let lines: Vec<_> = lines.iter().filter(|line| line["span"]["request_id"] == "logged").collect();
    assert!(lines.len() >= 2, "the audit trail and the end of the request: {log}");
    assert!(lines.iter().all(|line| line["span"]["trace_id"] == trace), "{lines:?}");
}

#[tokio::test]
async fn probes_and_scrapes_are_not_traced() {
    let collector = Collector::start();
    let traced = start_with(&collector).await;
    let client = traced.service.client();
    for path in ["/health/live", "/health/ready", "/metrics"] {
        client.get(path).answer().await;
    }
    let trace = trace_id();
    client.get("/nothing").header("traceparent", sampled(&trace)).answer().await.assert_problem(404, "not_found");
    collector.span(&trace, "GET none").await;
    assert_eq!(collector.spans().len(), 1, "{:?}", collector.spans());
}
