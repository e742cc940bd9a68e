//! What a service answers instead of what was asked for: problem+json (RFC 9457), read leniently. Whatever else can come back (a
//! proxy's HTML, nothing at all) is a problem without a code.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::IntoStaticStr;

use crate::EndReason;

/// The stable word to switch on. Services may say new ones, which are [`ErrorCode::Other`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is a row in the table of error codes in docs/api.md")]
pub enum ErrorCode {
    BadRequest,
    InvalidCredentials,
    AccessTokenMissing,
    AccessTokenInvalid,
    AccessTokenExpired,
    AccessTokenRevoked,
    RefreshTokenMissing,
    RefreshTokenInvalid,
    RefreshTokenExpired,
    RefreshTokenReused,
    SessionEnded,
    FingerprintMismatch,
    RegistrationDisabled,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    AlreadyTaken,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    TooManyAttempts,
    Unavailable,
    /// A word that this version does not know, as the service said it.
    #[serde(untagged)]
    Other(String),
}

impl ErrorCode {
    /// The word, such as `invalid_credentials`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => known.into(),
        }
    }

    /// True where another access token may help. With `access_token_missing` it does not: none was sent.
    pub(crate) fn is_cured_by_refresh(&self) -> bool {
        matches!(self, Self::AccessTokenInvalid | Self::AccessTokenExpired | Self::AccessTokenRevoked)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal, or a failure that the server tells of.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// What it is, where the answer is one of our services'.
    pub code: Option<ErrorCode>,
    /// For a person to read; the words may change.
    pub detail: Option<String>,
    /// Why the session is over, with `session_ended`.
    pub reason: Option<EndReason>,
    /// Messages by field, with `validation_failed` and `already_taken`.
    pub errors: BTreeMap<String, Vec<String>>,
    /// How long to wait before the next attempt, where the server said so in whole seconds.
    pub retry_after: Option<Duration>,
    /// The request's name in the service's log.
    pub request_id: Option<String>,
}

impl Problem {
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            status,
            code: word(&body, "code"),
            detail: text("detail").or_else(|| text("title")),
            reason: word(&body, "reason"),
            errors: body.get("errors").and_then(Value::as_object).map(field_errors).unwrap_or_default(),
            retry_after: headers.get(RETRY_AFTER).and_then(|value| whole_seconds(value.to_str().ok()?)),
            request_id: headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned),
        }
    }

    /// True where the fault is the server's or the way to it, and the same request may well succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            || self.status.is_server_error()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.detail, &self.code) {
            (Some(detail), Some(code)) => write!(f, "{detail} ({} {code})", self.status.as_u16())?,
            _ => write!(f, "the server answered {}", self.status)?,
        }
        self.errors.iter().try_for_each(|(field, messages)| write!(f, "; {field} {}", messages.join(", ")))
    }
}

fn word<T: for<'de> Deserialize<'de>>(body: &Map<String, Value>, name: &str) -> Option<T> {
    body.get(name).filter(|value| value.is_string()).and_then(|word| T::deserialize(word).ok())
}

fn field_errors(errors: &Map<String, Value>) -> BTreeMap<String, Vec<String>> {
    let messages = |value: &Value| match value {
        Value::Array(messages) => messages.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        other => other.as_str().map(str::to_owned).into_iter().collect(),
    };
    errors.iter().map(|(field, value)| (field.clone(), messages(value))).collect()
}

/// Whole seconds only, which is what our services send; a date would have to be held against this machine's clock.
fn whole_seconds(text: &str) -> Option<Duration> {
    let is_number = (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn problem(status: u16, body: &str) -> Problem {
        Problem::read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn the_code_the_reason_and_the_errors_by_field_are_read() {
        let body =
            json!({ "code": "validation_failed", "detail": "No.", "errors": { "title": ["is too long", "is odd"] } });
        let invalid = problem(422, &body.to_string());
        assert_eq!(invalid.code, Some(ErrorCode::ValidationFailed));
        assert_eq!(invalid.errors["title"], ["is too long", "is odd"]);
        assert_eq!(invalid.to_string(), "No. (422 validation_failed); title is too long, is odd");
        let ended = problem(403, r#"{"code":"session_ended","reason":"admin"}"#);
        assert_eq!(ended.reason, Some(EndReason::Admin));
    }

    #[test]
    fn a_code_that_is_new_is_kept_as_it_is() {
        let problem = problem(418, r#"{"code":"is_a_teapot","detail":"Short and stout."}"#);
        assert_eq!(problem.code, Some(ErrorCode::Other("is_a_teapot".to_owned())));
        assert_eq!(problem.to_string(), "Short and stout. (418 is_a_teapot)");
    }

    #[rstest]
    #[case::html("<html>Forbidden</html>")]
    #[case::nothing("")]
    #[case::a_number("7")]
    #[case::a_list(r#"["session_ended"]"#)]
    #[case::a_code_that_is_no_word(r#"{"code":7,"errors":"none"}"#)]
    fn there_is_no_code_in_what_is_not_ours(#[case] body: &str) {
        let problem = problem(403, body);
        assert_eq!(problem.code, None);
        assert!(problem.errors.is_empty());
        assert_eq!(problem.to_string(), "the server answered 403 Forbidden");
    }

    #[rstest]
    #[case("7", Some(7))]
    #[case("0", Some(0))]
    #[case("Wed, 21 Oct 2026 07:28:00 GMT", None)]
    #[case("-1", None)]
    #[case("+1", None)]
    #[case("99999999999", None)]
    fn how_long_to_wait_is_read_in_whole_seconds(#[case] header: &str, #[case] seconds: Option<u64>) {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, header.parse().unwrap())]);
        let problem = Problem::read(StatusCode::SERVICE_UNAVAILABLE, &headers, b"");
        assert_eq!(problem.retry_after, seconds.map(Duration::from_secs));
    }

    #[rstest]
    fn a_failure_of_the_server_is_temporary(#[values(408, 429, 500, 502, 503, 504)] status: u16) {
        assert!(problem(status, "").is_temporary());
    }

    #[rstest]
    fn a_refusal_is_not(#[values(302, 400, 401, 403, 404, 409, 422)] status: u16) {
        assert!(!problem(status, "").is_temporary());
    }

    fn any_headers() -> impl Strategy<Value = HeaderMap> {
        let text = prop_oneof!["[0-9]{0,8}", "[+-]?[0-9 ]{0,4}", "[ -~]{0,20}"];
        text.prop_map(|text| HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]))
    }

    proptest! {
        #[test]
        fn whatever_comes_back_is_a_problem_and_the_wait_is_a_number_that_was_sent(
            status in 100..=999_u16,
            headers in any_headers(),
            body in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let status = StatusCode::from_u16(status).unwrap();
            let problem = Problem::read(status, &headers, &body);
            prop_assert_eq!(problem.status, status);
            let sent = headers[RETRY_AFTER].to_str().unwrap();
            let is_number = (1..=6).contains(&sent.len()) && sent.bytes().all(|byte| byte.is_ascii_digit());
            prop_assert_eq!(problem.retry_after.map(|wait| wait.as_secs()), is_number.then(|| sent.parse().unwrap()));
        }

        #[test]
        fn every_word_is_kept_as_it_was_said(code in "[a-z_]{0,24}", reason in "\\PC{0,24}", detail in "\\PC{0,24}") {
            let body = json!({ "code": code, "reason": reason, "detail": detail }).to_string();
            let problem = problem(403, &body);
            prop_assert_eq!(problem.code.as_ref().map(ErrorCode::as_str), Some(code.as_str()));
            prop_assert_eq!(problem.reason.as_ref().map(EndReason::as_str), Some(reason.as_str()));
            prop_assert_eq!(problem.detail, Some(detail));
        }

        #[test]
        fn members_of_any_type_are_read_or_left_out(
            name in "(code|reason|detail|title|errors)",
            value in "(null|true|7|\\[1,\"x\"\\]|\\{\"a\":\\[\"x\",2\\]\\}|\"x\")",
        ) {
            let problem = problem(422, &format!(r#"{{"{name}":{value}}}"#));
            let is_word = value == r#""x""#;
            prop_assert_eq!(problem.code.is_some(), name == "code" && is_word);
            prop_assert_eq!(problem.reason.is_some(), name == "reason" && is_word);
            prop_assert_eq!(problem.errors.is_empty(), !(name == "errors" && value.starts_with('{')));
        }
    }
}
