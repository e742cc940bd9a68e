//! Problems as they are serialized.

use actix_web::body::MessageBody;
use serde_json::json;

use super::*;

fn body(problem: &Problem) -> Value {
    let bytes = problem.error_response().into_body().try_into_bytes().expect("a body in memory");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn headers(problem: &Problem, name: HeaderName) -> Vec<String> {
    let response = problem.error_response();
    response.headers().get_all(name).map(|value| value.to_str().expect("text").to_owned()).collect()
}

#[test]
fn a_problem_has_the_members_of_rfc_9457_and_a_code() {
    let problem = Problem::new(StatusCode::CONFLICT, "taken", "Taken").detail("That name is taken.");
    let expected = json!({
        "type": "urn:latchkey:problem:taken", "title": "Taken", "status": 409, "detail": "That name is taken.", "code": "taken"
    });
    assert_eq!(body(&problem), expected);
    assert_eq!(
        (problem.status(), problem.code(), problem.to_string().as_str()),
        (StatusCode::CONFLICT, "taken", "409 taken")
    );
    assert_eq!(headers(&problem, header::CONTENT_TYPE), [CONTENT_TYPE]);
}

#[test]
fn errors_and_further_members_stand_beside_the_others() {
    let errors = BTreeMap::from([("username".to_owned(), vec!["is too short".to_owned(), "has a space".to_owned()])]);
    assert_eq!(
        body(&Problem::validation_failed(errors))["errors"],
        json!({ "username": ["is too short", "has a space"] })
    );
    let ended = Problem::forbidden("session_ended", "Session ended").member("reason", "signed_out");
    assert_eq!(body(&ended)["reason"], "signed_out");
}

#[test]
fn retry_after_is_whole_seconds_and_at_least_one() {
    for (seconds, header) in [(0, "1"), (1, "1"), (7, "7"), (u64::MAX, "18446744073709551615")] {
        assert_eq!(headers(&Problem::unavailable(seconds), header::RETRY_AFTER), [header]);
    }
}

#[test]
fn allow_lists_the_methods_even_where_there_are_none() {
    let allow = |methods: &[Method]| headers(&Problem::method_not_allowed(methods), header::ALLOW);
    assert_eq!(allow(&[Method::GET, Method::DELETE]), ["GET, DELETE"]);
    assert_eq!(allow(&[]), [""]);
}

#[test]
fn further_headers_are_sent_as_they_are() {
    let problem = Problem::unauthorized("access_token_missing", "Access token missing")
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"latchkey\""));
    assert_eq!(headers(&problem, header::WWW_AUTHENTICATE), ["Bearer realm=\"latchkey\""]);
}

#[test]
fn the_common_problems_have_their_status_and_code() {
    for (problem, status, code) in [
        (Problem::not_found(), 404, "not_found"),
        (Problem::method_not_allowed(&[]), 405, "method_not_allowed"),
        (Problem::bad_request("x"), 400, "bad_request"),
        (Problem::validation_failed(BTreeMap::new()), 422, "validation_failed"),
        (Problem::request_timeout(), 408, "request_timeout"),
        (Problem::payload_too_large(), 413, "payload_too_large"),
        (Problem::headers_too_large(), 431, "headers_too_large"),
        (Problem::unsupported_media_type(), 415, "unsupported_media_type"),
        (Problem::unavailable(1), 503, "unavailable"),
        (Problem::forbidden("registration_disabled", "Registration is disabled"), 403, "registration_disabled"),
        (Problem::unauthorized("invalid_credentials", "Invalid credentials"), 401, "invalid_credentials"),
    ] {
        assert_eq!((problem.status_code().as_u16(), problem.code()), (status, code));
        assert_eq!((body(&problem)["status"].as_u64(), &body(&problem)["code"]), (Some(status.into()), &code.into()));
    }
}
