//! Which pages of other origins may call, by the CORS protocol (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, LINK, RETRY_AFTER};

use super::request_id::X_REQUEST_ID;

/// How long a browser may remember the answer to a preflight, in seconds.
const REMEMBER: usize = 600;

/// Lets pages of these origins call. No cookies or other credentials of the browser are involved: a token is sent by the page itself.
pub(crate) fn cors(allowed_origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
        .expose_headers([RETRY_AFTER, LINK, X_REQUEST_ID])
        .block_on_origin_mismatch(false)
        .max_age(REMEMBER);
    allowed_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
