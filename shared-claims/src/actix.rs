//! `Caller`: a handler that takes one needs an access token, and that is all a handler does about login. Verifying is
//! the `Verifier`'s; what the caller may see is the handler's.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use serde_json::json;
use uuid::Uuid;

use crate::claims::{AccessClaims, UserClaims};
use crate::error::{InvalidReason, TokenError};
use crate::verifier::Verifier;

/// The user who calls, known by the access token in the `Authorization` header.
///
/// Needs a `web::Data<Verifier>` in the application. Refuses by [`AccessRefused`].
#[derive(Debug, Clone)]
pub struct Caller {
    claims: Arc<AccessClaims>,
}

impl Caller {
    /// The user's id: whose data this call is about.
    pub fn user_id(&self) -> Uuid {
        self.claims.sub
    }

    /// The session that the token was minted in.
    pub fn session_id(&self) -> Uuid {
        self.claims.sid
    }

    /// Who the user is, as of when the token was minted.
    pub fn user(&self) -> &UserClaims {
        &self.claims.user
    }

    /// All that the token says.
    pub fn claims(&self) -> &AccessClaims {
        &self.claims
    }
}

impl FromRequest for Caller {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(request))
    }
}

fn authenticate(request: &HttpRequest) -> Result<Caller, actix_web::Error> {
    let Some(verifier) = request.app_data::<web::Data<Verifier>>() else {
        tracing::error!("no web::Data<Verifier> in this application: no caller can be verified");
        return Err(NoVerifier.into());
    };
    let claims = bearer_token(request.headers()).and_then(|token| Ok(verifier.verify(token)?));
    match claims {
        Ok(claims) => Ok(Caller { claims }),
        Err(refused) => {
            tracing::debug!(reason = %refused, "access token refused");
            Err(refused.into())
        }
    }
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1), the scheme in any case (RFC 9110 §11.1).
fn bearer_token(headers: &HeaderMap) -> Result<&str, AccessRefused> {
    const MALFORMED: AccessRefused = AccessRefused::Invalid(InvalidReason::AuthorizationHeader);
    let mut values = headers.get_all(header::AUTHORIZATION);
    let value = values.next().ok_or(AccessRefused::Missing)?;
    if values.next().is_some() {
        return Err(MALFORMED);
    }
    // No control character but a tab can stand in a header, so ASCII is text. Asked of the whole and not byte by byte, as `to_str` does.
    let value = value.as_bytes();
    let value = str::from_utf8(value).ok().filter(|_| value.is_ascii()).ok_or(MALFORMED)?;
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let token = rest.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("Bearer") || token.is_empty() {
        return Err(AccessRefused::Missing);
    }
    // There is no other white space in a header that is text.
    if token.as_bytes().contains(&b' ') || token.as_bytes().contains(&b'\t') {
        return Err(MALFORMED);
    }
    Ok(token)
}

/// Why a caller is refused: always 401, with a challenge by RFC 6750 §3 and `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefused {
    /// No access token was sent: `access_token_missing`.
    #[error("no access token was sent")]
    Missing,
    /// What was sent is no good: `access_token_invalid`.
    #[error("{0}")]
    Invalid(InvalidReason),
    /// It was good until its `exp`: `access_token_expired`.
    #[error("the token has expired")]
    Expired,
    /// It is good, but its session has ended or its user is gone: `access_token_revoked`. Never said by [`Caller`],
    /// which asks no store.
    #[error("the session of the token has ended")]
    Revoked,
}

impl From<TokenError> for AccessRefused {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Expired => Self::Expired,
            TokenError::Invalid(reason) => Self::Invalid(reason),
        }
    }
}

impl AccessRefused {
    /// The stable word to switch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "access_token_missing",
            Self::Invalid(_) => "access_token_invalid",
            Self::Expired => "access_token_expired",
            Self::Revoked => "access_token_revoked",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Missing => "An access token is needed",
            Self::Invalid(_) => "The access token is not valid",
            Self::Expired => "The access token has expired",
            Self::Revoked => "The access token has been revoked",
        }
    }

    fn challenge(self) -> String {
        match self {
            Self::Missing => r#"Bearer realm="latchkey""#.to_owned(),
            _ => format!(r#"Bearer realm="latchkey", error="invalid_token", error_description="{self}""#),
        }
    }
}

impl ResponseError for AccessRefused {
    fn status_code(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = problem(self.status_code(), self.code(), self.title(), &self.to_string());
        let challenge = self.challenge().try_into().expect("a challenge is printable ASCII");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        response
    }
}

/// The application was put together without a verifier: our failure, so never a 401.
#[derive(Debug, thiserror::Error)]
#[error("the service cannot verify access tokens")]
struct NoVerifier;

impl ResponseError for NoVerifier {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = problem(self.status_code(), "unavailable", "The service is unavailable", &self.to_string());
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
        response
    }
}

fn problem(status: StatusCode, code: &str, title: &str, detail: &str) -> HttpResponse {
    HttpResponse::build(status).content_type("application/problem+json").body(
        json!({
            "type": format!("urn:latchkey:problem:{code}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
        })
        .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn sent(values: &[&[u8]]) -> HeaderMap {
        let values = values.iter().map(|value| HeaderValue::from_bytes(value).expect("what may stand in a header"));
        values.fold(HeaderMap::new(), |mut headers, value| {
            headers.append(header::AUTHORIZATION, value);
            headers
        })
    }

    proptest! {
        #[test]
        fn the_token_is_found_behind_its_scheme_in_any_case(scheme in "[bB][eE][aA][rR][eE][rR]", gap in " {1,3}", token in "[!-~]{1,60}") {
            let value = format!("{scheme}{gap}{token}");
            let once = sent(&[value.as_bytes()]);
            prop_assert_eq!(bearer_token(&once), Ok(token.as_str()));
            let twice = sent(&[value.as_bytes(), value.as_bytes()]);
            prop_assert!(matches!(bearer_token(&twice), Err(AccessRefused::Invalid(_))));
        }

        #[test]
        fn nothing_else_is_taken_for_a_token(value in prop_oneof![
            prop::collection::vec(prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xff_u8], 0..40),
            "(?i)bearer?[ \t]{0,2}[!-~]{0,5}[ \t]{0,2}[!-~]{0,5}".prop_map(String::into_bytes),
        ]) {
            let headers = sent(&[&value]);
            if let Ok(token) = bearer_token(&headers) {
                let text = str::from_utf8(&value).expect("ASCII");
                prop_assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
                let scheme = text.strip_suffix(token).expect("the token is the last thing");
                prop_assert!(scheme.ends_with(' ') && scheme.trim_end().eq_ignore_ascii_case("bearer"), "{:?}", text);
            }
        }
    }
}
