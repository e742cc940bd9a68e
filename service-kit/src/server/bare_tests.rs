use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

const BARE: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\
                    date: Tue, 24 Nov 2026 12:00:00 GMT\r\n\r\n";

const OURS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-request-id: one\r\n\r\nok";

/// What comes out at the other end of a connection that takes `room` bytes at a time.
async fn written(bytes: &[u8], room: usize) -> String {
    let (near, mut far) = duplex(room);
    let mut near = Completed::new(near);
    let write = async {
        near.write_all(bytes).await.expect("a write");
        near.flush().await.expect("a flush");
        near.shutdown().await.expect("an end");
    };
    let mut text = String::new();
    let read = far.read_to_string(&mut text);
    let ((), read) = tokio::join!(write, read);
    read.expect("text");
    text
}

#[tokio::test]
async fn a_bare_answer_becomes_a_problem_and_keeps_the_fields_it_had() {
    let text = written(BARE.as_bytes(), 1024).await;
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
    assert_eq!(head.matches("content-length: ").count(), 1, "{head}");
    for field in
        ["connection: close", "date: Tue, 24 Nov 2026 12:00:00 GMT", &format!("content-length: {}", body.len())]
    {
        assert!(head.lines().any(|line| line == field), "{field}: {head}");
    }
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["code"], "headers_too_large");
}

#[tokio::test]
async fn each_status_has_its_problem_and_a_failure_of_ours_is_503() {
    for (status, answered, code) in [
        ("400 Bad Request", "400 Bad Request", "bad_request"),
        ("408 Request Timeout", "408 Request Timeout", "request_timeout"),
        ("431 Request Header Fields Too Large", "431 Request Header Fields Too Large", "headers_too_large"),
        ("500 Internal Server Error", "503 Service Unavailable", "unavailable"),
    ] {
        let text = written(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes(), 1024).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {answered}\r\n")), "{text}");
        assert!(text.contains(&format!("urn:latchkey:problem:{code}\"")), "{text}");
    }
}

#[tokio::test]
async fn everything_else_passes_as_it_is() {
    for text in [
        "",
        "\r\n\r\n",
        "HTTP/1.1 \r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nx-request-id: one\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-request-id: one\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\n\r\n{\"code\":\"\"}\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        OURS,
    ] {
        assert_eq!(written(text.as_bytes(), 1024).await, text);
    }
    let long = format!("{BARE}{}\r\n\r\n", "a".repeat(LONGEST));
    assert_eq!(written(long.as_bytes(), 1024).await, long);
}

proptest! {
    #[test]
    fn what_answers_earlier_requests_arrives_whole_however_little_the_socket_takes(before in 0..4_usize, room in 1..300_usize) {
        let earlier = OURS.repeat(before);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let text = runtime.block_on(written(format!("{earlier}{BARE}").as_bytes(), room));
        let last = text.strip_prefix(&earlier);
        prop_assert!(last.is_some_and(|last| last.starts_with("HTTP/1.1 431 ") && last.ends_with('}')), "{}", text);
        prop_assert_eq!(text.matches("HTTP/1.1 ").count(), before + 1);
    }
}
