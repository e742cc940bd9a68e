//! The description of jobs-service's calls: which there are, how a caller is known, and the errors that they share.

use std::collections::BTreeMap;

use service_kit::openapi::EveryCall;
use service_kit::problem::Problem;
use shared_claims::{AccessRefused, InvalidReason};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{job, job_list, jobs};

/// jobs-service as OpenAPI 3.1 describes it: `ApiDocument::openapi()`.
#[derive(OpenApi)]
#[openapi(
    info(title = "jobs-service", description = "Keeps each user's jobs, for whoever shows an access token of theirs."),
    servers((url = ".", description = "Where this document was found")),
    paths(job_list::list, jobs::create, job::show, job::replace, job::delete),
    components(responses(AccessTokenRefused, NotFound, ValidationFailed)),
    modifiers(&EveryCall, &AccessToken)
)]
pub struct ApiDocument;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "An access token of auth-service: of a login, or of a refresh.";
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(description));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("accessToken", SecurityScheme::Http(scheme.build()));
    }
}

service_kit::problem_responses! {
    AccessTokenRefused: "No access token, or none that is good." = [
        AccessRefused::Missing,
        AccessRefused::Invalid(InvalidReason::TokenType),
        AccessRefused::Expired,
    ];
    NotFound: "There is no such job, or it is another user's." = [Problem::not_found()];
    ValidationFailed: "Values that are not acceptable; `errors` tells which, and why." = [unacceptable()];
}

fn unacceptable() -> Problem {
    let errors = [("title".to_owned(), vec!["must not be empty".to_owned()])];
    Problem::validation_failed(BTreeMap::from(errors))
}
