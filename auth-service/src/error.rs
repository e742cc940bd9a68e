//! The one file that knows which status a decision has over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use service_kit::problem::Problem;

use crate::domain::Failure;
use crate::domain::password::HashingError;
use crate::domain::refresh::Refusal;

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
        let title = match refusal {
            Refusal::Missing => "A refresh token is needed",
            Refusal::Invalid => "The refresh token is not valid",
            Refusal::Expired => "The refresh token has expired",
            Refusal::SessionEnded(_) => "The session has ended",
            Refusal::FingerprintMismatch => "The refresh token belongs to another device",
            Refusal::Reused => "The refresh token was used before",
        };
        let problem = Self::forbidden(refusal.code(), title);
        match refusal {
            Refusal::SessionEnded(Some(reason)) => problem.member("reason", reason.as_str()),
            Refusal::Reused => problem.detail("It was spent before, so its session has been ended. Log in again."),
            _ => problem,
        }
    }
}

/// Wrong credentials, whatever was wrong about them.
pub(crate) fn invalid_credentials() -> Problem {
    Problem::unauthorized("invalid_credentials", "The username or the password is wrong")
}

/// Nobody makes an account of their own here.
pub(crate) fn registration_disabled() -> Problem {
    Problem::forbidden("registration_disabled", "Accounts are made by the operator here")
}

/// Too many attempts; the next may be made after this, told in whole seconds and never too early (RFC 6585 §4).
pub(crate) fn too_many_attempts(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", "There were too many attempts")
        .retry_after(seconds)
}

/// The user name, the e-mail address or both belong to somebody else.
pub(crate) fn already_taken(username: bool, email: bool) -> Problem {
    let mut errors = FieldErrors::default();
    if username {
        errors.check("username", Err::<(), _>("is taken"));
    }
    if email {
        errors.check("email", Err::<(), _>("is taken"));
    }
    let title = "There is such a user already";
    Problem::new(StatusCode::CONFLICT, "already_taken", title).errors(errors.0)
}

/// Collects what is wrong with each field of a request, so that the caller learns all of it at once.
#[derive(Default)]
pub(crate) struct FieldErrors(BTreeMap<String, Vec<String>>);

impl FieldErrors {
    /// 422 for one field.
    pub(crate) fn of(field: &str, why: impl Into<String>) -> Problem {
        let mut errors = Self::default();
        errors.check(field, Err::<(), _>(why));
        errors.into_problem()
    }

    /// Keeps a parsed field, or notes why it could not be parsed.
    pub(crate) fn check<T>(&mut self, field: &str, parsed: Result<T, impl Into<String>>) -> Option<T> {
        parsed.map_err(|why| self.0.entry(field.to_owned()).or_default().push(why.into())).ok()
    }

    /// 422 with everything that was noted.
    pub(crate) fn into_problem(self) -> Problem {
        Problem::validation_failed(self.0)
    }
}
