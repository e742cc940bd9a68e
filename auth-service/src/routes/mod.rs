//! What auth-service answers to. Who may call is in each handler's signature: `Caller` needs an access token.

mod current_user;
mod login;
mod logout;
mod refresh;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, ServiceConfig};
use service_kit::problem::resource;

/// The route table.
#[rustfmt::skip]
pub(crate) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(resource("/login",         [(Method::POST, web::post().to(login::login))]).wrap(no_store()))
        .service(resource("/refresh-token", [(Method::POST, web::post().to(refresh::refresh))]).wrap(no_store()))
        .service(resource("/logout",        [(Method::POST, web::post().to(logout::logout))]).wrap(no_store()))
        .service(resource("/current-user",  [(Method::GET,  web::get().to(current_user::current_user))]).wrap(no_store()));
}

/// Tokens and personal data are for the caller alone, errors included (RFC 6749 §5.1).
fn no_store() -> DefaultHeaders {
    DefaultHeaders::new().add((CACHE_CONTROL, HeaderValue::from_static("no-store")))
}
