//! Requests that are hardly any: too many headers, too long ones, no HTTP at all. They are refused cleanly and leave the service as
//! it was.

use std::net::SocketAddr;

use rstest::rstest;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends these bytes and reads until the service closes the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // It may be closed before everything is read.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[rstest]
#[tokio::test]
async fn a_request_that_is_hardly_one_gets_a_problem_and_the_next_one_is_served(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let headers = "x-header: 1\r\n".repeat(100);
    let hundred = format!("POST /login HTTP/1.1\r\nhost: a\r\n{headers}content-length: 2\r\n\r\n{{}}");
    let long =
        format!("GET /current-user HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n", "a".repeat(1_000_000));
    for address in [stack.address(), jobs.address] {
        for bytes in [
            hundred.as_bytes(),
            b"hello\r\n\r\n",
            b"GET /login HTTP/7.0\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01",
            b"POST /login HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        ] {
            let answer = exchange(address, bytes).await;
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
            assert!(answer.contains("\r\nx-request-id: ") && answer.contains("urn:latchkey:problem:"), "{answer}");
        }
        let answer = exchange(address, long.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let tokens = stack.client().login(&stack.person().await).await;
    assert_eq!(jobs.client().job_list(&tokens.access_token).await.status, 200);
}

/// Sends this and one request more, and asserts that there is one answer, a refusal: the other request was not read.
async fn assert_refused_with_what_follows(address: SocketAddr, framing: &str, body: &str) {
    let head = "POST /logout HTTP/1.1\r\nhost: a\r\ncontent-type: application/json";
    let next = "GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n";
    let answer = exchange(address, format!("{head}\r\n{framing}\r\n\r\n{body}{next}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{framing:?} {body:?}: {answer}");
    assert_eq!(answer.matches("\r\nx-request-id: ").count(), 1, "{framing:?} {body:?}: {answer}");
}

/// Where a request ends is no matter of opinion (RFC 9112 §6.3 and §11.2): what a server in front takes for its body, the next one must
/// not take for another request.
#[tokio::test]
async fn a_request_that_two_servers_may_read_differently_is_refused_and_what_follows_is_not_read() {
    let stack = Stack::start(Embedded).await;
    let jobs = stack.jobs_service().await;
    for address in [stack.address(), jobs.address] {
        for framing in [
            "content-length: 5\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 5",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked, chunked",
            "transfer-encoding: chunked, gzip",
            "transfer-encoding: gzip, chunked",
            "transfer-encoding: identity",
            "transfer-encoding: xchunked",
            "transfer-encoding: \"chunked\"",
            "transfer-encoding: \x0bchunked",
            "transfer-encoding : chunked",
            "transfer-encoding:\r\n chunked",
            "x: y\r\n transfer-encoding: chunked",
            "x: y\rtransfer-encoding: chunked",
        ] {
            assert_refused_with_what_follows(address, framing, "0\r\n\r\n").await;
        }
        for length in
            ["2\r\ncontent-length: 40", "2\r\ncontent-length: 2", "2, 40", "2, 2", "2 2", "+2", "-2", "0x2", ""]
        {
            assert_refused_with_what_follows(address, &format!("content-length: {length}"), "{}").await;
        }
        assert_refused_with_what_follows(address, "content-length : 2", "{}").await;
    }
    let rest = "\r\n{}\r\n0\r\n\r\n";
    let sizes = ["0x2", "+2", "-2", " 2", "10000000000000002", "2;a\nb"].map(|size| format!("{size}{rest}"));
    for chunks in sizes.iter().map(String::as_str).chain(["2\n{}\n0\n\n", "2\r\n{}0\r\n\r\n"]) {
        assert_refused_with_what_follows(stack.address(), "transfer-encoding: chunked", chunks).await;
    }
}

#[tokio::test]
async fn garbage_behind_good_requests_costs_none_of_them_its_answer() {
    let stack = Stack::start(Embedded).await;
    let jobs = stack.jobs_service().await;
    let good = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3);
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for address in [stack.address(), jobs.address] {
        for garbage in [every_byte.as_slice(), &[0; 100], b"hello\r\n\r\n"] {
            let answers = exchange(address, &[&good, garbage].concat()).await;
            let count = |status: &str| answers.matches(&format!("HTTP/1.1 {status}\r\n")).count();
            assert_eq!((count("200 OK"), count("400 Bad Request")), (3, 1), "{answers}");
            assert_eq!(answers.matches("\r\nx-request-id: ").count(), 4, "{answers}");
        }
    }
}
