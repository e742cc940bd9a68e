//! What holds for every answer of both services: problems by RFC 9457, request ids, and what is said to a request that no handler
//! takes. The client of these tests holds every answer to it; here are the requests that go wrong on purpose.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use system_tests::client::{Answered, Client};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

/// Every path of auth-service, and what it answers to.
const AUTH_PATHS: [(&str, &str); 10] = [
    ("/login", "POST"),
    ("/refresh-token", "POST"),
    ("/logout", "POST"),
    ("/register", "POST"),
    ("/current-user", "GET, HEAD"),
    ("/current-user/password", "PUT"),
    ("/sessions", "GET, HEAD, DELETE"),
    ("/sessions/10000000-0000-4000-8000-000000000001", "DELETE"),
    ("/health/live", "GET, HEAD"),
    ("/health/ready", "GET, HEAD"),
];

/// Every path of jobs-service, and what it answers to.
const JOBS_PATHS: [(&str, &str); 4] = [
    ("/job-list", "GET, HEAD"),
    ("/jobs", "POST"),
    ("/jobs/10000000-0000-4000-8000-000000000001", "GET, HEAD, PUT, DELETE"),
    ("/health/ready", "GET, HEAD"),
];

/// Where a body is read.
const WITH_BODY: [&str; 4] = ["/login", "/refresh-token", "/logout", "/register"];

#[rstest]
#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let auth_paths = AUTH_PATHS.map(|path| (stack.client(), path));
    let jobs_paths = JOBS_PATHS.map(|path| (jobs.client(), path));
    for (service, (path, allowed)) in auth_paths.into_iter().chain(jobs_paths) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            if allowed.split(", ").any(|allowed| allowed == method) {
                continue;
            }
            let method: Method = method.parse().expect("a method");
            let answer = service.request(method.clone(), path).answer().await;
            answer.assert_problem(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn an_unknown_path_is_not_found_whatever_the_method(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    for service in [stack.client(), jobs.client()] {
        for path in [
            "/",
            "/Login",
            "/login/",
            "/login/x",
            "//login",
            "/.env",
            "/jobs/",
            "/api/auth/login",
            "/%2e%2e/etc/passwd",
            "/a\u{e9}",
        ] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                service.request(method, path).answer().await.assert_problem(404, "not_found");
            }
        }
    }
}

async fn post(client: &Client, path: &str, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> u16 {
    let request = client.request(Method::POST, path).body(body);
    let answer = match content_type {
        Some(content_type) => request.header("content-type", content_type).answer().await,
        None => request.answer().await,
    };
    answer.status
}

#[rstest]
#[tokio::test]
async fn json_that_is_malformed_in_any_way_is_a_bad_request(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    for path in WITH_BODY {
        for body in [
            "",
            " ",
            "{",
            "}",
            "{}}",
            "null",
            "true",
            "7",
            "\"text\"",
            "[]",
            "[{}]",
            "{\"username\"}",
            "{'username':'a'}",
            "{\"username\":\"a\",}",
            "{\"username\":\"a\" \"password\":\"b\"}",
            "{\"refreshToken\":\"a\\x\"}",
            "{\"refreshToken\":\"\\ud800\"}",
            "{\"refreshToken\":\"a\",\"refreshToken\":\"b\",\"username\":\"a\",\"username\":\"b\"}",
            "{\"username\":NaN}",
            "\u{feff}{}",
            "{\"refreshToken\":\"a\u{1}b\",\"username\":\"a\u{1}b\"}",
            "{} {}",
            "// x\n{}",
            "username=a&password=b",
            "<login/>",
        ] {
            assert_eq!(
                post(&stack.client(), path, Some("application/json"), body.to_owned()).await,
                400,
                "{path} {body:?}"
            );
        }
        let not_text = b"{\"refreshToken\":\"\xff\xfe\",\"username\":\"\xff\"}".to_vec();
        assert_eq!(post(&stack.client(), path, Some("application/json"), not_text).await, 400, "{path}");
    }
}

#[rstest]
#[tokio::test]
async fn nesting_without_end_harms_nobody(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let (opened, closed) = ("[".repeat(4_000), "]".repeat(4_000));
    let known = format!(r#"{{"username":{opened}{closed},"refreshToken":{opened}{closed}}}"#);
    let unknown = format!(r#"{{"username":"a","password":"b","refreshToken":"c","unknown":{opened}{closed}}}"#);
    let cut = format!(r#"{{"unknown":{opened}"#);
    for (path, read) in [("/login", 401), ("/refresh-token", 403), ("/logout", 204)] {
        for (body, status) in [(&known, 400), (&unknown, read), (&cut, 400)] {
            assert_eq!(post(&client, path, Some("application/json"), body.clone()).await, status, "{path}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn another_content_type_is_unsupported(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    for path in WITH_BODY {
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data"),
            Some("application/xml"),
        ] {
            assert_eq!(post(&stack.client(), path, content_type, "{}").await, 415, "{path} {content_type:?}");
        }
        let packed = stack.client().post(path, &json!({})).header("content-encoding", "gzip").answer().await;
        packed.assert_problem(415, "unsupported_media_type");
    }
}

#[rstest]
#[tokio::test]
async fn a_body_beyond_16_kib_is_too_large_and_one_of_16_kib_is_read(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let body_of = |bytes: usize| {
        let frame = json!({ "username": "a", "password": "b", "refreshToken": "c", "x": "" }).to_string();
        frame.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(bytes - frame.len())))
    };
    for (path, read) in [("/login", 401), ("/refresh-token", 403), ("/logout", 204)] {
        for (bytes, status) in [(16 * 1024, read), (16 * 1024 + 1, 413), (17 * 1024, 413), (1024 * 1024, 413)] {
            let body = body_of(bytes);
            assert_eq!(body.len(), bytes);
            assert_eq!(post(&stack.client(), path, Some("application/json"), body).await, status, "{path} {bytes}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_request_keeps_its_id_if_it_is_a_sane_one(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let sane = ["a", "7f9c2b1e-0000-4000-8000-abcdefabcdef", "A.b_c-9", &"x".repeat(64)].map(str::to_owned);
    let odd = ["", "a b", "a\tb", "<script>", "a/b", "é", &"x".repeat(65), "a;b", "${jndi}"].map(str::to_owned);
    for (service, path) in
        [(stack.client(), "/current-user"), (jobs.client(), "/job-list"), (stack.client(), "/nowhere")]
    {
        for id in &sane {
            let answer = service.get(path).header("x-request-id", id).answer().await;
            assert_eq!(answer.header("x-request-id"), Some(id.as_str()));
        }
        for id in &odd {
            let answer = service.get(path).header("x-request-id", id.as_bytes()).answer().await;
            let given = answer.header("x-request-id").expect("an id");
            assert!(given != id && given.len() == 36, "{id:?} became {given:?}");
        }
        let (one, other) = (service.get(path).answer().await, service.get(path).answer().await);
        assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    }
}

#[rstest]
#[tokio::test]
async fn nothing_about_tokens_is_kept_by_a_cache(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    for answer in [
        client.refresh(&tokens.refresh_token).await,
        client.refresh(&tokens.refresh_token).await,
        client.get("/login").answer().await,
        client.get("/refresh-token").answer().await,
        client.request(Method::POST, "/login").body("{}").answer().await,
        client.request(Method::POST, "/refresh-token").body("{}").answer().await,
        client.post("/login", &json!({ "x": "x".repeat(20_000) })).answer().await,
        client.post("/refresh-token", &json!({ "x": "x".repeat(20_000) })).answer().await,
        client.post("/login", &json!({ "username": 7 })).answer().await,
        client.current_user(&tokens.access_token).await,
        client.logout(&tokens.refresh_token).await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    }
}
