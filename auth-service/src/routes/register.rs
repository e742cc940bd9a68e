//! `POST /register`

use actix_web::HttpResponse;
use actix_web::web::Data;
use secrecy::SecretString;
use serde::Deserialize;
use service_kit::http::ClientAddress;
use service_kit::problem::{JsonBody, Problem};

use super::current_user::UserBody;
use crate::domain::account::{self, Registered, Registration};
use crate::domain::deadline::Deadline;
use crate::domain::password::NewPassword;
use crate::domain::user::{Email, Username};
use crate::error::{FieldErrors, already_taken, too_many_attempts};
use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegisterBody {
    username: String,
    email: String,
    password: SecretString,
}

pub(super) async fn register(
    state: Data<State>,
    address: ClientAddress,
    body: JsonBody<RegisterBody>,
) -> actix_web::Result<HttpResponse> {
    if !state.registration_is_enabled {
        return Err(Problem::forbidden("registration_disabled", "Accounts are made by the operator here").into());
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
