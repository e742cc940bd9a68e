//! The one file that knows which status an error has over HTTP.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use service_kit::database::DatabaseError;
use service_kit::problem::Problem;

/// A database that is down is likely to be back soon, or not for long: ask again in so many seconds.
const RETRY_AFTER: u64 = 2;

/// Why a call about jobs has no answer. What is wrong with the caller or with the form of the request is said before it comes here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// 404: there is no such job, or it is another user's; nobody outside can tell which.
    #[error("no such job")]
    NoSuchJob,
    /// 422: the fields can be read and are not acceptable.
    #[error("fields that are not acceptable")]
    Unacceptable(FieldErrors),
    /// 503: the database failed. The cause is for the log alone.
    #[error("database: {0}")]
    Database(#[from] DatabaseError),
}

impl Error {
    fn problem(&self) -> Problem {
        match self {
            Self::NoSuchJob => Problem::not_found(),
            Self::Unacceptable(errors) => Problem::validation_failed(errors.0.clone()),
            Self::Database(_) => Problem::unavailable(RETRY_AFTER),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.problem().status()
    }

    fn error_response(&self) -> HttpResponse {
        self.problem().error_response()
    }
}

/// Collects what is wrong with each field of a request, so that the caller learns all of it at once.
#[derive(Debug, Default)]
pub(crate) struct FieldErrors(BTreeMap<String, Vec<String>>);

impl FieldErrors {
    /// Keeps a parsed field, or notes why it could not be parsed.
    pub(crate) fn check<T>(&mut self, field: &str, parsed: Result<T, &str>) -> Option<T> {
        parsed.map_err(|why| self.0.entry(field.to_owned()).or_default().push(why.to_owned())).ok()
    }
}
