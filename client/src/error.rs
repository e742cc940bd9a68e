//! What can go wrong with a call, in the words of whoever calls: refused, signed out, out of reach.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use crate::{EndReason, ErrorCode, Problem, StorageError};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a call has no result. Never shows a token, a key or a password.
///
/// Only [`Error::SignedOut`] means that the user has to log in again; after everything else the session stands.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service answered that it will not, or that it cannot now.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// Nobody is signed in, and why: nothing was sent, or what was sent was refused for that. `None` where nobody ever was.
    #[error("not signed in{}", .0.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    SignedOut(Option<EndReason>),
    /// The access token has run out and there is no other now. The session stands: the same call may succeed later.
    #[error("the access token could not be renewed")]
    NotRenewed {
        /// When the next attempt is worth while.
        retry_after: Duration,
        /// What came of the last one.
        source: Arc<Error>,
    },
    /// No answer came, or not all of it: no connection, a time-out, a cut.
    #[error("no answer came")]
    NoAnswer(#[source] reqwest::Error),
    /// The status says success, and the body is not what the service answers: it came from something else.
    #[error("the answer ({status}) is not the service's: {what}")]
    Unreadable {
        /// Its status.
        status: StatusCode,
        /// What is wrong with it. Nothing of it is quoted, for it may hold a token.
        what: String,
    },
    /// Tokens could not be read or kept.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The task that renewed the token ended with its runtime, or panicked. The next call begins another.
    #[error("the renewal was interrupted")]
    Interrupted,
    /// A middleware of the caller's own failed.
    #[error("a middleware failed")]
    Middleware(#[source] Cause),
}

impl Error {
    /// The stable word of a refusal.
    pub fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Refused(problem) => problem.code.as_ref(),
            _ => None,
        }
    }

    /// True where the fault is the way to the server or the server itself, or others are at the storage just now: the same call may
    /// well succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.is_temporary(),
            Self::NotRenewed { source, .. } => source.is_temporary(),
            Self::NoAnswer(cause) => !cause.is_builder(),
            Self::Unreadable { .. } | Self::Interrupted => true,
            Self::Storage(error) => error.is_busy(),
            Self::SignedOut(_) | Self::Middleware(_) => false,
        }
    }

    /// How long to wait before the next attempt, where the server said so or the client waits by itself.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(problem) => problem.retry_after,
            Self::NotRenewed { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// The refusal of a refresh that ends the session, and why: one of six codes, with 403, and nothing else.
    pub(crate) fn end_of_session(&self) -> Option<EndReason> {
        let Self::Refused(problem) = self else { return None };
        if problem.status != StatusCode::FORBIDDEN {
            return None;
        }
        let code = match problem.code.as_ref()? {
            ErrorCode::RefreshTokenMissing => EndReason::RefreshTokenMissing,
            ErrorCode::RefreshTokenInvalid => EndReason::RefreshTokenInvalid,
            ErrorCode::RefreshTokenExpired => EndReason::RefreshTokenExpired,
            ErrorCode::RefreshTokenReused => EndReason::RefreshTokenReused,
            ErrorCode::SessionEnded => EndReason::SessionEnded,
            ErrorCode::FingerprintMismatch => EndReason::FingerprintMismatch,
            _ => return None,
        };
        Some(problem.reason.clone().unwrap_or(code))
    }
}

/// A middleware can only fail as the library has it; this brings our own errors back as they were.
impl From<reqwest_middleware::Error> for Error {
    fn from(error: reqwest_middleware::Error) -> Self {
        match error {
            reqwest_middleware::Error::Reqwest(cause) => Self::NoAnswer(cause),
            reqwest_middleware::Error::Middleware(cause) => match cause.downcast::<Self>() {
                Ok(own) => own,
                Err(other) => Self::Middleware(other.into()),
            },
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The base URL of a service cannot be used.
    #[error("the URL of a service {why}")]
    ServiceUrl {
        /// What is wrong with it.
        why: &'static str,
    },
    /// This is not among the services that the client was built for, so it would send no token there.
    #[error("{url} was not named when the client was built")]
    UnknownService {
        /// Its base URL.
        url: String,
    },
    /// The HTTP library cannot start.
    #[error("the HTTP client cannot be made")]
    Http(#[source] reqwest::Error),
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use rstest::rstest;

    use super::*;

    fn refused(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::Refused(Box::new(Problem::read(status, &HeaderMap::new(), body.as_bytes())))
    }

    #[rstest]
    fn six_codes_end_a_session(
        #[values(
            "refresh_token_missing",
            "refresh_token_invalid",
            "refresh_token_expired",
            "refresh_token_reused",
            "session_ended",
            "fingerprint_mismatch"
        )]
        code: &str,
    ) {
        let reason = refused(403, &format!(r#"{{"code":"{code}"}}"#)).end_of_session().unwrap();
        assert_eq!(reason.as_str(), code);
    }

    #[test]
    fn the_reason_says_more_than_the_code() {
        let reason = refused(403, r#"{"code":"session_ended","reason":"password_changed"}"#).end_of_session();
        assert_eq!(reason, Some(EndReason::PasswordChanged));
    }

    #[rstest]
    #[case::from_something_else(403, r#"{"code":"forbidden"}"#)]
    #[case::in_html(403, "<html>Blocked</html>")]
    #[case::empty(403, "")]
    #[case::another_of_our_codes(403, r#"{"code":"registration_disabled"}"#)]
    #[case::another_status(401, r#"{"code":"session_ended"}"#)]
    #[case::a_failure(503, r#"{"code":"session_ended"}"#)]
    #[case::too_many(429, r#"{"code":"too_many_attempts"}"#)]
    fn nothing_else_does(#[case] status: u16, #[case] body: &str) {
        assert_eq!(refused(status, body).end_of_session(), None);
    }

    #[test]
    fn an_error_comes_back_from_a_middleware_as_it_was() {
        let error = reqwest_middleware::Error::middleware(Error::SignedOut(Some(EndReason::Admin)));
        let error = Error::from(error);
        assert!(matches!(error, Error::SignedOut(Some(EndReason::Admin))));
        assert_eq!(error.to_string(), "not signed in: an administrator ended this session");
    }
}
