//! What auth-service answers to. Who may call is in each handler's signature: `Caller` needs an access token, `LiveCaller`
//! a user who is there as well.

mod current_user;
mod live_caller;
mod login;
mod logout;
mod openapi;
mod password;
mod refresh;
mod register;
mod sessions;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use service_kit::problem::resource;

pub use openapi::ApiDocument;

/// The route table.
#[rustfmt::skip]
pub(crate) fn configure(routes: &mut ServiceConfig) {
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    routes
        .service(resource("/login",                 [(POST, web::to(login::login))]))
        .service(resource("/refresh-token",         [(POST, web::to(refresh::refresh))]))
        .service(resource("/logout",                [(POST, web::to(logout::logout))]))
        .service(resource("/register",              [(POST, web::to(register::register))]))
        .service(resource("/current-user",          [(GET, web::to(current_user::current_user))]))
        .service(resource("/current-user/password", [(PUT, web::to(password::change))]))
        .service(resource("/sessions",              [(GET, web::to(sessions::list)), (DELETE, web::to(sessions::end_all))]))
        .service(resource("/sessions/{id}",         [(DELETE, web::to(sessions::end_one))]));
}
