//! The one file that knows which status a decision has over HTTP.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use service_kit::problem::Problem;

use crate::domain::Failure;
use crate::domain::password::HashingError;
use crate::domain::refresh::Refusal;
use crate::domain::session::EndReason;

/// A part of the service that is down is likely to be back soon, or not for long: ask again in so many seconds.
const RETRY_AFTER: u64 = 2;
/// The queue of passwords to check drains in two seconds.
const RETRY_AFTER_OVERLOAD: u64 = 3;

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }

    // The cause is for the log alone.
    fn error_response(&self) -> HttpResponse {
        let seconds = match self {
            Self::Hashing(HashingError::Overloaded) => RETRY_AFTER_OVERLOAD,
            _ => RETRY_AFTER,
        };
        Problem::unavailable(seconds).error_response()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Self::forbidden("refresh_token_missing", "A refresh token is needed"),
            Refusal::Invalid => Self::forbidden("refresh_token_invalid", "The refresh token is not valid"),
            Refusal::Expired => Self::forbidden("refresh_token_expired", "The refresh token has expired"),
            Refusal::SessionEnded(reason) => session_ended(reason),
            Refusal::FingerprintMismatch => {
                Self::forbidden("fingerprint_mismatch", "The refresh token belongs to another device")
            }
            Refusal::Reused => Self::forbidden("refresh_token_reused", "The refresh token was used before")
                .detail("It was spent before, so its session has been ended. Log in again."),
        }
    }
}

fn session_ended(reason: Option<EndReason>) -> Problem {
    let problem = Problem::forbidden("session_ended", "The session has ended");
    match reason {
        Some(reason) => problem.member("reason", reason.as_str()),
        None => problem,
    }
}

/// Wrong credentials, whatever was wrong about them.
pub(crate) fn invalid_credentials() -> Problem {
    Problem::unauthorized("invalid_credentials", "The username or the password is wrong")
}

/// Collects what is wrong with each field of a request, so that the caller learns all of it at once.
#[derive(Default)]
pub(crate) struct FieldErrors(BTreeMap<String, Vec<String>>);

impl FieldErrors {
    /// Keeps a parsed field, or notes why it could not be parsed.
    pub(crate) fn check<T>(&mut self, field: &str, parsed: Result<T, &str>) -> Option<T> {
        parsed.map_err(|why| self.0.entry(field.to_owned()).or_default().push(why.to_owned())).ok()
    }

    /// 422 with everything that was noted.
    pub(crate) fn into_problem(self) -> Problem {
        Problem::validation_failed(self.0)
    }
}
