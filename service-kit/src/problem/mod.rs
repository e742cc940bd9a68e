//! Errors as callers see them: `application/problem+json` by RFC 9457, and the readers of bodies, paths and queries that answer with it.
//! Which of a service's causes becomes which problem is for its `error.rs`.

mod body;
mod misfit;
mod params;
mod resource;

pub use body::{BODY_LIMIT, JsonBody};
pub use params::{PathParams, QueryParams};
pub use resource::resource;

use std::collections::BTreeMap;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use serde::Serialize;
use serde_json::Value;

/// The media type of every error.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// One error as it is answered. It holds nothing that the caller must not see; the cause goes to the log before it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    // Boxed, for every handler's `Result` is as large as this.
    body: Box<Body>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Body {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    errors: BTreeMap<String, Vec<String>>,
    #[serde(flatten)]
    members: BTreeMap<&'static str, Value>,
}

impl Problem {
    /// A problem of kind `code`, the stable word that callers switch on; `title` is the same for every problem of that code.
    /// Until [`detail`](Self::detail) says more, the detail is the title.
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        let body = Body {
            r#type: format!("urn:latchkey:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: title.to_owned(),
            code,
            errors: BTreeMap::new(),
            members: BTreeMap::new(),
        };
        Self { body: Box::new(body), headers: Vec::new() }
    }

    /// What went wrong this time, for a person.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.body.detail = detail.into();
        self
    }

    /// What is wrong with each field: `errors: {field: [message]}`.
    #[must_use]
    pub fn errors(mut self, errors: BTreeMap<String, Vec<String>>) -> Self {
        self.body.errors = errors;
        self
    }

    /// One more member of the body, such as `reason` (RFC 9457 §3.2).
    #[must_use]
    pub fn member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.body.members.insert(name, value.into());
        self
    }

    /// One more header of the response, such as `WWW-Authenticate`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// `Retry-After` in whole seconds, at least 1 (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// The stable word.
    pub fn code(&self) -> &'static str {
        self.body.code
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.body.status).expect("made from a status")
    }
}

/// The problems that every service has.
impl Problem {
    /// 404 `not_found`: no such path, or nothing there that is the caller's.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found").detail("There is nothing here.")
    }

    /// 405 `method_not_allowed` with `Allow`.
    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let names: Vec<_> = allowed.iter().map(Method::as_str).collect();
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed");
        let allow = HeaderValue::from_str(&names.join(", ")).expect("a method is a token");
        problem
            .detail("This path does not answer to that method; the Allow header lists those it answers to.")
            .header(header::ALLOW, allow)
    }

    /// 400 `bad_request`: the request cannot be read. The detail must not quote it.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", "Bad request").detail(detail)
    }

    /// 422 `validation_failed`: it can be read, and these fields are not acceptable.
    pub fn validation_failed(errors: BTreeMap<String, Vec<String>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", "Validation failed")
            .detail("Some values are not acceptable; see `errors`.")
            .errors(errors)
    }

    /// 408 `request_timeout`: the body did not arrive in time.
    pub fn request_timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "Request timeout")
            .detail("The body did not arrive in time.")
    }

    /// 413 `payload_too_large`.
    pub fn payload_too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "Payload too large")
            .detail("A body may be 16 KiB at most.")
    }

    /// 431 `headers_too_large`: more headers, or more bytes of them, than are read (RFC 6585 §5).
    pub fn headers_too_large() -> Self {
        Self::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "Headers too large")
            .detail("A request may have 96 headers and 128 KiB of them at most.")
    }

    /// 415 `unsupported_media_type`.
    pub fn unsupported_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type")
            .detail("Send JSON, with Content-Type: application/json and no Content-Encoding.")
    }

    /// 415 `unsupported_media_type` for a body that is compressed, with what is taken instead (RFC 9110 §15.5.16).
    pub fn unsupported_content_coding() -> Self {
        Self::unsupported_media_type()
            .detail("The body is not unpacked here. Send it as it is, with no Content-Encoding.")
            .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// 503 `unavailable` with `Retry-After`: a part is down or there is too much to do. It never tells the cause.
    pub fn unavailable(retry_after_seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Service unavailable")
            .detail("The service cannot answer this right now. Please try again.")
            .retry_after(retry_after_seconds)
    }

    /// 401 with the given code; the caller adds `WWW-Authenticate` where an access token is what is missing.
    pub fn unauthorized(code: &'static str, title: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, title)
    }

    /// 403 with the given code.
    pub fn forbidden(code: &'static str, title: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, title)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.body.status, self.body.code)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status());
        response.content_type(CONTENT_TYPE);
        for header in &self.headers {
            response.append_header(header.clone());
        }
        response.body(serde_json::to_vec(&self.body).expect("a problem has text keys only"))
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        self.error_response()
    }
}

#[cfg(test)]
mod tests;
