//! Requests that cannot be read or accepted, each told by its own problem, none of them leaving anything behind.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{answer, start};

#[rstest]
#[case::empty("")]
#[case::no_json("{ title: x }")]
#[case::cut("{\"title\": \"x\"")]
#[case::an_array("[{\"title\": \"x\"}]")]
#[case::a_text("\"title\"")]
#[case::null("null")]
#[case::no_title("{}")]
#[case::a_title_twice("{\"title\": \"x\", \"title\": \"y\"}")]
#[case::half_a_surrogate_pair("{\"title\": \"\\ud800\"}")]
#[case::something_after("{\"title\": \"x\"} {}")]
#[case::a_number_for_a_title("{\"title\": 7}")]
#[case::null_for_a_title("{\"title\": null}")]
#[case::a_list_for_a_description("{\"title\": \"x\", \"description\": []}")]
#[case::a_number_for_a_status("{\"title\": \"x\", \"status\": 1}")]
#[actix_web::test]
async fn a_body_of_the_wrong_form_is_a_bad_request(#[case] body: &'static str) {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Untouched").await;
    for (method, path) in [(Method::POST, "/jobs"), (Method::PUT, path.as_str())] {
        let request = user.request(method, path).header("content-type", "application/json").body(body);
        answer(request).await.expect_problem(400, "bad_request");
    }
    assert_eq!(user.jobs().await, [job]);
}

#[rstest]
#[case::no_title(json!({ "title": "" }), json!({ "title": ["must not be empty"] }))]
#[case::a_blank_title(json!({ "title": " \t\n" }), json!({ "title": ["must not be empty"] }))]
#[case::a_long_title(json!({ "title": "é".repeat(201) }), json!({ "title": ["must be at most 200 characters long"] }))]
#[case::a_title_of_two_lines(json!({ "title": "a\nb" }), json!({ "title": ["must be one line without control characters"] }))]
#[case::a_zero_in_the_title(json!({ "title": "a\0b" }), json!({ "title": ["must be one line without control characters"] }))]
#[case::a_long_description(
    json!({ "title": "x", "description": "a".repeat(5_001) }),
    json!({ "description": ["must be at most 5000 characters long"] })
)]
#[case::a_zero_in_the_description(
    json!({ "title": "x", "description": "a\0b" }),
    json!({ "description": ["must not have a zero character"] })
)]
#[case::an_unknown_status(
    json!({ "title": "x", "status": "cancelled" }),
    json!({ "status": ["must be one of `open`, `in_progress` and `done`"] })
)]
#[case::everything_at_once(
    json!({ "title": "", "description": "\0", "status": "" }),
    json!({
        "title": ["must not be empty"], "description": ["must not have a zero character"],
        "status": ["must be one of `open`, `in_progress` and `done`"],
    })
)]
#[actix_web::test]
async fn values_that_are_not_acceptable_are_named(#[case] body: Value, #[case] errors: Value) {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Untouched").await;
    for answer in [user.post(&body).await, user.put(&path, &body).await] {
        assert_eq!(answer.expect_problem(422, "validation_failed")["errors"], errors);
    }
    assert_eq!(user.jobs().await, [job]);
}

#[actix_web::test]
async fn the_longest_title_and_description_are_taken() {
    let app = start().await;
    let body = json!({ "title": "t".repeat(200), "description": "d".repeat(5_000) });
    let job = app.user().post(&body).await.expect(201);
    assert_eq!((&job["title"], &job["description"]), (&body["title"], &body["description"]));
}

#[actix_web::test]
async fn a_body_may_have_16_kib_and_not_a_byte_more() {
    let app = start().await;
    let user = app.user();
    let send = |length: usize| {
        let mut body = "{\"title\": \"x\"}".to_owned();
        body.push_str(&" ".repeat(length - body.len()));
        answer(user.request(Method::POST, "/jobs").header("content-type", "application/json").body(body))
    };
    send(16 * 1024).await.expect(201);
    for length in [16 * 1024 + 1, 17 * 1024, 1024 * 1024] {
        send(length).await.expect_problem(413, "payload_too_large");
    }
    assert_eq!(user.jobs().await.len(), 1);
}

#[rstest]
#[case::none(None)]
#[case::text(Some("text/plain"))]
#[case::a_form(Some("application/x-www-form-urlencoded"))]
#[case::xml(Some("application/xml"))]
#[actix_web::test]
async fn a_body_of_another_type_is_refused(#[case] content_type: Option<&str>) {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Untouched").await;
    for (method, path) in [(Method::POST, "/jobs"), (Method::PUT, path.as_str())] {
        let request = user.request(method, path).body("{\"title\": \"x\"}");
        let request = content_type.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        answer(request).await.expect_problem(415, "unsupported_media_type");
    }
    assert_eq!(user.jobs().await, [job]);
}

#[rstest]
#[case("/job-list", "GET, HEAD", &[Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS])]
#[case("/jobs", "POST", &[Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE])]
#[case("/jobs/10000000-0000-4000-8000-00000000000a", "GET, HEAD, PUT, DELETE", &[Method::POST, Method::PATCH])]
#[actix_web::test]
async fn a_wrong_method_is_told_which_are_right(#[case] path: &str, #[case] allow: &str, #[case] methods: &[Method]) {
    let app = start().await;
    let user = app.user();
    for method in methods {
        let refused = answer(user.request(method.clone(), path)).await;
        assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, allow), "{method}");
        if method != Method::HEAD {
            refused.expect_problem(405, "method_not_allowed");
        }
    }
}

#[rstest]
#[case("/")]
#[case("/nothing")]
#[case("/job-list/")]
#[case("/jobs/")]
#[case("/jobs/10000000-0000-4000-8000-00000000000a/title")]
#[case("/JOBS")]
#[case("//jobs")]
#[actix_web::test]
async fn an_unknown_path_is_not_found_with_a_token_and_without(#[case] path: &str) {
    let app = start().await;
    app.user().get(path).await.expect_problem(404, "not_found");
    answer(app.request(Method::GET, path)).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn every_answer_has_a_request_id_and_forbids_sniffing() {
    let app = start().await;
    let user = app.user();
    for path in ["/job-list", "/nothing", "/jobs", "/health/live"] {
        let answer = answer(user.request(Method::GET, path).header("x-request-id", "my-own.id_1")).await;
        assert_eq!(answer.header("x-request-id"), "my-own.id_1", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    assert!(!user.get("/job-list").await.header("x-request-id").is_empty());
}

#[actix_web::test]
async fn an_error_never_repeats_what_was_sent() {
    let app = start().await;
    let user = app.user();
    for body in ["{\"title\": hunter2}", "{\"title\": \"x\", \"status\": \"hunter2\"}", "{\"hunter2\": 1}"] {
        let request = user.request(Method::POST, "/jobs").header("content-type", "application/json").body(body);
        let refused = answer(request).await;
        assert!(refused.status.is_client_error(), "{refused:?}");
        assert!(!refused.body.contains("hunter2") && !refused.body.contains(&user.token), "{refused:?}");
    }
}
