//! What is not even a request: heads that never reach the application, and bodies that never end. Written to the socket by hand.

use std::collections::HashMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::json_bodies::object_of;
use crate::support::{Service, answer, start};

/// Sends these bytes and reads until the service closes the connection.
async fn exchange(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.address).await.expect("a connection");
    // It may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    String::from_utf8(read).expect("text")
}

/// Asserts that this is the one answer of a connection that was closed: a problem with all that every answer has.
#[track_caller]
fn assert_refused(answer: &str, status: &str, code: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {answer}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
    let fields: HashMap<_, _> = head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
    for (name, value) in [
        ("content-type", "application/problem+json"),
        ("content-length", &body.len().to_string()),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("connection", "close"),
    ] {
        assert_eq!(fields.get(name), Some(&value), "{name}: {answer}");
    }
    assert!(fields.get("x-request-id").is_some_and(|id| Uuid::try_parse(id).is_ok()), "{answer}");
    let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(problem["type"], format!("urn:latchkey:problem:{code}"));
    assert_eq!(problem["status"].to_string(), status[..3]);
    assert!(problem["title"].is_string() && problem["detail"].is_string() && problem["code"] == code, "{answer}");
}

fn head_with(headers: usize) -> String {
    let lines = "x-other: 1\r\n".repeat(headers - 2);
    format!("GET /echo HTTP/1.1\r\nhost: kit\r\nconnection: close\r\n{lines}\r\n")
}

#[tokio::test]
async fn up_to_96_headers_are_read() {
    let service = start();
    let response = exchange(&service, head_with(96).as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
}

#[tokio::test]
async fn more_than_96_headers_get_431_and_the_connection_is_closed() {
    let service = start();
    for headers in [97, 100, 1_000] {
        let response = exchange(&service, head_with(headers).as_bytes()).await;
        assert_refused(&response, "431 Request Header Fields Too Large", "headers_too_large");
    }
    assert_eq!(answer(service.get("/echo")).await.status, 200);
}

#[tokio::test]
async fn a_head_beyond_128_kib_gets_431_and_the_connection_is_closed() {
    let service = start();
    let head = format!("GET /echo HTTP/1.1\r\nhost: kit\r\nx-long: {}", "a".repeat(140 * 1024));
    let response = exchange(&service, head.as_bytes()).await;
    // Closing with bytes unread can overtake the answer on its way.
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 431 "), "{response}");
    assert_eq!(answer(service.get("/echo")).await.status, 200);
}

#[tokio::test]
async fn what_is_no_http_gets_400_and_the_connection_is_closed() {
    let service = start();
    for bytes in [
        "hello\r\n\r\n",
        "GET /echo\r\n\r\n",
        "GET /echo HTTP/9.9\r\n\r\n",
        "GET /echo HTTP/1.1\r\nhost kit\r\n\r\n",
        "GET /echo HTTP/1.1\r\nx: a\0b\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: kit\r\n\r\n",
        "POST /echo HTTP/1.1\r\nhost: kit\r\ncontent-length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nhost: kit\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nhost: kit\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0",
    ] {
        let response = exchange(&service, bytes.as_bytes()).await;
        assert_refused(&response, "400 Bad Request", "bad_request");
    }
    assert_eq!(answer(service.get("/echo")).await.status, 200);
}

#[tokio::test]
async fn what_follows_a_good_request_is_refused_after_that_one_was_answered() {
    let service = start();
    let good = "GET /echo HTTP/1.1\r\nhost: kit\r\n\r\n";
    let answers = exchange(&service, format!("{good}{good}{}", head_with(97)).as_bytes()).await;
    let last = answers.rfind("HTTP/1.1 ").expect("an answer");
    assert_eq!(answers[..last].matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answers}");
    assert_refused(&answers[last..], "431 Request Header Fields Too Large", "headers_too_large");
}

#[tokio::test]
async fn a_head_that_does_not_come_to_an_end_gets_408() {
    let service = start();
    let response = exchange(&service, b"GET /echo HTTP/1.1\r\nhost: kit\r\n").await;
    assert_refused(&response, "408 Request Timeout", "request_timeout");
}

const CHUNKED: &str =
    "POST /echo HTTP/1.1\r\nhost: kit\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn the_limit_holds_without_a_content_length() {
    let service = start();
    for (bytes, status) in [(16 * 1024, "200 OK"), (16 * 1024 + 1, "413 Payload Too Large")] {
        let body = object_of(bytes);
        let chunks = body.as_bytes().chunks(1000).map(|chunk| str::from_utf8(chunk).expect("text"));
        let chunks: Vec<_> = chunks.map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
        let chunks = chunks.concat();
        let head = CHUNKED.replace("host: kit", "host: kit\r\nconnection: close");
        let response = exchange(&service, format!("{head}{chunks}0\r\n\r\n").as_bytes()).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{response}");
    }
}

#[tokio::test]
async fn chunks_without_end_are_cut_off_at_the_limit() {
    let service = start();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let response = exchange(&service, format!("{CHUNKED}{}", chunk.repeat(64)).as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{response}");
    assert!(response.contains("urn:latchkey:problem:payload_too_large"), "{response}");
}

#[tokio::test]
async fn chunks_that_nobody_reads_end_the_connection() {
    let service = start();
    for (path, status) in
        [("/nothing", "404 Not Found"), ("/search", "405 Method Not Allowed"), ("/panic", "405 Method Not Allowed")]
    {
        let head = CHUNKED.replace("/echo", path);
        let response = exchange(&service, format!("{head}5\r\nhello\r\n").as_bytes()).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{response}");
    }
}

#[tokio::test]
async fn chunks_that_are_read_keep_the_connection() {
    let service = start();
    let chunked = format!("{CHUNKED}e\r\n{{\"name\":\"ada\"}}\r\n0\r\n\r\n");
    let last = "GET /echo HTTP/1.1\r\nhost: kit\r\nconnection: close\r\n\r\n";
    let responses = exchange(&service, format!("{chunked}{chunked}{last}").as_bytes()).await;
    assert_eq!(responses.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{responses}");
}

#[tokio::test]
async fn broken_chunks_are_a_bad_request() {
    let service = start();
    let response = exchange(&service, format!("{CHUNKED}zz\r\nhello\r\n").as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{response}");
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_before_the_body_comes() {
    let service = start();
    let head = "POST /echo HTTP/1.1\r\nhost: kit\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n";
    let response = exchange(&service, head.as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{response}");
}
