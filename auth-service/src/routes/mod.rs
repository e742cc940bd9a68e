//! What auth-service answers to. Who may call is in each handler's signature: `Caller` needs an access token, `LiveCaller`
//! a user who is there as well.

mod current_user;
mod live_caller;
mod login;
mod logout;
mod password;
mod refresh;
mod register;
mod sessions;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, ServiceConfig};
use service_kit::problem::resource;

/// The route table.
#[rustfmt::skip]
pub(crate) fn configure(routes: &mut ServiceConfig) {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    routes
        .service(resource("/login",                 [(POST, web::to(login::login))]).wrap(no_store()))
        .service(resource("/refresh-token",         [(POST, web::to(refresh::refresh))]).wrap(no_store()))
        .service(resource("/logout",                [(POST, web::to(logout::logout))]).wrap(no_store()))
        .service(resource("/register",              [(POST, web::to(register::register))]).wrap(no_store()))
        .service(resource("/current-user",          [(GET, web::to(current_user::current_user))]).wrap(no_store()))
        .service(resource("/current-user/password", [(PUT, web::to(password::change))]).wrap(no_store()))
        .service(resource("/sessions",              [(GET, web::to(sessions::list)), (DELETE, web::to(sessions::end_all))]).wrap(no_store()))
        .service(resource("/sessions/{id}",         [(DELETE, web::to(sessions::end_one))]).wrap(no_store()));
}

/// Tokens and personal data are for the caller alone, errors included (RFC 6749 §5.1).
fn no_store() -> DefaultHeaders {
    DefaultHeaders::new().add((CACHE_CONTROL, HeaderValue::from_static("no-store")))
}
