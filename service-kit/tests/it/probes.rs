//! The `healthcheck` command's question.

use std::net::SocketAddr;

use service_kit::health::Health;
use service_kit::probe;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::support::{config, start, start_with};

#[tokio::test]
async fn a_ready_service_passes() {
    let service = start();
    probe::ready_at(service.address).await.expect("ready");
    let mut configured = config();
    configured.port = service.address.port();
    probe::ready(&configured).await.expect("ready");
}

#[tokio::test]
async fn every_interface_is_asked_on_the_loopback() {
    for host in ["0.0.0.0", "::"] {
        let mut config = config();
        config.host = host.parse().expect("an address");
        let service = start_with(&config, Health::new("kit"));
        config.port = service.address.port();
        probe::ready(&config).await.unwrap_or_else(|error| panic!("{host}: {error}"));
    }
}

#[tokio::test]
async fn a_service_that_is_not_ready_fails_with_its_answer() {
    let health = Health::new("kit");
    let service = start_with(&config(), health.clone());
    health.stop();
    let error = probe::ready_at(service.address).await.expect_err("not ready").to_string();
    let url = service.url("/health/ready");
    assert_eq!(error, format!(r#"{url} answered 503: {{"status":"stopping","checks":{{}}}}"#));
}

#[tokio::test]
async fn a_service_that_does_not_run_fails() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address: SocketAddr = free.local_addr().expect("an address");
    drop(free);
    let error = probe::ready_at(address).await.expect_err("nobody there").to_string();
    assert!(error.starts_with(&format!("http://{address}/health/ready does not answer: ")), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_http_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"220 mail.example.test\r\n").await.expect("a write");
    });
    let error = probe::ready_at(address).await.expect_err("no HTTP").to_string();
    assert!(error.contains("does not answer"), "{error}");
}
