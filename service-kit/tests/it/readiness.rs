//! Whether the service lives and can do its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use service_kit::health::{Check, CheckFailed, Health};

use crate::logs;
use crate::support::{answer, config, start, start_with};

/// A part that works until it is told to fail.
#[derive(Default)]
struct Switch {
    fails: AtomicBool,
}

#[async_trait]
impl Check for Switch {
    async fn check(&self) -> Result<(), CheckFailed> {
        if self.fails.load(Ordering::SeqCst) { Err(CheckFailed::new("the cause of it")) } else { Ok(()) }
    }
}

/// A part that never answers.
struct Silent;

#[async_trait]
impl Check for Silent {
    async fn check(&self) -> Result<(), CheckFailed> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_service_lives_whatever_its_parts_do() {
    let switch = Arc::new(Switch { fails: true.into() });
    let service = start_with(&config(), Health::new("kit").with_check("database", switch));
    let live = answer(service.get("/health/live")).await;
    assert_eq!((live.status, live.body.as_str()), (200, r#"{"status":"live"}"#));
    assert_eq!(live.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_service_that_needs_nothing_is_ready() {
    let ready = answer(start().get("/health/ready")).await;
    assert_eq!((ready.status, ready.body.as_str()), (200, r#"{"status":"ready","checks":{}}"#));
}

#[tokio::test]
async fn readiness_follows_its_parts_and_tells_no_cause() {
    let switch = Arc::new(Switch::default());
    let health = Health::new("kit")
        .with_check("database", Arc::clone(&switch) as _)
        .with_check("other", Arc::new(Switch::default()));
    let service = start_with(&config(), health);

    let ready = answer(service.get("/health/ready")).await;
    assert_eq!((ready.status, ready.header("cache-control")), (200, Some("no-store")));
    assert_eq!(ready.json()["status"], "ready");
    assert_eq!(ready.json()["checks"]["database"]["status"], "up");
    assert!(ready.json()["checks"]["database"]["latencyMs"].as_f64().is_some_and(|ms| ms >= 0.0));

    switch.fails.store(true, Ordering::SeqCst);
    let unready = answer(service.get("/health/ready")).await;
    assert_eq!((unready.status, unready.header("cache-control")), (503, Some("no-store")));
    assert_eq!(unready.header("retry-after"), Some("1"));
    assert_eq!(unready.json()["status"], "unready");
    assert_eq!(unready.json()["checks"]["database"]["status"], "down");
    assert_eq!(unready.json()["checks"]["other"]["status"], "up");
    assert!(!unready.body.contains("cause"), "{unready:?}");

    switch.fails.store(false, Ordering::SeqCst);
    assert_eq!(answer(service.get("/health/ready")).await.status, 200);
}

#[tokio::test]
async fn parts_that_do_not_answer_are_down_after_one_second_all_together() {
    let health = Health::new("kit").with_check("one", Arc::new(Silent)).with_check("other", Arc::new(Silent));
    let unready = answer(start_with(&config(), health).get("/health/ready")).await;
    assert_eq!(unready.status, 503);
    for name in ["one", "other"] {
        assert_eq!(unready.json()["checks"][name]["status"], "down");
        let latency = unready.json()["checks"][name]["latencyMs"].as_f64().expect("a number");
        assert!((900.0..1_900.0).contains(&latency), "{latency}");
    }
}

#[tokio::test]
async fn only_a_change_of_state_is_logged() {
    logs::capture();
    let switch = Arc::new(Switch::default());
    let service = start_with(&config(), Health::new("flapping").with_check("database", Arc::clone(&switch) as _));
    for fails in [false, true, true, true, false, false] {
        switch.fails.store(fails, Ordering::SeqCst);
        answer(service.get("/health/ready")).await;
    }
    let lines: Vec<_> = logs::lines().into_iter().filter(|line| line["service"] == "flapping").collect();
    let told: Vec<_> = lines.iter().map(|line| (line["level"].as_str(), line["cause"].as_str())).collect();
    assert_eq!(told, [(Some("WARN"), Some("the cause of it")), (Some("INFO"), None)]);
}
