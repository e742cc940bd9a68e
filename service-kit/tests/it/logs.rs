//! What is logged about a request, and what is not. The log of the whole test run is one; each test knows its own lines by their id.

use std::io::Write;
use std::process::Command;
use std::sync::{Mutex, Once, PoisonError};

use serde_json::Value;
use service_kit::telemetry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::support::{Service, answer, start};

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static CAPTURE: Once = Once::new();

struct Written;

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From here on the lines are kept.
pub(crate) fn capture() {
    CAPTURE.call_once(|| {
        telemetry::json_lines("kit-tests", EnvFilter::new("info"), || Written)
            .try_init()
            .expect("the first subscriber");
    });
}

/// All lines so far; each must be one JSON object.
pub(crate) fn lines() -> Vec<Value> {
    let written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8(written).expect("text");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

fn lines_of(id: &str) -> Vec<Value> {
    lines().into_iter().filter(|line| line["span"]["request_id"] == id).collect()
}

async fn logged(service: &Service, method: &str, path: &str, id: &str) -> Vec<Value> {
    capture();
    answer(service.request(method, path).header("x-request-id", id)).await;
    lines_of(id)
}

#[tokio::test]
async fn a_request_leaves_one_line_that_tells_how_it_ended() {
    let lines = logged(&start(), "GET", "/items/10000000-0000-4000-8000-000000000001", "one-line").await;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        (&line["service"], &line["level"], &line["message"]),
        (&"kit-tests".into(), &"INFO".into(), &"request finished".into())
    );
    let span = &line["span"];
    assert_eq!((&span["method"], &span["route"], &line["status"]), (&"GET".into(), &"/items/{id}".into(), &200.into()));
    assert!(line["latency_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");
}

#[tokio::test]
async fn a_route_below_a_scope_is_told_in_full() {
    let lines = logged(&start(), "GET", "/api/kit/data", "scoped-line").await;
    assert_eq!(lines[0]["span"]["route"], "/api/kit/data");
}

#[tokio::test]
async fn a_refusal_is_no_error_and_a_failure_is_one() {
    let service = start();
    for (path, id, status, mark) in [
        ("/nothing", "refused", 404, Value::Null),
        ("/search?limit=x", "bad", 400, Value::Null),
        ("/failing", "failed", 503, "ERROR".into()),
    ] {
        let lines = logged(&service, "GET", path, id).await;
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((&line["status"], &line["span"]["otel.status_code"]), (&status.into(), &mark), "{line}");
    }
}

#[tokio::test]
async fn a_panic_is_logged_with_its_text_and_its_request() {
    let lines = logged(&start(), "GET", "/panic", "panicked").await;
    let [panic, finished] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&panic["level"], &panic["panic"]), (&"ERROR".into(), &"the panic's own text".into()));
    assert_eq!((&finished["status"], &finished["message"]), (&503.into(), &"request finished".into()));
}

#[tokio::test]
async fn queries_headers_and_bodies_are_never_logged() {
    capture();
    let service = start();
    let request = service.request("POST", "/echo?token=hunter2-query").header("x-request-id", "secretive");
    let request = request.header("authorization", "Bearer hunter2-header").header("cookie", "hunter2-cookie");
    let request = request.header("content-type", "application/json").body(r#"{"name":"hunter2-body","count":"x"}"#);
    answer(request).await.assert_problem(400, "bad_request");
    answer(service.get("/search?limit=hunter2-limit").header("x-request-id", "hunter2 is not sane")).await;
    answer(service.get("/items/hunter2-path")).await;
    assert_eq!(lines_of("secretive").len(), 1);
    for line in lines() {
        assert!(!line.to_string().contains("hunter2"), "{line}");
    }
}

#[tokio::test]
async fn probes_leave_no_line() {
    let service = start();
    assert_eq!(logged(&service, "GET", "/health/live", "probe-live").await, Vec::<Value>::new());
    assert_eq!(logged(&service, "GET", "/health/ready", "probe-ready").await, Vec::<Value>::new());
    assert_eq!(logged(&service, "GET", "/echo", "no-probe").await.len(), 1);
}

#[tokio::test]
async fn starting_to_log_twice_changes_nothing() {
    capture();
    drop(telemetry::init("other"));
    drop(telemetry::init("other"));
    let lines = logged(&start(), "GET", "/echo", "after-init").await;
    assert_eq!(lines[0]["service"], "kit-tests");
}

/// Set for the copy of this program that logs for the test below.
const AS_CHILD: &str = "SERVICE_KIT_LOGS_AS_CHILD";

#[test]
fn without_a_terminal_each_line_is_json_and_rust_log_decides_which() {
    if std::env::var_os(AS_CHILD).is_some() {
        let _telemetry = telemetry::init("child \"quoted\"");
        tracing::info!("told");
        tracing::debug!("whispered");
        return;
    }
    for (rust_log, expected) in
        [(None, &["told"][..]), (Some(""), &["told"]), (Some("debug"), &["told", "whispered"]), (Some("error"), &[])]
    {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "logs::without_a_terminal_each_line_is_json_and_rust_log_decides_which", "--nocapture"]);
        child.env(AS_CHILD, "1").env_remove("RUST_LOG").envs(rust_log.map(|filter| ("RUST_LOG", filter)));
        let output = String::from_utf8(child.output().expect("an end").stdout).expect("text");
        let lines: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert!(
            lines.iter().all(|line| line["service"] == "child \"quoted\"" && line["timestamp"].is_string()),
            "{output}"
        );
        let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().expect("text")).collect();
        assert_eq!(messages, expected, "RUST_LOG={rust_log:?}: {output}");
    }
}
