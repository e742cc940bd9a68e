//! The id that ties a response, its log lines and the caller's report together.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use uuid::Uuid;

/// Where the id comes from and goes to.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, in its extensions: the caller's own if it is 1 to 64 of `A-Z a-z 0-9 . _ -`, or else a new UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id as text, safe in a header and in a log line.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The request's id, which it is given where it has none yet.
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        if let Some(id) = request.extensions().get::<Self>() {
            return id.clone();
        }
        let id = request.headers().get(X_REQUEST_ID).and_then(sane).unwrap_or_else(Self::fresh);
        request.extensions_mut().insert(id.clone());
        id
    }

    #[allow(clippy::disallowed_methods, reason = "a request id decides nothing and no test replays it")]
    pub(crate) fn fresh() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("an id has header characters only")
    }
}

fn sane(header: &HeaderValue) -> Option<RequestId> {
    let text = header.to_str().ok()?;
    let is_sane =
        (1..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
    is_sane.then(|| RequestId(text.to_owned()))
}
