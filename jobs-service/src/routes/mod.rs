//! What jobs-service answers to. Who may call is in each handler's signature: `Caller` needs an access token.

mod bodies;
mod job;
mod job_list;
mod jobs;
mod openapi;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use service_kit::problem::resource;

pub use bodies::JobBody;
pub use openapi::ApiDocument;

/// The route table.
#[rustfmt::skip]
pub(crate) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(resource("/job-list",  [(Method::GET,    web::to(job_list::list))]))
        .service(resource("/jobs",      [(Method::POST,   web::to(jobs::create))]))
        .service(resource("/jobs/{id}", [(Method::GET,    web::to(job::show)),
                                         (Method::PUT,    web::to(job::replace)),
                                         (Method::DELETE, web::to(job::delete))]));
}
