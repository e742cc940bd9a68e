//! Wraps the answer to every request: headers that are always there, an answer in place of a panic, and the one log line that tells
//! how it ended. It runs inside the request's span.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use actix_cors::CorsError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, VARY, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};
use futures_util::FutureExt;

use super::request_id::{RequestId, X_REQUEST_ID};
use super::unread::HeldBody;
use crate::metrics::Observed;
use crate::problem::Problem;
use crate::stopwatch::Stopwatch;
use crate::telemetry;

/// Seconds to wait after an answer that a panic stands behind.
const RETRY_AFTER_PANIC: u64 = 1;

/// The outer layer, around everything but the span.
pub(crate) async fn envelope(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let stopwatch = Stopwatch::start();
    let id = RequestId::of(&request);
    let body = HeldBody::of(&mut request);
    let is_probe = request.path().starts_with("/health/") || request.path() == "/metrics";
    let observed = Observed::begin(&request);
    let outcome = next.call(request).await.map(|response| explain_cors(response.map_into_boxed_body()));
    let finish = |mut response: HttpResponse| {
        stamp(response.headers_mut(), &id);
        telemetry::request_finished(response.status(), stopwatch, is_probe);
        match body {
            Some(body) => response.map_body(|_, answer| body.until_sent(answer)),
            None => response,
        }
    };
    match outcome {
        Ok(response) => {
            let (request, response) = response.into_parts();
            observed.answered(&request, response.status(), stopwatch.elapsed());
            Ok(ServiceResponse::new(request, finish(response)))
        }
        // There is no request left to answer with; the error carries its finished response out.
        Err(error) => {
            let response = finish(error.error_response());
            observed.lost(response.status(), stopwatch.elapsed());
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// The headers that every answer has.
pub(crate) fn stamp(headers: &mut HeaderMap, id: &RequestId) {
    headers.insert(X_REQUEST_ID, id.to_header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Tokens and personal data are for the caller alone, errors included (RFC 6749 §5.1). What may be kept says so itself.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The inner layer, around the routes: a handler that panics is answered for, where otherwise the connection would just end.
pub(crate) async fn answer_panics(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // A panic leaves nothing behind that another request would see: what a handler shares with others is behind locks of its own.
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    outcome.unwrap_or_else(|panic| Err(after_panic(&*panic).into()))
}

/// The panic's own text is for the log alone.
fn after_panic(panic: &(dyn Any + Send)) -> Problem {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("of unknown kind"), "a handler panicked");
    Problem::unavailable(RETRY_AFTER_PANIC)
}

/// The CORS library answers a preflight that it refuses in plain text.
fn explain_cors(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    if response.response().error().and_then(Error::as_error::<CorsError>).is_none() {
        return response;
    }
    let (request, refused) = response.into_parts();
    let problem = Problem::bad_request("This origin, method or header is not allowed across origins.");
    let mut explained = problem.error_response();
    for value in refused.headers().get_all(VARY) {
        explained.headers_mut().append(VARY, value.clone());
    }
    ServiceResponse::new(request, explained)
}
