//! `POST /register`

use actix_web::HttpResponse;
use actix_web::web::Data;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::JsonBody;
use utoipa::ToSchema;

use super::current_user::UserBody;
use super::openapi::{AlreadyTaken, RegistrationDisabled, TooManyAttempts, ValidationFailed};
use crate::domain::account::{self, Registered, Registration};
use crate::domain::deadline::Deadline;
use crate::domain::password::NewPassword;
use crate::domain::user::{Email, Username};
use crate::error::{FieldErrors, already_taken, registration_disabled, too_many_attempts};
use crate::state::State;

/// The account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Registration)]
pub(super) struct RegisterBody {
    /// Upper case is taken as lower case.
    #[schema(pattern = "^[A-Za-z0-9._-]{3,32}$", examples("mary"))]
    username: String,
    #[schema(format = Email, max_length = 254, examples("mary@example.test"))]
    email: String,
    /// Verbatim; none that is soon guessed.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 128, examples("fossils from Lyme Regis"))]
    password: SecretString,
}

/// Make an account, where the operator allows it; nobody is signed in by it
#[utoipa::path(
    post,
    path = "/register",
    tag = "user",
    request_body = RegisterBody,
    responses(
        (status = 201, description = "The user.", body = UserBody),
        RegistrationDisabled,
        AlreadyTaken,
        ValidationFailed,
        TooManyAttempts,
    )
)]
pub(super) async fn register(
    state: Data<State>,
    address: ClientAddress,
    body: JsonBody<RegisterBody>,
) -> actix_web::Result<HttpResponse> {
    if !state.registration_is_enabled {
        return Err(registration_disabled().into());
    }
    let JsonBody(body) = body;
    let deadline = Deadline::of_a_request();
    if let Err(wait) = deadline.hold(account::may_register(&state, address.0)).await? {
        return Err(too_many_attempts(wait).into());
    }
    let mut errors = FieldErrors::default();
    let username = errors.check("username", Username::parse(&body.username));
    let email = errors.check("email", Email::parse(&body.email));
    let password = errors.check("password", NewPassword::parse(body.password, &[&body.username, &body.email]));
    let (Some(username), Some(email), Some(password)) = (username, email, password) else {
        return Err(errors.into_problem().into());
    };
    let registration = Registration { username, email, password, ip_address: address.0 };
    match deadline.hold(account::register(&state, registration)).await? {
        Registered::Yes(user) => Ok(HttpResponse::Created().json(UserBody::from(*user))),
        Registered::Taken { username, email } => Err(already_taken(username, email).into()),
    }
}
