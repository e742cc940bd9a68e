//! Start and stop.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use service_kit::health::{Check, CheckFailed, Health};
use service_kit::server::{self, StartError};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{answer, client, config, start, start_with};

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let first = server::bind(&config(), Health::new("kit"), |_| {}).expect("a free port");
    let mut taken = config();
    taken.port = first.address().port();
    let error = server::bind(&taken, Health::new("kit"), |_| {}).err().expect("a refusal");
    assert!(matches!(error, StartError::AddressInUse { address } if address == first.address()));
    let text = error.to_string();
    assert!(text.contains(&first.address().to_string()) && text.contains("another port"), "{text}");
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_named() {
    let mut elsewhere = config();
    elsewhere.host = [203, 0, 113, 1].into();
    let error = server::bind(&elsewhere, Health::new("kit"), |_| {}).err().expect("a refusal");
    assert!(error.to_string().starts_with("cannot listen on 203.0.113.1:0: "), "{error}");
}

#[tokio::test]
async fn a_bound_server_has_its_port_before_it_runs() {
    let bound = server::bind(&config(), Health::new("kit"), |_| {}).expect("a free port");
    assert_ne!(bound.address().port(), 0);
    TcpStream::connect(bound.address()).await.expect("connections already queue");
}

#[tokio::test]
async fn what_is_in_flight_at_the_stop_is_finished_and_nothing_more_is_accepted() {
    let mut service = start();
    let in_flight = tokio::spawn(answer(service.get("/gate")));
    service.gate.entered.acquire().await.expect("a request in flight").forget();

    service.stop();
    // The listener is closed by another thread, some time after the stop.
    let address = service.address;
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), refused).await.expect("connections are refused");

    service.gate.open.add_permits(1);
    let finished = in_flight.await.expect("an answer");
    assert_eq!((finished.status, finished.body.as_str()), (200, "through"));
    tokio::time::timeout(Duration::from_secs(5), service.ended()).await.expect("an end");
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let mut service = start();
    let client = client();
    client.get(service.url("/echo")).send().await.expect("an answer").text().await.expect("a body");
    let _silent = TcpStream::connect(service.address).await.expect("a connection");
    service.stop();
    tokio::time::timeout(Duration::from_secs(9), service.ended()).await.expect("an end");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off_within_ten_seconds() {
    let mut service = start();
    let stuck = tokio::spawn(service.get("/gate").send());
    service.gate.entered.acquire().await.expect("a request in flight").forget();
    service.stop();
    tokio::time::timeout(Duration::from_secs(10), service.ended()).await.expect("an end");
    assert!(stuck.await.expect("no panic").is_err());
}

/// Waits in its check, so that a probe can be in flight while the service stops.
struct Slow {
    entered: Notify,
    go_on: Notify,
}

#[async_trait]
impl Check for Slow {
    async fn check(&self) -> Result<(), CheckFailed> {
        self.entered.notify_one();
        self.go_on.notified().await;
        Ok(())
    }
}

#[tokio::test]
async fn a_service_that_stops_is_not_ready() {
    let slow = Arc::new(Slow { entered: Notify::new(), go_on: Notify::new() });
    let health = Health::new("kit").with_check("slow", Arc::clone(&slow) as _);
    let mut service = start_with(&config(), health.clone());
    let probe = tokio::spawn(answer(service.get("/health/ready")));
    slow.entered.notified().await;

    service.stop();
    let address = service.address;
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), refused).await.expect("connections are refused");
    slow.go_on.notify_one();

    let unready = probe.await.expect("an answer");
    assert_eq!(unready.status, 503, "{unready:?}");
    assert_eq!(unready.json()["status"], "stopping");
    service.ended().await;
}

#[tokio::test]
async fn both_signals_that_ask_for_an_end_are_heard() {
    for signal in ["-TERM", "-INT"] {
        let stop = server::stop_signal();
        let sent =
            Command::new("kill").args([signal, &std::process::id().to_string()]).status().expect("a kill command");
        assert!(sent.success());
        tokio::time::timeout(Duration::from_secs(5), stop).await.expect("the signal is heard");
    }
}
