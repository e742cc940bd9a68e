//! A collector that is down, hangs or comes back: requests are answered as ever, the service ends as promptly, and what could not be sent
//! is sent later.

use std::time::Duration;

use system_tests::client::Answered;
use system_tests::collector::Collector;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{Traced, sampled, start, start_with, trace_id};

/// Ample for what takes milliseconds, and less than any wait for a collector.
const PROMPT: Duration = Duration::from_secs(4);

async fn assert_prompt(mut traced: Traced) {
    let client = traced.service.client();
    for _ in 0..20 {
        let answer = timeout(PROMPT, client.get("/sessions").answer()).await.expect("it is answered at once");
        answer.assert_problem(401, "access_token_missing");
    }
    traced.service.terminate();
    let status = timeout(PROMPT, traced.service.ended()).await.expect("it ends at once");
    assert!(status.success(), "{}", traced.service.log());
}

#[tokio::test]
async fn a_collector_that_does_not_listen_slows_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let traced = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "10")]).await;
    assert_prompt(traced).await;
}

#[tokio::test]
async fn a_collector_that_never_answers_slows_nothing() {
    // Connections queue, and nobody takes them.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let traced = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "10")]).await;
    assert_prompt(traced).await;
}

#[tokio::test]
async fn what_waits_is_sent_before_the_service_ends() {
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let mut traced = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "600000")]).await;
    let trace = trace_id();
    traced.service.client().get("/sessions").header("traceparent", sampled(&trace)).answer().await;
    traced.service.terminate();
    assert!(traced.service.ended().await.success());
    assert!(collector.spans().iter().any(|traced| traced.trace_id() == trace), "{:?}", collector.spans());
}

#[tokio::test]
async fn what_a_collector_could_not_take_it_gets_when_it_is_back() {
    let collector = Collector::start();
    collector.refuse(true);
    let traced = start_with(&collector).await;
    let (during, after) = (trace_id(), trace_id());
    let client = traced.service.client();
    client.get("/sessions").header("traceparent", sampled(&during)).answer().await;
    collector.has_refused().await;
    collector.refuse(false);
    client.get("/sessions").header("traceparent", sampled(&after)).answer().await;
    collector.span(&after, "GET /sessions").await;
    collector.span(&during, "GET /sessions").await;
    let log = traced.service.log();
    assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
}
