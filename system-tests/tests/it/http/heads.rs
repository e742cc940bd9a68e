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
        format!("GET /current-user HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n", "a".repeat(200_000));
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
