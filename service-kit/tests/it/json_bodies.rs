//! Bodies: what is read, what is refused, and that no refusal quotes what was sent.

use crate::support::{answer, start};

/// Stands in every bad body where a secret could stand.
const SECRET: &str = "hunter2";

#[tokio::test]
async fn a_json_object_is_read() {
    let service = start();
    let body = r#" {"name":"ada","count":3,"kind":"large","inner":{"flags":[true]},"unknown":[null]} "#;
    let read = service.echo(body).await;
    assert_eq!(read.status, 200, "{read:?}");
    assert_eq!(read.json()["inner"]["flags"][0], true);
}

#[tokio::test]
async fn every_json_content_type_is_taken() {
    let service = start();
    for media in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
        let post = service.request("POST", "/echo").header("content-type", media).body(r#"{"name":"ada"}"#);
        assert_eq!(answer(post).await.status, 200, "{media}");
    }
}

#[tokio::test]
async fn another_content_type_is_unsupported() {
    let service = start();
    let bare = service.request("POST", "/echo").body(r#"{"name":"ada"}"#);
    answer(bare).await.assert_problem(415, "unsupported_media_type");
    for media in
        ["text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp", "json", "*/*", "é"]
    {
        let post = service.request("POST", "/echo").header("content-type", media).body(r#"{"name":"ada"}"#);
        answer(post).await.assert_problem(415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn an_encoded_body_is_unsupported() {
    let service = start();
    let post = |coding: &str| {
        let post = service.request("POST", "/echo").header("content-type", "application/json");
        answer(post.header("content-encoding", coding).body(r#"{"name":"ada"}"#))
    };
    for coding in ["gzip", "br", "identity, gzip", "nonsense", ""] {
        let refused = post(coding).await;
        let detail = refused.assert_problem(415, "unsupported_media_type");
        assert!(detail.contains("no Content-Encoding"), "{detail}");
        assert_eq!(refused.header("accept-encoding"), Some("identity"), "{refused:?}");
    }
    assert_eq!(post("Identity").await.status, 200);
}

/// A JSON object of this many bytes.
pub(crate) fn object_of(bytes: usize) -> String {
    let frame = r#"{"name":""}"#;
    frame.replace(r#""""#, &format!("{:?}", "a".repeat(bytes - frame.len())))
}

#[tokio::test]
async fn a_body_of_16_kib_is_read_and_one_byte_more_is_too_large() {
    let service = start();
    assert_eq!(service.echo(object_of(16 * 1024)).await.status, 200);
    service.echo(object_of(16 * 1024 + 1)).await.assert_problem(413, "payload_too_large");
    service.echo(object_of(17 * 1024)).await.assert_problem(413, "payload_too_large");
}

#[tokio::test]
async fn malformed_json_is_told_by_its_place() {
    let service = start();
    for (body, says) in [
        (r#"{"name":hunter2}"#, "The body is not valid JSON (line 1, column 9)."),
        ("{\"name\":\"hunter2\",\n}", "The body is not valid JSON (line 2, column 1)."),
        (r#"{"hunter2":nul}"#, "The body is not valid JSON (line 1, column 15)."),
        (r#"{"name":"hunter2"#, "The JSON is cut short (line 1, column 16)."),
        (r#"{"name":"ada"} hunter2"#, "There is something after the JSON object (line 1, column 16)."),
        (r#"{"name":"ada"}{"name":"ada"}"#, "There is something after the JSON object (line 1, column 15)."),
        (r#"["hunter2"]"#, "The body is not a JSON object."),
        (r#""hunter2""#, "The body is not a JSON object."),
        ("null", "The body is not a JSON object."),
        ("\u{feff}{}", "The body is not a JSON object."),
        ("", "The body is empty; a JSON object is expected."),
        (" \n", "The body is empty; a JSON object is expected."),
    ] {
        let refused = service.echo(body).await;
        assert_eq!(refused.assert_problem(400, "bad_request"), says, "{body}");
        assert!(!refused.body.contains(SECRET), "{refused:?}");
    }
}

#[tokio::test]
async fn a_misfit_is_told_by_its_field() {
    let service = start();
    for (body, says) in [
        ("{}", "In the body, `name` is missing (line 1, column 2)."),
        (r#"{"name":null}"#, "In the body, `name` must be a string (line 1, column 12)."),
        (r#"{"name":["hunter2"]}"#, "In the body, `name` must be a string (line 1, column 8)."),
        (r#"{"name":"ada","name":"hunter2"}"#, "In the body, `name` is there twice (line 1, column 20)."),
        (r#"{"name":"ada","count":"hunter2"}"#, "In the body, `count` must be u32 (line 1, column 31)."),
        (r#"{"name":"ada","count":-1}"#, "In the body, `count` must be u32 (line 1, column 24)."),
        (r#"{"name":"ada","count":", expected hunter2"}"#, "In the body, `count` must be u32 (line 1, column 42)."),
        (r#"{"name":"ada","inner":{}}"#, "In the body, `flags` is missing in `inner` (line 1, column 24)."),
        (
            r#"{"name":"ada","inner":{"flags":[true,"hunter2"]}}"#,
            "In the body, `inner.flags[1]` must be a boolean (line 1, column 46).",
        ),
        (r#"{"name":"ada","kind":"hunter2"}"#, "In the body, `kind` must be `small` or `large` (line 1, column 30)."),
        (r#"{"name":"ada","password":"hunter2"}"#, "In the body, `password` cannot be read (line 1, column 35)."),
    ] {
        let refused = service.echo(body).await;
        let detail = refused.assert_problem(400, "bad_request");
        assert_eq!(detail, says, "{body}");
        assert!(!refused.body.contains(SECRET), "{refused:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_and_nesting_without_end_are_bad_requests() {
    let service = start();
    service.echo(b"{\"name\":\"\xff\"}".to_vec()).await.assert_problem(400, "bad_request");
    let deep = format!(r#"{{"name":"ada","other":{}"#, "[".repeat(16_000));
    service.echo(deep).await.assert_problem(400, "bad_request");
    assert_eq!(service.echo(r#"{"name":"ada"}"#).await.status, 200);
}
