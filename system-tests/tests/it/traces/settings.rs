//! The variables of the OpenTelemetry specification: what is sent at all, under which name, and how much of it.

use rstest::rstest;
use system_tests::client::Answered;
use system_tests::collector::Collector;

use super::{sampled, start, start_with, trace_id};

#[tokio::test]
async fn a_caller_that_is_not_sampled_is_not_traced() {
    let collector = Collector::start();
    let traced = start_with(&collector).await;
    let (quiet, loud) = (trace_id(), trace_id());
    let client = traced.service.client();
    let unsampled = sampled(&quiet).replace("-01", "-00");
    client.get("/sessions").header("traceparent", unsampled).answer().await.assert_problem(401, "access_token_missing");
    client.get("/sessions").header("traceparent", sampled(&loud)).answer().await;
    collector.span(&loud, "GET /sessions").await;
    assert!(collector.spans().iter().all(|traced| traced.trace_id() == loud));
}

/// Variables under which nothing is sent.
#[rstest]
#[case::no_samples(&[("OTEL_TRACES_SAMPLER", "always_off")])]
#[case::switched_off(&[("OTEL_SDK_DISABLED", "true")])]
#[case::no_exporter(&[("OTEL_TRACES_EXPORTER", "none")])]
#[tokio::test]
async fn nothing_is_sent_where_it_is_turned_off(#[case] variables: &[(&str, &str)]) {
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let mut traced = start(&[&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())], variables].concat()).await;
    traced.service.client().login(&traced.person).await;
    traced.service.terminate();
    assert!(traced.service.ended().await.success());
    assert!(collector.spans().is_empty());
}

#[tokio::test]
async fn without_a_collector_nothing_is_traced_and_the_log_names_no_trace() {
    let traced = start(&[]).await;
    let login = traced.service.client().post("/login", &traced.person.credentials());
    assert_eq!(login.header("traceparent", sampled(&trace_id())).answer().await.status, 200);
    assert!(!traced.service.log().contains("trace_id"), "{}", traced.service.log());
}

#[tokio::test]
async fn the_service_is_called_what_the_operator_calls_it() {
    let collector = Collector::start();
    let url = format!("{}/v1/traces", collector.endpoint());
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url.as_str()),
        ("OTEL_SERVICE_NAME", "logins"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let traced = start(&variables).await;
    let trace = trace_id();
    traced.service.client().get("/sessions").header("traceparent", sampled(&trace)).answer().await;
    assert_eq!(collector.span(&trace, "GET /sessions").await.service, "logins");
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_told_without_quoting_it_and_the_service_serves() {
    let traced = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2:\\nowhere")]).await;
    traced.service.client().login(&traced.person).await;
    let log = traced.service.log();
    assert!(log.contains("traces are not sent") && !log.contains("hunter2"), "{log}");
}
