//! The description of auth-service's calls: which there are, how a caller is known, and the errors that they share.

use std::collections::BTreeMap;
use std::time::Duration;

use service_kit::openapi::EveryCall;
use service_kit::problem::Problem;
use shared_claims::{AccessRefused, InvalidReason};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{current_user, login, logout, password, refresh, register, sessions};
use crate::domain::refresh::Refusal;
use crate::domain::session::EndReason;
use crate::error::{already_taken, invalid_credentials, registration_disabled, too_many_attempts};

/// auth-service as OpenAPI 3.1 describes it: `ApiDocument::openapi()`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "auth-service",
        description = "Signs users in, issues access and refresh tokens, and keeps the sessions that these grow from.",
    ),
    servers((url = ".", description = "Where this document was found")),
    tags(
        (name = "signing in", description = "From a password to tokens, and from tokens to the next."),
        (name = "sessions", description = "Where the caller is signed in."),
        (name = "user", description = "The caller's account."),
    ),
    paths(
        login::login,
        refresh::refresh,
        logout::logout,
        register::register,
        current_user::current_user,
        password::change,
        sessions::list,
        sessions::end_all,
        sessions::end_one,
    ),
    components(responses(
        AccessTokenRefused,
        AlreadyTaken,
        InvalidCredentials,
        NotFound,
        RefreshRefused,
        RegistrationDisabled,
        TooManyAttempts,
        ValidationFailed,
    )),
    modifiers(&EveryCall, &AccessToken)
)]
pub struct ApiDocument;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let description = "An access token: of a login, or of a refresh.";
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(description));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("accessToken", SecurityScheme::Http(scheme.build()));
    }
}

service_kit::problem_responses! {
    AccessTokenRefused: "No access token, or none that is good: expired, of an ended session, of a user who is gone or disabled." = [
        AccessRefused::Missing,
        AccessRefused::Invalid(InvalidReason::TokenType),
        AccessRefused::Expired,
        AccessRefused::Revoked,
    ];
    AlreadyTaken: "The username, the e-mail address or both belong to somebody; `errors` tells which." = [already_taken(true, true)];
    InvalidCredentials: "The username or the password is wrong." = [invalid_credentials()];
    NotFound: "There is no such session among the caller's." = [Problem::not_found()];
    RefreshRefused: "The session does not go on with this token; `code` and `reason` tell why." = refusals();
    RegistrationDisabled: "Accounts are made by the operator here." = [registration_disabled()];
    TooManyAttempts: "Too many guesses, or refreshes." = [too_many_attempts(Duration::from_secs(30))];
    ValidationFailed: "Values that are not acceptable; `errors` tells which, and why." = [unacceptable()];
}

fn refusals() -> impl Iterator<Item = Problem> {
    let refusals =
        [Refusal::Missing, Refusal::Invalid, Refusal::Expired, Refusal::FingerprintMismatch, Refusal::Reused];
    let ended = EndReason::ALL.into_iter().map(|reason| Refusal::SessionEnded(Some(reason)));
    refusals.into_iter().chain(ended).map(Problem::from)
}

fn unacceptable() -> Problem {
    let errors = [("fingerprint".to_owned(), vec!["must be at most 512 characters long".to_owned()])];
    Problem::validation_failed(BTreeMap::from(errors))
}
