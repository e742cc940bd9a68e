//! Wraps the answer to every request: headers that are always there, an answer in place of a panic, and the one log line that tells
//! how it ended. It runs inside the request's span.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use actix_cors::CorsError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};
use futures_util::FutureExt;

use super::request_id::{RequestId, X_REQUEST_ID};
use crate::problem::Problem;
use crate::stopwatch::Stopwatch;
use crate::telemetry;

/// Seconds to wait after an answer that a panic stands behind.
const RETRY_AFTER_PANIC: u64 = 1;

pub(crate) async fn envelope(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let stopwatch = Stopwatch::start();
    let id = RequestId::of(&request);
    let is_probe = request.path().starts_with("/health/");
    // A panic leaves nothing behind that another request would see: what a handler shares with others is behind locks of its own.
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let outcome = match outcome {
        Ok(Ok(response)) => Ok(explain_cors(response.map_into_boxed_body())),
        Ok(Err(error)) => Err(error),
        Err(panic) => Err(Error::from(after_panic(&*panic))),
    };
    let outcome = stamp(outcome, &id);
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    telemetry::request_finished(status, stopwatch, is_probe);
    outcome
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
    let mut explained =
        Problem::bad_request("This origin, method or header is not allowed across origins.").error_response();
    for (name, value) in refused.headers() {
        if name.as_str() == "vary" {
            explained.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, explained)
}

fn stamp(outcome: Result<ServiceResponse<BoxBody>, Error>, id: &RequestId) -> Result<ServiceResponse<BoxBody>, Error> {
    let insert = |headers: &mut HeaderMap| {
        headers.insert(X_REQUEST_ID, id.to_header());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    };
    match outcome {
        Ok(mut response) => {
            insert(response.headers_mut());
            Ok(response)
        }
        // There is no request left to answer with; the error carries its finished response out.
        Err(error) => {
            let mut response = error.error_response();
            insert(response.headers_mut());
            Err(InternalError::from_response(error, response).into())
        }
    }
}
